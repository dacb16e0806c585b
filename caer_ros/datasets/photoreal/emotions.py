"""Draws a face for an emotion: a prototype, how strong, how lopsided, and what else stirs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from caer_ros.core import CAER7
from caer_ros.datasets.photoreal.prototypes import PROTOTYPES

_PAIRED_NOISE = (
    "browDown", "browInnerUp", "browOuterUp", "eyeSquint", "mouthDimple", "mouthSmile",
    "mouthFrown", "mouthPress", "cheekSquint", "noseSneer", "eyeWide",
)  # fmt: skip
_SINGLE_NOISE = ("jawOpen", "jawLeft", "jawRight", "mouthLeft", "mouthRight", "mouthPucker",
                 "jawForward", "mouthRollLower", "mouthRollUpper")  # fmt: skip
# Mouth shapes of speech, laid weakly over a face that does not need its mouth.
SPEECH = (
    {"jawOpen": 0.3}, {"mouthFunnel": 0.5, "jawOpen": 0.15}, {"mouthPucker": 0.6},
    {"mouthStretch": 0.4, "jawOpen": 0.12}, {"mouthLowerDown": 0.4, "jawOpen": 0.1},
    {"mouthRollLower": 0.5}, {"mouthUpperUp": 0.2, "jawOpen": 0.15},
)  # fmt: skip


def sample_face(
    label: str, rng: np.random.Generator, names: Mapping[str, object]
) -> dict[str, float]:
    """Shape weights for one posed face of `label` (one of CAER7): name -> -1.2 to 1.4.

    `names` are the shapes that the face model has.

    Raises:
        ValueError: no such label.
    """
    weights = pose_face(label, rng, names)
    if rng.random() < (0.25 if label == "Neutral" else 0.12):
        strength = rng.uniform(0.2, 0.8)
        for shape, amount in SPEECH[int(rng.integers(len(SPEECH)))].items():
            add_shape(weights, names, shape, strength * amount, 0.1, rng)
    blink = rng.uniform(0.5, 1.0) if rng.random() < 0.03 else abs(rng.normal(0, 0.06))
    add_shape(weights, names, "eyeBlink", blink, 0.05, rng)
    return weights


def pose_face(
    label: str, rng: np.random.Generator, names: Mapping[str, object]
) -> dict[str, float]:
    """As `sample_face`, of somebody who neither speaks nor blinks."""
    if label not in CAER7:
        raise ValueError(f"no recipe for '{label}'")
    weights: dict[str, float] = {}
    prototypes = PROTOTYPES[label]
    recipe = prototypes[int(rng.integers(len(prototypes)))]
    intensity = 0.3 + 0.7 * rng.beta(4.5, 1.0)
    uneven = rng.uniform(0, 0.18)
    for shape, (low, high) in recipe.items():
        amount = intensity * rng.uniform(low, high)
        add_shape(weights, names, "eyeBlink" if shape == "_lids" else shape, amount, uneven, rng)
    noise = 0.05 if label != "Neutral" else 0.06
    for shape in _PAIRED_NOISE + _SINGLE_NOISE:
        add_shape(weights, names, shape, abs(rng.normal(0, noise)), 0.3, rng)
    return weights


def add_shape(
    weights: dict[str, float],
    names: Mapping[str, object],
    shape: str,
    amount: float,
    uneven: float,
    rng: np.random.Generator,
) -> None:
    """Add `amount` of a shape, of both sides where it has two, in place; sides differ by chance
    with the deviation `uneven`."""
    for key in [shape] if shape in names else [f"{shape}_L", f"{shape}_R"]:
        share = float(np.clip(rng.normal(1, uneven), 0.4, 1.5))
        weights[key] = float(np.clip(weights.get(key, 0.0) + amount * share, -1.2, 1.4))
