"""What the networks look at, as colour over the frame: CAER-Net's attention, BENet's heat map."""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np

from caer_ros.core import Box

_STRENGTH = 0.65
_FULL_HEAT = 2.5
# BGR of little and of much heat. Two warm colours: a rainbow's blue end would tint what is cold.
_LITTLE, _MUCH = np.array((0, 205, 255)), np.array((30, 20, 230))


def draw_attention(canvas: np.ndarray, attention: np.ndarray, faces: Iterable[Box]) -> None:
    """Tint the canvas, in place, where attention exceeds what every place gets if all get the same.

    Args:
        canvas: uint8 [height, width, 3], BGR.
        attention: float32 [h, w] over the canvas, sums to 1.
        faces: stay as they are, because they were hidden from the network that made it.
    """
    height, width = canvas.shape[:2]
    # 1: as much as everywhere. Stretched to its own peak, attention that points nowhere would glow.
    excess = attention * attention.size - 1
    full = max(_FULL_HEAT, float(excess.max()) + 1) - 1
    heat = np.clip(cv2.resize((excess / full).astype(np.float32), (width, height)), 0, 1)
    for face in faces:
        heat[pixels(face, width, height)] = 0
    _tint(canvas, heat)


def draw_heat(canvas: np.ndarray, heat: np.ndarray) -> None:
    """Tint the canvas, in place, as strongly as `heat` says (float32 [h, w], in [0, 1])."""
    height, width = canvas.shape[:2]
    _tint(canvas, np.clip(cv2.resize(heat, (width, height)), 0, 1))


def pixels(box: Box, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of a width x height image that the box touches."""
    x1, y1 = max(0, math.floor(box.x1)), max(0, math.floor(box.y1))
    x2, y2 = min(width, math.ceil(box.x2)), min(height, math.ceil(box.y2))
    return slice(y1, max(y1, y2)), slice(x1, max(x1, x2))


def _tint(canvas: np.ndarray, heat: np.ndarray) -> None:
    colored = cv2.applyColorMap((heat * 255).astype(np.uint8), _RAMP)
    # Strength follows the heat itself, so that what is not attended keeps its own colours.
    alpha = np.float32(_STRENGTH) * heat
    cv2.blendLinear(canvas, colored, 1 - alpha, alpha, canvas)


def _ramp() -> np.ndarray:
    """uint8 [256, 1, 3], BGR, by level of heat."""
    share = np.linspace(0, 1, 256)[:, None]
    return np.round(_LITTLE * (1 - share) + _MUCH * share).astype(np.uint8)[:, None]


_RAMP = _ramp()
