"""The picture a person looks at: boxes, top emotion, probability and fusion bars, attention."""

from __future__ import annotations

import math

import cv2
import numpy as np

from caer_ros.core import Box, EmotionEstimate, PersonEmotion
from caer_ros.perception.pipeline import Result

# BGR; one colour an emotion, by its lower-case name, so that two models of one emotion look alike.
_COLORS = {
    "anger": (60, 60, 230),
    "disgust": (60, 160, 60),
    "fear": (190, 80, 170),
    "happy": (60, 205, 250),
    "neutral": (190, 190, 190),
    "sad": (230, 140, 60),
    "surprise": (80, 150, 250),
}
_OTHER = (220, 220, 90)
_FACE_BAR, _CONTEXT_BAR = (250, 200, 90), (120, 90, 230)
_HEAT_STRENGTH = 0.6
_FULL_HEAT = 2.5
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(image: np.ndarray, encoding: str, result: Result) -> np.ndarray:
    """Draw `result` over its frame.

    Args:
        image: the frame that was processed, uint8, in `encoding`; not changed.
        encoding: rgb8, bgr8, rgba8, bgra8 or mono8.
        result: what Pipeline.process returned of it, with maps for the attention heat.

    Returns:
        New uint8 array [height, width, 3], BGR. Attention is drawn where it exceeds what every
        place would get if all got the same, at full strength from 2.5 times that on, and
        never on a face, because faces were hidden from the network that made it.
    """
    canvas = to_bgr(image, encoding)
    if result.attention is not None:
        _draw_attention(canvas, result)
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


def emotion_color(label: str) -> tuple[int, int, int]:
    """BGR colour of an emotion label."""
    return _COLORS.get(label.lower(), _OTHER)


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
    color = emotion_color(estimate.top_label) if estimate else _OTHER
    thick = max(1, round(min(height, width) / 300))
    corner, opposite = (round(box.x1), round(box.y1)), (round(box.x2), round(box.y2))
    cv2.rectangle(canvas, corner, opposite, color, thick, cv2.LINE_AA)
    if estimate is not None:
        _draw_card(canvas, box, estimate, color)


def _draw_card(
    canvas: np.ndarray, box: Box, estimate: EmotionEstimate, color: tuple[int, int, int]
) -> None:
    """A dark card under the face (above it where there is no room): label, bars, fusion weights."""
    height, width = canvas.shape[:2]
    scale = max(0.4, min(height, width) / 900)
    line = round(30 * scale)  # one row of text, in pixels
    bar, gap = max(3, line // 4), max(3, line // 4)
    label = f"{estimate.top_label} {estimate.confidence:.0%}"
    shares = _fusion_texts(estimate)
    small = scale * 0.8
    wanted = max(_text_width(label, scale), _text_width("  ".join(shares), small))
    card_w = max(round(box.width), wanted + 2 * gap)
    card_h = line + bar + gap + (bar + line if shares else 0)
    x = min(max(0, round(box.x1)), max(0, width - card_w))
    below = round(box.y2) + 2
    y = below if below + card_h <= height else max(0, round(box.y1) - card_h - 2)
    _darken(canvas, x, y, card_w, card_h)

    left, right = x + gap, x + card_w - gap
    _text(canvas, label, left, y + round(line * 0.75), scale, color)
    y += line
    _bar(canvas, left, right, y, bar, estimate.confidence, color, (70, 70, 70))
    if not shares:
        return
    y += bar + gap
    _bar(canvas, left, right, y, bar, estimate.lambda_face, _FACE_BAR, _CONTEXT_BAR)
    base = y + bar + round(line * 0.7)
    _text(canvas, shares[0], left, base, small, _FACE_BAR)
    _text(canvas, shares[1], right - _text_width(shares[1], small), base, small, _CONTEXT_BAR)


def _fusion_texts(estimate: EmotionEstimate) -> tuple[str, ...]:
    if math.isnan(estimate.lambda_face):
        return ()
    return f"face {estimate.lambda_face:.0%}", f"scene {estimate.lambda_context:.0%}"


def _text_width(text: str, scale: float) -> int:
    return int(cv2.getTextSize(text, _FONT, scale, 1)[0][0])


def _text(
    canvas: np.ndarray, text: str, x: int, base: int, scale: float, color: tuple[int, int, int]
) -> None:
    cv2.putText(canvas, text, (x, base), _FONT, scale, color, 1, cv2.LINE_AA)


def _bar(
    canvas: np.ndarray,
    left: int,
    right: int,
    top: int,
    height: int,
    share: float,
    color: tuple[int, int, int],
    rest: tuple[int, int, int],
) -> None:
    """A bar of which `share`, from the left, has `color` and the rest has `rest`."""
    split = left + round((right - left) * share)
    canvas[top : top + height, left:right] = rest
    canvas[top : top + height, left:split] = color


def _darken(canvas: np.ndarray, x: int, y: int, width: int, height: int) -> None:
    part = canvas[y : y + height, x : x + width]
    part[:] = part // 4


def _pixels(box: Box, width: int, height: int) -> tuple[slice, slice]:
    x1, y1 = max(0, math.floor(box.x1)), max(0, math.floor(box.y1))
    return slice(y1, min(height, math.ceil(box.y2))), slice(x1, min(width, math.ceil(box.x2)))
