"""How many samples a second the loader gives, so that one can see whether it keeps a GPU fed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from caer_ros.core import InputError


class Drawn(Protocol):
    """Samples that are drawn by number."""

    def __len__(self) -> int: ...

    def draw(self, index: int, rng: np.random.Generator) -> Any: ...


@dataclass(frozen=True)
class Again:
    """The same samples over and over, `count` of them."""

    source: Drawn
    count: int

    def __len__(self) -> int:
        return self.count

    def draw(self, index: int, rng: np.random.Generator) -> Any:
        """Sample `index`, which may lie beyond the source's end."""
        return self.source.draw(index % len(self.source), rng)


class Sized(Protocol):
    """A batch that says which samples it has: int64 [B]."""

    @property
    def sample(self) -> Any: ...


@dataclass(frozen=True)
class LoaderSpeed:
    """samples: loaded in `seconds` by `workers` processes, in batches of `batch`."""

    workers: int
    batch: int
    samples: int
    seconds: float

    @property
    def samples_per_second(self) -> float:
        return self.samples / self.seconds

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return vars(self) | {"samples_per_second": self.samples_per_second}


def time_batches(batches: Iterator[Sized], workers: int, seconds: float) -> LoaderSpeed:
    """Take batches for about `seconds` after the first one, whose worker processes have to start.

    Batches that were made while the first one was waited for count as made in no time; take long
    enough for that to vanish.

    Raises:
        InputError: there are fewer than two batches.
    """
    first = next(batches, None)
    size = len(first.sample) if first is not None else 0
    started, samples, passed = time.perf_counter(), 0, 0.0
    for batch in batches:
        samples += len(batch.sample)
        passed = time.perf_counter() - started
        if passed >= seconds:
            break
    if not samples:
        raise InputError("There are fewer than two batches.", "Use a smaller batch or more data.")
    return LoaderSpeed(workers, size, samples, passed)
