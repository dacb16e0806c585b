"""Our labels as the words of hri_msgs/Expression (REP 155)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from caer_ros.core import PersonEmotion

# The message's vocabulary is closed: labels that are not here have no word in it.
_WORDS = {
    "anger": "angry",
    "annoyance": "annoyed",
    "aversion": "disgusted",
    "disgust": "disgusted",
    "disconnection": "bored",
    "doubt/confusion": "confused",
    "embarrassment": "embarrassed",
    "excitement": "excited",
    "fatigue": "tired",
    "fear": "scared",
    "happy": "happy",
    "happiness": "happy",
    "pleasure": "happy",
    "affection": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "sadness": "sad",
    "suffering": "despaired",
    "pain": "despaired",
    "sensitivity": "vulnerable",
    "surprise": "surprised",
}


@dataclass(frozen=True)
class Expression:
    """A word of hri_msgs/Expression, and numbers: confidence in [0, 1], the others in [-1, 1]."""

    word: str
    confidence: float
    valence: float
    arousal: float


def expression_of(person: PersonEmotion) -> Expression | None:
    """How the person's face looks, or None where no label of any estimate has a word.

    The first estimate counts that has a label with a word: its top label where that has one, else
    its likeliest that has. Of a model with thresholds the label counts that is farthest above its
    own, and none that is below. Valence and arousal are the first that any estimate has, and 0
    where none has: the message knows no "not estimated".
    """
    valence, arousal = _affect(person)
    for estimate in person.estimates:
        order = estimate.order().tolist()
        if estimate.thresholds is None:
            order = [estimate.labels.index(estimate.top_label), *order]
        for index in order:
            word = _WORDS.get(estimate.labels[index].lower())
            if word is not None:
                confidence = float(estimate.probabilities[index])
                return Expression(word, confidence, valence, arousal)
    return None


def _affect(person: PersonEmotion) -> tuple[float, float]:
    for estimate in person.estimates:
        if not math.isnan(estimate.valence) and not math.isnan(estimate.arousal):
            return float(estimate.valence), float(estimate.arousal)
    return 0.0, 0.0
