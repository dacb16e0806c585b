"""The picture a person looks at: boxes, top emotions, probability and fusion bars, maps."""

from __future__ import annotations

import math

import cv2
import numpy as np

from caer_ros.core import Box, PersonEmotion
from caer_ros.perception.cards import OTHER, draw_card, draw_list, emotion_color
from caer_ros.perception.pipeline import Result

_HEAT_STRENGTH = 0.6
_FULL_HEAT = 2.5


def draw_overlay(image: np.ndarray, encoding: str, result: Result) -> np.ndarray:
    """Draw `result` over its frame.

    Args:
        image: the frame that was processed, uint8, in `encoding`; not changed.
        encoding: rgb8, bgr8, rgba8, bgra8 or mono8.
        result: what Pipeline.process returned of it, with maps for the heat.

    Returns:
        New uint8 array [height, width, 3], BGR. Attention is drawn where it exceeds what every
        place would get if all got the same, at full strength from 2.5 times that on, and
        never on a face, because faces were hidden from the network that made it. BENet's heat map
        is drawn as it is: at full strength where the centre of a person is certain.
    """
    canvas = to_bgr(image, encoding)
    if result.attention is not None:
        _draw_attention(canvas, result)
    if result.heat is not None:
        height, width = canvas.shape[:2]
        _draw_heat(canvas, np.clip(cv2.resize(result.heat, (width, height)), 0, 1))
    for person in result.people:
        _draw_person(canvas, person)
    return canvas


def to_bgr(image: np.ndarray, encoding: str) -> np.ndarray:
    """A BGR copy of a frame, uint8 [height, width, 3]."""
    codes = {
        "rgb8": cv2.COLOR_RGB2BGR,
        "rgba8": cv2.COLOR_RGBA2BGR,
        "bgra8": cv2.COLOR_BGRA2BGR,
        "mono8": cv2.COLOR_GRAY2BGR,
    }
    return np.array(image) if encoding == "bgr8" else cv2.cvtColor(image, codes[encoding])


def _draw_attention(canvas: np.ndarray, result: Result) -> None:
    assert result.attention is not None
    height, width = canvas.shape[:2]
    # 1: as much as everywhere. Stretched to its own peak, attention that points nowhere would glow.
    excess = result.attention * result.attention.size - 1
    heat = np.clip(
        cv2.resize(excess / (max(_FULL_HEAT, excess.max() + 1) - 1), (width, height)), 0, 1
    )
    for person in result.people:
        if person.face is not None:
            rows, cols = _pixels(person.face, width, height)
            heat[rows, cols] = 0
    _draw_heat(canvas, heat)


def _draw_heat(canvas: np.ndarray, heat: np.ndarray) -> None:
    """Tint the canvas where `heat` (float [height, width], in [0, 1]) is high."""
    colored = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_JET)
    # Strength follows the heat itself, so that what is not attended keeps its own colours.
    alpha = (heat * _HEAT_STRENGTH)[..., None]
    canvas[:] = (canvas * (1 - alpha) + colored * alpha).astype(np.uint8)


def _draw_person(canvas: np.ndarray, person: PersonEmotion) -> None:
    box = person.face or person.body
    if box is None:
        return
    height, width = canvas.shape[:2]
    estimate = person.estimates[0] if person.estimates else None
    color = emotion_color(estimate.top_label) if estimate else OTHER
    thick = max(1, round(min(height, width) / 300))
    corner, opposite = (round(box.x1), round(box.y1)), (round(box.x2), round(box.y2))
    cv2.rectangle(canvas, corner, opposite, color, thick, cv2.LINE_AA)
    if estimate is None:
        return
    if estimate.multi_label:
        draw_list(canvas, box, estimate)
    else:
        draw_card(canvas, box, estimate, color)


def _pixels(box: Box, width: int, height: int) -> tuple[slice, slice]:
    x1, y1 = max(0, math.floor(box.x1)), max(0, math.floor(box.y1))
    return slice(y1, min(height, math.ceil(box.y2))), slice(x1, min(width, math.ceil(box.x2)))
