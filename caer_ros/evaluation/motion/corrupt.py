"""Clips made worse in ways that robots know, each in three strengths, the same for the same seed.

The dice are thrown alike at every strength and then multiplied, so that a stronger corruption is
the same one, only more of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from caer_ros.core import InputError
from caer_ros.evaluation.motion import movement, pixels
from caer_ros.evaluation.motion.footage import Footage

STRENGTHS = (1, 2, 3)


@dataclass(frozen=True)
class Kind:
    """A way of making clips worse.

    Attributes:
        change: (footage, amount, dice) -> footage; amount 0 changes nothing.
        amounts: at strengths 1, 2 and 3.
        unit: what an amount is, in words.
    """

    change: Callable[[Footage, float, np.random.Generator], Footage]
    amounts: tuple[float, float, float]
    unit: str


def drop(footage: Footage, amount: float, rng: np.random.Generator) -> Footage:
    """Frames that never come, each with probability `amount`; the first one always does."""
    stays = rng.random(len(footage)) >= amount
    stays[0] = True
    return footage.taken([int(place) for place in np.flatnonzero(stays)])


KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        "camera": Kind(movement.camera, (0.01, 0.03, 0.06), "of the frame's shorter side"),
        "head": Kind(movement.heads, (0.05, 0.1, 0.2), "of the face"),
        "boxes": Kind(movement.boxes, (0.03, 0.07, 0.15), "of the face"),
        "blur": Kind(pixels.blur, (0.08, 0.16, 0.32), "of the face"),
        "flicker": Kind(pixels.flicker, (0.2, 0.4, 0.8), "stops"),
        "noise": Kind(pixels.noise, (8.0, 16.0, 32.0), "grey levels"),
        "dropped": Kind(drop, (0.1, 0.3, 0.5), "of the frames"),
    }
)


def corrupt(footage: Footage, kind: str, strength: int, seed: int) -> Footage:
    """A clip made worse.

    Args:
        kind: one of KINDS.
        strength: 0 (nothing changes), 1, 2 or 3.
        seed: of the dice, with `kind`; another one for each clip.

    Raises:
        InputError: no such kind or strength.
    """
    if kind not in KINDS:
        raise InputError(f"There is no corruption '{kind}'.", f"Use {', '.join(KINDS)}.")
    if strength not in (0, *STRENGTHS):
        raise InputError(f"The strength is {strength}.", "Use 0, 1, 2 or 3.")
    if strength == 0:
        return footage
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    found = KINDS[kind]
    return found.change(footage, found.amounts[strength - 1], rng)
