"""The measure: every clip in every condition before all rivals, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from caer_ros.core import InputError
from caer_ros.evaluation.motion.corrupt import KINDS, STRENGTHS, corrupt
from caer_ros.evaluation.motion.footage import Footage
from caer_ros.evaluation.motion.material import Clips, open_footage
from caer_ros.evaluation.motion.rivals import CLIP, RIVALS, SMOOTHED, Rivals, Said
from caer_ros.evaluation.motion.stability import (
    Gain,
    Stability,
    gain,
    judged_frames,
    tally,
)

CLEAN = "clean"


@dataclass(frozen=True)
class Row:
    """One condition.

    Attributes:
        kind: one of KINDS, or `clean`.
        strength: 1, 2 or 3; 0 of `clean`.
        rivals: of each, in the order of RIVALS.
        gain: of the bare clip model over the smoothed static one, the fair rival.
    """

    kind: str
    strength: int
    rivals: dict[str, Stability]
    gain: Gain

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": self.kind,
            "strength": self.strength,
            "amount": KINDS[self.kind].amounts[self.strength - 1] if self.strength else 0.0,
            "unit": KINDS[self.kind].unit if self.strength else "",
            "rivals": {name: found.as_dict() for name, found in self.rivals.items()},
            "gain": self.gain.as_dict(),
        }


def conditions(kinds: Sequence[str]) -> list[tuple[str, int]]:
    """`clean` and then every kind in every strength.

    Raises:
        InputError: no such kind.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise InputError(f"There is no corruption '{unknown[0]}'.", f"Use {', '.join(KINDS)}.")
    return [(CLEAN, 0), *((kind, strength) for kind in kinds for strength in STRENGTHS)]


def measure(
    rivals: Rivals,
    clips: Clips,
    places: Sequence[int],
    frames: int,
    kinds: Sequence[str],
    seed: int = 0,
    tell: Callable[[], None] = lambda: None,
) -> list[Row]:
    """Ask all rivals about all clips in all conditions.

    Judged are the frames from the clip model's first answer in the clip as it is on, of which all
    rivals have said something: everybody is asked about the same ones.

    Args:
        places: which of `clips`.
        frames: of each clip.
        kinds: which corruptions.
        seed: of the corruptions' dice.
        tell: called after each clip in each condition.

    Raises:
        InputError: a clip can not be read, or is too short for the clip model.
    """
    wanted = conditions(kinds)
    heard: dict[tuple[str, int], list[tuple[Footage, dict[str, Said]]]] = {c: [] for c in wanted}
    for place in places:
        plain = open_footage(clips, place, rivals.clip_config.rate, frames)
        for kind, strength in wanted:
            shown = corrupt(plain, kind, strength, seed + place) if strength else plain
            heard[kind, strength].append((shown, rivals.ask(shown)))
            tell()
    labels = [int(clips.labels[place]) for place in places]
    first = rivals.clip_config.frames - 1
    return [_row(kind, strength, heard[kind, strength], labels, first) for kind, strength in wanted]


def _row(
    kind: str,
    strength: int,
    heard: Sequence[tuple[Footage, dict[str, Said]]],
    labels: Sequence[int],
    first: int,
) -> Row:
    judged = [judged_frames(list(by.values()), shown.ticks, first) for shown, by in heard]
    asked = [np.asarray(shown.ticks) >= first for shown, _ in heard]
    counts = {name: tally([by[name] for _, by in heard], labels, judged, asked) for name in RIVALS}
    return Row(
        kind,
        strength,
        {name: count.stability() for name, count in counts.items()},
        gain(counts[CLIP], counts[SMOOTHED]),
    )
