"""EMOTIC's 26 categories and three dimensions for people in drawn scenes: a table of our own.

Invented so that a reader, a loader and a network for EMOTIC can be tried; people's answers about
photographs are another matter. A person has the categories of

- the emotion: always two (`OF_EMOTION`);
- the thing that lies planted in the scene: at most one (`OF_THING`), whatever the emotion is;
- the posture: Confidence if upright, Fatigue if slumped;
- the company: Esteem beside somebody Happy, Sympathy beside somebody Sad.

Together they reach all 26. Valence, arousal and dominance go from 1 to 10, as in EMOTIC.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from caer_ros.core import EMOTIC26
from caer_ros.datasets.scenes.draw import Scene

OF_EMOTION: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "Anger": ("Anger", "Annoyance"),
        "Disgust": ("Aversion", "Disapproval"),
        "Fear": ("Fear", "Disquietment"),
        "Happy": ("Happiness", "Pleasure"),
        "Neutral": ("Disconnection", "Peace"),
        "Sad": ("Sadness", "Suffering"),
        "Surprise": ("Doubt/Confusion", "Surprise"),
    }
)

OF_THING: Mapping[str, str] = MappingProxyType(
    {
        "broken_vase": "Annoyance",
        "flame": "Pain",
        "bomb": "Disquietment",
        "bin_of_rubbish": "Embarrassment",
        "rotten_apple": "Aversion",
        "slime": "Embarrassment",
        "spider": "Disquietment",
        "ghost": "Anticipation",
        "skull": "Pain",
        "cake": "Affection",
        "balloons": "Excitement",
        "ice_cream": "Yearning",
        "mug": "Fatigue",
        "clock": "Anticipation",
        "laptop": "Engagement",
        "gravestone": "Sympathy",
        "rain_cloud": "Fatigue",
        "broken_heart": "Sensitivity",
        "gift": "Anticipation",
        "firework": "Excitement",
        "exclamation": "Engagement",
    }
)

# Valence, arousal, dominance.
VAD: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "Anger": (3.0, 8.0, 7.5),
        "Disgust": (3.0, 6.0, 6.0),
        "Fear": (2.5, 8.0, 2.5),
        "Happy": (8.5, 6.5, 7.0),
        "Neutral": (5.5, 3.5, 5.5),
        "Sad": (2.5, 3.0, 3.0),
        "Surprise": (6.0, 8.0, 4.5),
    }
)


def categories_of(scene: Scene, person: int) -> tuple[str, ...]:
    """Categories of one person of a scene (0 is the subject), in the order of EMOTIC26."""
    found = set(OF_EMOTION[scene.expressions[person].label])
    if scene.object_name is not None:
        found.add(OF_THING[scene.object_name])
    slump = scene.actors[person].posture.slump
    if slump < 0.2:
        found.add("Confidence")
    elif slump > 0.8:
        found.add("Fatigue")
    company = {e.label for k, e in enumerate(scene.expressions) if k != person}
    if "Happy" in company:
        found.add("Esteem")
    if "Sad" in company:
        found.add("Sympathy")
    return tuple(name for name in EMOTIC26 if name in found)
