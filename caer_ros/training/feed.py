"""Training batches, each sample a pure function of (seed, epoch, index).

Nothing random is kept between samples: whichever worker makes one, and whether the run was killed
before, it comes out the same. That is what makes a resumed run end like an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.examples import Source
from caer_ros.datasets.loader import Batch, Numbered, load
from caer_ros.training.stream_augment import Augment, augment_example

# Beside any epoch's samples: the dice for their order.
_ORDER = 1 << 32


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order of `count` samples in an epoch: a permutation, int64 [count]."""
    return np.random.default_rng([seed, epoch, _ORDER]).permutation(count)


@dataclass(frozen=True)
class TrainingFeed:
    """Shuffled, augmented batches of a source.

    Every epoch has `steps` batches of `batch` samples; what is left over is another rest in every
    epoch. A source smaller than a batch gives one batch of all its samples.

    Attributes:
        batch: over all processes.
        may_drop_face: whether the network can do without faces.
        rank, world: this process of how many; each takes its share of every batch.
    """

    source: Source
    batch: int
    seed: int
    augment: Augment
    may_drop_face: bool
    workers: int = 0
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if min(self.batch, len(self.source)) < 2 * self.world:
            raise InputError(
                f"A batch of {min(self.batch, len(self.source))} samples is too small for "
                f"{self.world} processes.",
                "Batch normalisation needs two a process: give more samples or a larger batch.",
            )

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return max(len(self.source) // self.batch, 1)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from the `start`-th on."""
        order = epoch_order(len(self.source), self.seed, epoch)
        rows = [order[k * self.batch : (k + 1) * self.batch] for k in range(start, self.steps)]
        mine = [[(epoch, int(i)) for i in row[self.rank :: self.world]] for row in rows]
        return load(self._draw, mine, self.workers)

    def _draw(self, key: tuple[int, int]) -> list[Numbered]:
        epoch, index = key
        rng = np.random.default_rng([self.seed, epoch, index])
        example = self.source.draw(index, rng)
        return [(index, augment_example(example, self.augment, rng, self.may_drop_face))]
