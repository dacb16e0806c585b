"""Faces that go with each emotion, as ranges of ICT-FaceKit shape weights.

Written after the action units that the Facial Action Coding System's emotion tables (EMFACS) list:
Anger 4+5+7+23, Disgust 9+10+4, Fear 1+2+4+5+20+26, Happy 6+12, Sad 1+4+15, Surprise 1+2+5+26.
A recipe is what a posed face looks like, not what anybody feels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from caer_ros.core import CAER7

Range = tuple[float, float]

# Names without _L/_R are drawn once and given to both sides, with some asymmetry.
RECIPES: Mapping[str, Mapping[str, Range]] = {
    "Anger": {
        "browDown": (0.7, 1.0),
        "eyeSquint": (0.2, 0.7),
        "eyeWide": (0.0, 0.3),
        "noseSneer": (0.1, 0.5),
        "mouthPress": (0.2, 0.9),
        "mouthFrown": (0.1, 0.5),
        "mouthStretch": (0.0, 0.3),
        "jawOpen": (0.0, 0.15),
    },
    "Disgust": {
        "noseSneer": (0.7, 1.0),
        "mouthUpperUp": (0.4, 0.9),
        "browDown": (0.2, 0.7),
        "eyeSquint": (0.3, 0.8),
        "mouthFrown": (0.1, 0.5),
        "cheekSquint": (0.2, 0.7),
    },
    "Fear": {
        "browInnerUp": (0.7, 1.0),
        "browOuterUp": (0.1, 0.5),
        "browDown": (0.0, 0.3),
        "eyeWide": (0.7, 1.0),
        "mouthStretch": (0.5, 1.0),
        "jawOpen": (0.1, 0.35),
        "mouthLowerDown": (0.2, 0.6),
    },
    "Happy": {
        "mouthSmile": (0.6, 1.0),
        "cheekSquint": (0.4, 1.0),
        "eyeSquint": (0.1, 0.5),
        "mouthDimple": (0.0, 0.3),
        "mouthUpperUp": (0.0, 0.5),
        "jawOpen": (0.0, 0.3),
    },
    "Neutral": {},
    "Sad": {
        "browInnerUp": (0.6, 1.0),
        "browDown": (0.0, 0.25),
        "mouthFrown": (0.6, 1.0),
        "mouthShrugLower": (0.2, 0.7),
        "eyeBlink": (0.1, 0.4),
        "eyeLookDown": (0.1, 0.5),
    },
    "Surprise": {
        "browInnerUp": (0.7, 1.0),
        "browOuterUp": (0.7, 1.0),
        "eyeWide": (0.5, 1.0),
        "jawOpen": (0.35, 0.9),
        "mouthFunnel": (0.0, 0.3),
    },
}

_PAIRED_NOISE = ("browDown", "browInnerUp", "browOuterUp", "eyeSquint", "mouthDimple", "mouthSmile")
_SINGLE_NOISE = ("jawOpen", "jawLeft", "jawRight", "mouthLeft", "mouthRight", "mouthPucker")


def sample_expression(
    label: str, rng: np.random.Generator, names: Mapping[str, object]
) -> dict[str, float]:
    """Shape weights in [0, 1] for one posed face of `label` (one of CAER7).

    `names` are the shapes that the face model has. Intensity is at least 0.6, so a label stays
    recognisable; every face also gets small unrelated movements, a blink and a gaze.
    """
    if label not in CAER7:
        raise ValueError(f"no recipe for '{label}'")
    weights: dict[str, float] = {}
    intensity = rng.uniform(0.6, 1.0)
    for shape, (low, high) in RECIPES[label].items():
        _add(weights, names, shape, intensity * rng.uniform(low, high), rng)
    for shape in _PAIRED_NOISE + _SINGLE_NOISE:
        _add(weights, names, shape, abs(rng.normal(0, 0.04)), rng)
    _add(weights, names, "eyeBlink", abs(rng.normal(0, 0.06)), rng)
    across, up = rng.normal(0, 0.2, 2)
    _add(weights, names, "eyeLookUp" if up > 0 else "eyeLookDown", abs(up), None)
    # To look sideways one eye turns in while the other turns out.
    left, right = ("In", "Out") if across > 0 else ("Out", "In")
    weights[f"eyeLook{left}_L"] = weights[f"eyeLook{right}_R"] = float(min(abs(across), 1.0))
    return weights


def _add(
    weights: dict[str, float],
    names: Mapping[str, object],
    shape: str,
    amount: float,
    rng: np.random.Generator | None,
) -> None:
    keys = [shape] if shape in names else [f"{shape}_L", f"{shape}_R"]
    for key in keys:
        uneven = 1.0 if rng is None else float(np.clip(rng.normal(1, 0.12), 0.6, 1.3))
        weights[key] = float(np.clip(weights.get(key, 0.0) + amount * uneven, 0.0, 1.0))
