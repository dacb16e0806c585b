"""Facial expressions as a few continuous movements, one prototype an emotion, and their blends.

The movements are named after the action units of the Facial Action Coding System that they stand
for; prototypes follow the same EMFACS table as `datasets/expressions.py`. A cartoon: nothing here
says what a person who feels something looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from caer_ros.core import CAER7, InputError

# Each in [-1, 1]; those marked * never fall below 0.
MOVEMENTS = (
    "brow_inner",  # AU1 up, AU4 down
    "brow_outer",  # AU2 up
    "furrow",  # AU4: brows together, with two creases *
    "lid",  # AU5 upper lid up, below 0 it droops
    "squint",  # AU7: lower lid up *
    "nose",  # AU9: wrinkles over the nose *
    "cheek",  # AU6: cheeks up *
    "corner",  # AU12 mouth corners up, AU15 down
    "width",  # AU20 mouth stretched, AU18 narrowed
    "open",  # AU26: jaw *
    "teeth",  # lips apart over teeth *
    "upper_lip",  # AU10: upper lip up *
    "lower_lip",  # AU17: lower lip pushed up and out *
    "tongue",  # AU19 *
)

_SIGNED = ("brow_inner", "brow_outer", "lid", "corner", "width")
_LOW = np.array([-1.0 if name in _SIGNED else 0.0 for name in MOVEMENTS])


def _face(**moved: float) -> np.ndarray:
    face = np.array([moved.get(name, 0.0) for name in MOVEMENTS])
    face.setflags(write=False)
    return face


PROTOTYPES: Mapping[str, np.ndarray] = MappingProxyType(
    {
        "Anger": _face(
            brow_inner=-1,
            brow_outer=0.25,
            furrow=1,
            lid=0.25,
            squint=0.55,
            corner=-0.55,
            width=0.35,
            open=0.2,
            teeth=1,
        ),
        "Disgust": _face(
            brow_inner=-0.55,
            brow_outer=-0.3,
            furrow=0.5,
            lid=-0.3,
            squint=0.75,
            nose=1,
            cheek=0.4,
            corner=-0.5,
            width=-0.1,
            open=0.3,
            upper_lip=1,
            tongue=1,
        ),
        "Fear": _face(
            brow_inner=1,
            brow_outer=0.1,
            furrow=0.45,
            lid=1,
            corner=-0.75,
            width=0.75,
            open=0.35,
            teeth=0.45,
        ),
        "Happy": _face(
            brow_inner=0.2,
            brow_outer=0.2,
            squint=0.4,
            cheek=1,
            corner=1,
            width=0.45,
            open=0.35,
            teeth=0.85,
        ),
        "Neutral": _face(),
        "Sad": _face(
            brow_inner=0.9, brow_outer=-0.75, lid=-0.5, corner=-1, width=-0.1, lower_lip=1
        ),
        "Surprise": _face(brow_inner=0.9, brow_outer=1, lid=1, width=-0.55, open=1),
    }
)
"""Emotion -> movements, float64 [14], read-only."""

# Neighbours are hard to tell apart: each emotion is confused with the one before and the one after.
# A ring, because it treats all seven alike: every emotion has two confusers and every pair is
# equally frequent, so chance levels do not depend on the class.
RING = ("Fear", "Surprise", "Happy", "Neutral", "Sad", "Disgust", "Anger")
PAIRS = tuple((RING[i], RING[(i + 1) % len(RING)]) for i in range(len(RING)))


def confusers(label: str) -> tuple[str, str]:
    """The two emotions that an ambiguous face of `label` may be blended with.

    Raises:
        InputError: `label` is no emotion of CAER.
    """
    check_label(label)
    place = RING.index(label)
    return RING[place - 1], RING[(place + 1) % len(RING)]


def check_label(label: str) -> None:
    """Raise InputError unless `label` is one of CAER7."""
    if label not in CAER7:
        raise InputError(f"'{label}' is no emotion of CAER.", f"Use one of {', '.join(CAER7)}.")


def draw_blend(ambiguity: float, rng: np.random.Generator) -> float:
    """Share of the confuser in a face: `ambiguity` times a triangular draw on [0, 1].

    At ambiguity 0 it is 0: the pure prototype. At 1 it is spread round one half in the same way
    seen from either emotion, so the face does not tell which of the two is meant. See ceilings.py.
    """
    return ambiguity * float(rng.random() + rng.random()) / 2


def blend_face(label: str, confuser: str, share: float) -> np.ndarray:
    """Movements of `label` with `share` (0 to 1) of `confuser`, float64 [14]."""
    return (1 - share) * PROTOTYPES[label] + share * PROTOTYPES[confuser]


def with_habit(face: np.ndarray, habit: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """A face at `strength` (0 rest, 1 apex) plus what the person's face does anyway, clipped."""
    return np.clip(face * strength + habit, _LOW, 1.0)


def draw_habit(rng: np.random.Generator, spread: float) -> np.ndarray:
    """Movements that have nothing to do with the emotion, float64 [14] with deviation `spread`."""
    return rng.normal(0, 1, len(MOVEMENTS)) * spread
