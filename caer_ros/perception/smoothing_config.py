"""How estimates are smoothed."""

from __future__ import annotations

from dataclasses import dataclass

from caer_ros.core import InputError


@dataclass(frozen=True)
class SmoothingConfig:
    """How estimates are smoothed.

    Attributes:
        time_constant: of the filter, in seconds: of a sudden change 63 % is seen after one time
            constant, 95 % after three. 0 leaves probabilities as they are.
        label_margin: by how much another label must lead to become the top label, in [0, 1].
        label_time: for how long it must lead so, in seconds. With both 0 the top label is the one
            with the highest probability.
        forget_after: seconds without an estimate after which a person starts anew.

    Raises:
        InputError: out of range.
    """

    time_constant: float = 0.5
    label_margin: float = 0.1
    label_time: float = 0.3
    forget_after: float = 2.0

    def __post_init__(self) -> None:
        ranges = {
            "time_constant": (0.0, 60.0),
            "label_margin": (0.0, 1.0),
            "label_time": (0.0, 60.0),
            "forget_after": (0.05, 3600.0),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}.", f"Use {low:g} to {high:g}.")
