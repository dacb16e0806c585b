"""Learning rates: a pure function of the step, so that a resumed run needs no scheduler's state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from caer_ros.core import InputError


@dataclass(frozen=True)
class Schedule:
    """How the learning rate runs.

    Attributes:
        name: `step`: times `factor` after every `every` epochs (section 5.1: 5e-3 "dropped by a
            factor of 10 every 4 epochs"); `cosine`: half a cosine from the peak to 0 at the end;
            `constant`: the same all the time.
        learning_rate: the first (step), highest (cosine) or only (constant) rate.
        every, factor: of `step`.
        warm_up: epochs over which the rate first rises in a straight line; a fraction may be given.

    Raises:
        InputError: a value is out of its range.
    """

    name: Literal["step", "cosine", "constant"] = "step"
    learning_rate: float = 5e-3
    every: int = 4
    factor: float = 0.1
    warm_up: float = 0.0

    def __post_init__(self) -> None:
        for name, good in (
            ("learning_rate", self.learning_rate > 0),
            ("every", self.every >= 1),
            ("factor", 0 < self.factor <= 1),
            ("warm_up", self.warm_up >= 0),
        ):
            if not good:
                raise InputError(f"schedule.{name} is {getattr(self, name)}.", "It is too small.")

    def rate(self, step: int, steps_an_epoch: int, epochs: int) -> float:
        """The learning rate of optimiser step `step`, counted from 0 over the whole run."""
        epoch = step / steps_an_epoch
        rate = self.learning_rate
        if self.name == "step":
            rate = self.learning_rate * self.factor ** (step // (steps_an_epoch * self.every))
        elif self.name == "cosine":
            done = (epoch - self.warm_up) / max(epochs - self.warm_up, 1e-9)
            done = min(max(done, 0.0), 1.0)
            rate = self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
        if epoch < self.warm_up:
            rate *= (step + 1) / (self.warm_up * steps_an_epoch)
        return rate
