"""Batches for BENet; a training sample is a pure function of (seed, epoch, index)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.emotic.examples import EmoticBatch, EmoticExample, stack_examples
from caer_ros.datasets.emotic.source import EmoticSource
from caer_ros.datasets.loader import load
from caer_ros.training.feed import epoch_order


class Drawing(Protocol):
    """What a feed needs of a source; EmoticSource is one."""

    def __len__(self) -> int: ...

    def draw(self, index: int, rng: np.random.Generator) -> EmoticExample: ...


@dataclass(frozen=True)
class EmoticFeed:
    """Shuffled, augmented batches of a source, as TrainingFeed's.

    Every epoch has `steps` batches of `batch` samples; what is left over is another rest in every
    epoch. A source smaller than a batch gives one batch of all its samples. How many samples of a
    batch go to which head is chance: a batch may have none for one of them.

    Attributes:
        batch: over all processes.
        rank, world: this process of how many; each takes its share of every batch.

    Raises:
        InputError: fewer than two samples a process.
    """

    source: Drawing
    batch: int
    seed: int
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

    def batches(self, epoch: int, start: int = 0) -> Iterator[EmoticBatch]:
        """The batches of an epoch from the `start`-th on.

        Raises:
            CaerError: a picture can not be read.
        """
        order = epoch_order(len(self.source), self.seed, epoch)
        rows = [order[k * self.batch : (k + 1) * self.batch] for k in range(start, self.steps)]
        mine = [[(epoch, int(i)) for i in row[self.rank :: self.world]] for row in rows]
        return load(self._draw, mine, self.workers, stack_examples)

    def _draw(self, key: tuple[int, int]) -> list[tuple[int, EmoticExample]]:
        epoch, index = key
        rng = np.random.default_rng([self.seed, epoch, index])
        return [(index, self.source.draw(index, rng))]


def view_batches(source: EmoticSource, batch: int, workers: int) -> Iterator[EmoticBatch]:
    """All validation views of all samples, in order; a sample's views share a batch.

    `batch` counts samples: with cut-outs and backgrounds, batches are larger.

    Raises:
        CaerError: a picture can not be read.
    """
    rows = [list(range(k, min(k + batch, len(source)))) for k in range(0, len(source), batch)]
    return load(
        lambda index: [(index, view) for view in source.views(index)],
        rows,
        workers,
        stack_examples,
    )
