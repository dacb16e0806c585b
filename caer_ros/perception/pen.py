"""Text, bars and dark ground on a BGR canvas, in sizes that fit the picture. All draw in place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.perception.palette import Color

_FONT = cv2.FONT_HERSHEY_SIMPLEX
# Thicker from this scale on: one pixel of a large letter can not be read on a video.
_BOLD_FROM = 0.8
_LEAST_SCALE = 0.4


@dataclass(frozen=True)
class Measures:
    """Sizes on a canvas: font scale, and pixels of a row of text, of a bar and of a gap."""

    scale: float
    line: int
    bar: int
    gap: int


def measures(canvas: np.ndarray, share: float = 1.0) -> Measures:
    """Sizes for `share` of the full size of letters, never less than what can be read."""
    scale = max(_LEAST_SCALE, min(canvas.shape[:2]) / 900 * share)
    line = round(30 * scale)
    return Measures(scale, line, max(3, line // 4), max(3, line // 4))


def text_width(text: str, scale: float) -> int:
    """Pixels."""
    return int(cv2.getTextSize(text, _FONT, scale, _thick(scale))[0][0])


def write(canvas: np.ndarray, text: str, x: int, base: int, scale: float, color: Color) -> None:
    """Text that begins at column `x` and stands on row `base`."""
    cv2.putText(canvas, text, (x, base), _FONT, scale, color, _thick(scale), cv2.LINE_AA)


def draw_bar(
    canvas: np.ndarray,
    left: int,
    right: int,
    top: int,
    height: int,
    share: float,
    color: Color,
    rest: Color,
) -> None:
    """A bar of which `share` in [0, 1], from the left, has `color` and the rest has `rest`."""
    split = left + round((right - left) * share)
    canvas[top : top + height, left:right] = rest
    canvas[top : top + height, left:split] = color


def darken(canvas: np.ndarray, x: int, y: int, width: int, height: int) -> None:
    """Dark ground for text: a quarter of the light is left."""
    part = canvas[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
    part[:] = part // 4


def _thick(scale: float) -> int:
    return 2 if scale >= _BOLD_FROM else 1
