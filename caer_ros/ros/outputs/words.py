"""How people are named and coloured where a viewer draws them."""

from __future__ import annotations

from caer_ros.core import PersonEmotion
from caer_ros.perception.palette import OTHER, emotion_color


def caption(person: PersonEmotion) -> str:
    """`p1 Happy 98%`: id and top emotion of the first estimate, as far as there are any."""
    words = [person.track_id] if person.track_id else []
    if person.estimates:
        estimate = person.estimates[0]
        words.append(f"{estimate.top_label} {estimate.confidence:.0%}")
    return " ".join(words)


def color_of(person: PersonEmotion) -> tuple[float, float, float]:
    """Red, green and blue of the top emotion, each in [0, 1]."""
    bgr = emotion_color(person.estimates[0].top_label) if person.estimates else OTHER
    blue, green, red = (value / 255 for value in bgr)
    return red, green, blue
