"""Training batches as the loop wants them: pictures, and what BENet should say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from caer_ros.datasets.emotic.examples import EmoticBatch
from caer_ros.datasets.emotic.source import EmoticSource
from caer_ros.training.benet.batch_targets import batch_targets
from caer_ros.training.benet.feed import EmoticFeed
from caer_ros.training.benet.losses import BenetTargets


class BenetBatch(NamedTuple):
    """B samples.

    images: uint8 [B, S, S, 3], RGB. task: int64 [B], on the CPU wherever the rest is (see BENet).
    targets: see there.
    """

    images: Tensor
    task: Tensor
    targets: BenetTargets

    def to(self, device: torch.device | str) -> BenetBatch:
        """The same on a device, but for `task`."""
        images = self.images.to(device, non_blocking=True)
        return BenetBatch(images, self.task, self.targets.to(device))


def with_targets(batch: EmoticBatch) -> BenetBatch:
    """A batch from the loader as the loop wants it."""
    return BenetBatch(batch.images, batch.task, batch_targets(batch))


@dataclass(frozen=True)
class BenetFeed:
    """EmoticFeed's batches with their targets; a `work.Feed`."""

    samples: EmoticFeed

    @property
    def source(self) -> EmoticSource:
        """See Feed."""
        return self.samples.source

    @property
    def batch(self) -> int:
        """See Feed."""
        return self.samples.batch

    @property
    def steps(self) -> int:
        """See Feed."""
        return self.samples.steps

    def batches(self, epoch: int, start: int = 0) -> Iterator[BenetBatch]:
        """See Feed."""
        return map(with_targets, self.samples.batches(epoch, start))


def of_task(batch: EmoticBatch, task: int) -> EmoticBatch | None:
    """The samples of one task; None where there are none."""
    chosen = batch.task == task
    if not chosen.any():
        return None
    rows = chosen[batch.row]
    place = chosen.cumsum(0) - 1
    images, tasks, detection, emotion, boxes, row, categories, known, vad, sample = batch
    return EmoticBatch(
        images[chosen],
        tasks[chosen],
        detection[chosen],
        emotion[chosen],
        boxes[rows],
        place[row[rows]],
        categories[rows],
        known[rows],
        vad[rows],
        sample[chosen],
    )
