"""What the overlay writes beside a person: emotions with their bars, and what they come from."""

from __future__ import annotations

import math

import numpy as np

from caer_ros.core import Box, EmotionEstimate
from caer_ros.perception.palette import CONTEXT_BAR, FACE_BAR, OTHER, REST, Color, emotion_color
from caer_ros.perception.pen import Measures, darken, draw_bar, measures, text_width, write

_MOST_LABELS = 3
# Faces lower than this many rows of text have a label only: cards of a crowd hide each other.
_ROWS_FOR_BARS = 3
_SMALL, _CROWD = 0.8, 0.55


def draw_card(canvas: np.ndarray, box: Box, estimate: EmotionEstimate, color: Color) -> None:
    """A dark card under the face (above it where there is no room): label, bars, fusion weights.

    A small face has its label only.
    """
    full = _has_room(canvas, box)
    size = measures(canvas, 1.0 if full else _CROWD)
    label = f"{estimate.top_label} {estimate.confidence:.0%}"
    shares = _fusion_texts(estimate) if full else ()
    small = size.scale * _SMALL
    wanted = max(text_width(label, size.scale), text_width("  ".join(shares), small))
    card_w = max(round(box.width), wanted + 2 * size.gap)
    card_h = size.line + (size.bar + size.gap if full else 0)
    card_h += size.bar + size.line if shares else 0
    x, y = _beside(canvas, box, card_w, card_h)
    darken(canvas, x, y, card_w, card_h)

    left, right = x + size.gap, x + card_w - size.gap
    write(canvas, label, left, y + round(size.line * 0.75), size.scale, color)
    if full:
        y += size.line
        draw_bar(canvas, left, right, y, size.bar, estimate.confidence, color, REST)
    if shares:
        y += size.bar + size.gap
        _fusion_bar(canvas, left, right, y, size, estimate.lambda_face, shares)


def draw_list(canvas: np.ndarray, box: Box, estimate: EmotionEstimate) -> None:
    """Up to three emotions, each with its bar, and valence, arousal, dominance where there are.

    A dark card at the lower edge of the box, inside, where it hides legs and no face; of a small
    person only the first emotion. Where the model has thresholds, emotions that do not reach theirs
    are left out; where none does and nothing else is to be told, there is no card.
    """
    height, width = canvas.shape[:2]
    size = measures(canvas)
    count = min(max(1, int(box.height // (4 * size.line))), _MOST_LABELS)
    order = estimate.order()[:count]
    rows = [
        (f"{estimate.labels[i]} {estimate.probabilities[i]:.0%}", float(estimate.probabilities[i]))
        for i in order
    ]
    affect = _affect_text(estimate) if count > 1 else ""
    if not rows and not affect:
        return
    small = size.scale * _SMALL
    wanted = max([text_width(affect, small), *(text_width(text, size.scale) for text, _ in rows)])
    card_w = wanted + 2 * size.gap
    card_h = len(rows) * (size.line + size.bar) + size.gap + (size.line if affect else 0)
    x = min(max(0, round(box.x1)), max(0, width - card_w))
    y = max(0, min(round(box.y2), height) - card_h)
    darken(canvas, x, y, card_w, card_h)
    left, right = x + size.gap, x + card_w - size.gap
    for (text, share), index in zip(rows, order, strict=True):
        color = emotion_color(estimate.labels[index])
        write(canvas, text, left, y + round(size.line * 0.75), size.scale, color)
        draw_bar(canvas, left, right, y + size.line, size.bar, share, color, REST)
        y += size.line + size.bar
    if affect:
        write(canvas, affect, left, y + round(size.line * 0.75), small, OTHER)


def draw_id(canvas: np.ndarray, box: Box, track_id: str, color: Color) -> None:
    """The id on a tag over the box's upper left corner; inside it where there is no room."""
    size = measures(canvas, _SMALL if _has_room(canvas, box) else _CROWD)
    tag_w, tag_h = text_width(track_id, size.scale) + 2 * size.gap, size.line
    height, width = canvas.shape[:2]
    x = min(max(0, round(box.x1)), max(0, width - tag_w))
    y = round(box.y1) - tag_h
    y = y if y >= 0 else max(0, min(round(box.y1), height - tag_h))
    canvas[y : y + tag_h, x : x + tag_w] = color
    write(canvas, track_id, x + size.gap, y + round(tag_h * 0.75), size.scale, (25, 25, 25))


def _has_room(canvas: np.ndarray, box: Box) -> bool:
    return box.height >= _ROWS_FOR_BARS * measures(canvas).line


def _beside(canvas: np.ndarray, box: Box, card_w: int, card_h: int) -> tuple[int, int]:
    """Upper left corner of a card under the box, over it where there is no room, in the canvas."""
    height, width = canvas.shape[:2]
    x = min(max(0, round(box.x1)), max(0, width - card_w))
    below = round(box.y2) + 2
    if below + card_h <= height:
        return x, max(0, below)
    return x, min(max(0, round(box.y1) - card_h - 2), max(0, height - card_h))


def _fusion_bar(
    canvas: np.ndarray,
    left: int,
    right: int,
    top: int,
    size: Measures,
    share: float,
    texts: tuple[str, ...],
) -> None:
    """What face and scene weighed: a bar of two colours, and the same as words under it."""
    draw_bar(canvas, left, right, top, size.bar, share, FACE_BAR, CONTEXT_BAR)
    small = size.scale * _SMALL
    base = top + size.bar + round(size.line * 0.7)
    write(canvas, texts[0], left, base, small, FACE_BAR)
    write(canvas, texts[1], right - text_width(texts[1], small), base, small, CONTEXT_BAR)


def _affect_text(estimate: EmotionEstimate) -> str:
    if math.isnan(estimate.valence):
        return ""
    return f"V {estimate.valence:+.1f} A {estimate.arousal:+.1f} D {estimate.dominance:+.1f}"


def _fusion_texts(estimate: EmotionEstimate) -> tuple[str, ...]:
    if math.isnan(estimate.lambda_face) or math.isnan(estimate.lambda_context):
        return ()
    return f"face {estimate.lambda_face:.0%}", f"scene {estimate.lambda_context:.0%}"
