"""How people are named and coloured where a viewer draws them."""

from __future__ import annotations

from caer_ros.core import EmotionEstimate, PersonEmotion
from caer_ros.perception.palette import estimate_color

_MOST_LABELS = 3


def caption(person: PersonEmotion) -> str:
    """`p1 Happy 98%`: id and top emotion of the first estimate, as far as there are any.

    Where its model has thresholds `p1 Anger 80%, Peace 60%`: up to three emotions that reach
    theirs, the largest margin first; the id alone where none does.
    """
    words = [person.track_id] if person.track_id else []
    if person.estimates:
        words += [_emotions(person.estimates[0])]
    return " ".join(word for word in words if word)


def color_of(person: PersonEmotion) -> tuple[float, float, float]:
    """Red, green and blue of the first estimate, see `estimate_color`, each in [0, 1]."""
    bgr = estimate_color(person.estimates[0] if person.estimates else None)
    blue, green, red = (value / 255 for value in bgr)
    return red, green, blue


def _emotions(estimate: EmotionEstimate) -> str:
    if estimate.thresholds is None:
        return f"{estimate.top_label} {estimate.confidence:.0%}"
    named = estimate.order()[:_MOST_LABELS]
    return ", ".join(f"{estimate.labels[i]} {estimate.probabilities[i]:.0%}" for i in named)
