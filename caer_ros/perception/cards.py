"""What the overlay writes beside a person: emotions with their bars, and what they come from."""

from __future__ import annotations

import math

import cv2
import numpy as np

from caer_ros.core import Box, EmotionEstimate

# BGR; one colour an emotion, by its lower-case name, so that two models of one emotion look alike.
_COLORS = {
    "anger": (60, 60, 230),
    "disgust": (60, 160, 60),
    "fear": (190, 80, 170),
    "happy": (60, 205, 250),
    "happiness": (60, 205, 250),
    "neutral": (190, 190, 190),
    "sad": (230, 140, 60),
    "sadness": (230, 140, 60),
    "surprise": (80, 150, 250),
}
OTHER = (220, 220, 90)
_FACE_BAR, _CONTEXT_BAR = (250, 200, 90), (120, 90, 230)
_MOST_LABELS = 3
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def emotion_color(label: str) -> tuple[int, int, int]:
    """BGR colour of an emotion label."""
    return _COLORS.get(label.lower(), OTHER)


def draw_card(
    canvas: np.ndarray, box: Box, estimate: EmotionEstimate, color: tuple[int, int, int]
) -> None:
    """A dark card under the face (above it where there is no room): label, bars, fusion weights."""
    height, width = canvas.shape[:2]
    scale, line, bar, gap = _measures(canvas)
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


def draw_list(canvas: np.ndarray, box: Box, estimate: EmotionEstimate) -> None:
    """Up to three emotions, each with its bar, and valence, arousal, dominance where there are.

    A dark card at the lower edge of the box, inside, where it hides legs and no face; of a small
    person only the strongest emotion.
    """
    height, width = canvas.shape[:2]
    scale, line, bar, gap = _measures(canvas)
    count = min(max(1, int(box.height // (4 * line))), _MOST_LABELS)
    order = estimate.probabilities.argsort()[::-1][:count]
    rows = [
        (f"{estimate.labels[i]} {estimate.probabilities[i]:.0%}", float(estimate.probabilities[i]))
        for i in order
    ]
    affect = _affect_text(estimate) if count > 1 else ""
    small = scale * 0.8
    wanted = max(_text_width(affect, small), *(_text_width(text, scale) for text, _ in rows))
    card_w, card_h = wanted + 2 * gap, len(rows) * (line + bar) + gap + (line if affect else 0)
    x = min(max(0, round(box.x1)), max(0, width - card_w))
    y = max(0, min(round(box.y2), height) - card_h)
    _darken(canvas, x, y, card_w, card_h)
    left, right = x + gap, x + card_w - gap
    for (text, share), index in zip(rows, order, strict=True):
        color = emotion_color(estimate.labels[index])
        _text(canvas, text, left, y + round(line * 0.75), scale, color)
        _bar(canvas, left, right, y + line, bar, share, color, (70, 70, 70))
        y += line + bar
    if affect:
        _text(canvas, affect, left, y + round(line * 0.75), small, OTHER)


def _measures(canvas: np.ndarray) -> tuple[float, int, int, int]:
    """Font scale, and pixels of a row of text, of a bar and of a gap."""
    scale = max(0.4, min(canvas.shape[:2]) / 900)
    line = round(30 * scale)
    return scale, line, max(3, line // 4), max(3, line // 4)


def _affect_text(estimate: EmotionEstimate) -> str:
    if math.isnan(estimate.valence):
        return ""
    return f"V {estimate.valence:+.1f} A {estimate.arousal:+.1f} D {estimate.dominance:+.1f}"


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
