"""How people are followed through time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from caer_ros.core import InputError

# A name that ROS takes as part of a topic, /humans/faces/<id>, which must not begin with a digit.
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True)
class TrackerConfig:
    """What makes two boxes one person.

    Attributes:
        enabled: give ids; where not, ids stay empty.
        max_gap: re-entry time-out: seconds for which somebody who is not seen keeps his id.
        min_hits: sightings before somebody gets an id, a frame without him undoing one; 1 numbers
            every false alarm, too.
        min_iou: least overlap with the predicted box, in [0, 1].
        max_speed: how far from there a box that does not overlap may be, in sides of the box
            (square root of its area) for each second since the person was seen, two sides at most;
            0 asks for an overlap.
        max_tracks: tracks of each kind of box that are kept; those seen last.
        prefix: what ids begin with; give every camera its own.

    Raises:
        InputError: out of range.
    """

    enabled: bool = True
    max_gap: float = 2.0
    min_hits: int = 2
    min_iou: float = 0.2
    max_speed: float = 3.0
    max_tracks: int = 256
    prefix: str = "p"

    def __post_init__(self) -> None:
        ranges = {
            "max_gap": (0.05, 60.0),
            "min_hits": (1, 100),
            "min_iou": (0.0, 0.95),
            "max_speed": (0.0, 100.0),
            "max_tracks": (1, 4096),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}.", f"Use {low} to {high}.")
        if not _PREFIX.fullmatch(self.prefix):
            raise InputError(
                f"prefix is '{self.prefix}'.", "Use small letters, digits and _; a letter first."
            )
