"""What a clip is, and how gaps in it are filled."""

from __future__ import annotations

from dataclasses import dataclass

from caer_ros.core import InputError


@dataclass(frozen=True)
class ClipConfig:
    """What a clip is; rate, length and sizes are the network's.

    Attributes:
        rate: ticks a second.
        frames: ticks of a clip.
        hop: ticks from one clip of a person to his next; those of all people end together.
        face_size, context_size: sides of the pictures, in pixels.
        max_repeat: ticks in a row for which a person's (or the camera's) last picture is repeated;
            after more, the person (or everybody) starts anew.
        max_people: people who are followed at once; who comes later waits until one left.

    Raises:
        InputError: out of range.
    """

    rate: float = 10.0
    frames: int = 16
    hop: int = 8
    face_size: int = 96
    context_size: int = 112
    max_repeat: int = 5
    max_people: int = 64

    def __post_init__(self) -> None:
        ranges = {
            "rate": (0.1, 120.0),
            "frames": (1, 256),
            "hop": (1, 256),
            "face_size": (8, 1024),
            "context_size": (8, 1024),
            "max_repeat": (0, 255),
            "max_people": (1, 256),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}.", f"Use {low:g} to {high:g}.")

    @property
    def lag(self) -> float:
        """Seconds from the middle of a clip to its end: how old its estimate is when it is new."""
        return (self.frames - 1) / 2 / self.rate
