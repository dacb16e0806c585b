"""Which shots become clips (CAER-Net section 4.1, Fig. 5: no face and crowds are dropped).

The paper gives no thresholds but the lengths that came out: "short (around 30 frames) to longer
clips (more than 120 frames)". Ambiguous shots, which it drops too, are left to the annotators: they
find no majority.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from caer_ros.core import Box, InputError
from caer_ros.datasets.tracks import Track, join_tracks


@dataclass(frozen=True)
class Rules:
    """Thresholds.

    min_seconds, max_seconds: shorter shots are dropped, longer ones cut into equal clips.
    least_seen: share of the looks at which one person's face must be found, else there is no face.
    most_people: a shot with more faces than this, at the median look, is a crowd.

    Raises:
        InputError: out of range.
    """

    min_seconds: float = 1.0
    max_seconds: float = 5.0
    least_seen: float = 0.5
    most_people: int = 4

    def __post_init__(self) -> None:
        if not 0 < 2 * self.min_seconds <= self.max_seconds:
            raise InputError(
                f"Clips of {self.min_seconds:g} to {self.max_seconds:g} s can not be cut.",
                "The longest must be at least twice the shortest.",
            )
        if not 0 < self.least_seen <= 1 or self.most_people < 1:
            raise InputError(
                f"least_seen {self.least_seen:g} or most_people {self.most_people} is out of "
                "range.",
                "Use above 0 to 1, and 1 or more.",
            )


@dataclass(frozen=True)
class Choice:
    """`reason` why the shot was dropped, empty where it is kept; the subject; median people."""

    reason: str
    subject: Track | None
    people: float


def choose(frames: Mapping[int, tuple[Box, ...]], rules: Rules) -> Choice:
    """Judge one shot by the faces of the frames that were looked at.

    The subject is the person seen longest; of equals, the one whom the detector is surest of.
    """
    people = float(np.median([len(faces) for faces in frames.values()])) if frames else 0.0
    tracks = join_tracks(frames)
    if not tracks:
        return Choice("no face", None, people)
    if people > rules.most_people:
        return Choice("crowd", None, people)
    subject = max(tracks, key=lambda track: (len(track.boxes), track.score))
    if len(subject.boxes) < rules.least_seen * len(frames):
        return Choice("no face for long enough", None, people)
    return Choice("", subject, people)
