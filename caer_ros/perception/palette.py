"""Colours of the overlay: one an emotion, alike in pictures, markers and annotations."""

from __future__ import annotations

from caer_ros.core import EmotionEstimate

Color = tuple[int, int, int]

# BGR. Emotions that are near each other have one colour, so that two models' words look alike.
_FAMILIES: dict[Color, tuple[str, ...]] = {
    (60, 60, 230): ("anger", "annoyance", "disapproval"),
    (60, 160, 60): ("disgust", "aversion"),
    (190, 80, 170): ("fear", "disquietment", "embarrassment"),
    (60, 205, 250): ("happy", "happiness", "pleasure", "affection", "excitement"),
    (190, 190, 190): ("neutral", "peace", "disconnection", "fatigue"),
    (230, 140, 60): ("sad", "sadness", "suffering", "pain"),
    (80, 150, 250): ("surprise", "anticipation", "doubt/confusion"),
}
_COLORS = {label: color for color, labels in _FAMILIES.items() for label in labels}

OTHER: Color = (220, 220, 90)
FACE_BAR: Color = (250, 200, 90)
CONTEXT_BAR: Color = (120, 90, 230)
REST: Color = (70, 70, 70)


def emotion_color(label: str) -> Color:
    """BGR colour of an emotion label, in [0, 255]."""
    return _COLORS.get(label.lower(), OTHER)


def estimate_color(estimate: EmotionEstimate | None) -> Color:
    """BGR colour of somebody: of the top label, or where the model has thresholds of the label that
    is farthest above its own. OTHER where there is none."""
    if estimate is None:
        return OTHER
    if estimate.thresholds is None:
        return emotion_color(estimate.top_label)
    order = estimate.order()
    return emotion_color(estimate.labels[order[0]]) if len(order) else OTHER
