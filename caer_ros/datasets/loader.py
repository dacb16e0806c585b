"""Batches of examples, loaded by worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from caer_ros.datasets.examples import Example, Source

_ENOUGH_AHEAD = 4
Numbered = tuple[int, Example]


class Batch(NamedTuple):
    """N people, one a scene.

    face uint8 [N, *T, S, S, 3]; context uint8 [N, *T, C, C, 3]; scene int64 [N], 0 to N - 1; label
    int64 [N]; present bool [N]; sample int64 [N], which sample of its source each is.
    """

    face: Tensor
    context: Tensor
    scene: Tensor
    label: Tensor
    present: Tensor
    sample: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same on a device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


def stack(examples: Sequence[Numbered]) -> Batch:
    """Examples and the numbers of their samples as one batch."""
    return Batch(
        torch.from_numpy(np.stack([e.face for _, e in examples])),
        torch.from_numpy(np.stack([e.context for _, e in examples])),
        torch.arange(len(examples)),
        torch.tensor([e.label for _, e in examples]),
        torch.tensor([e.face_present for _, e in examples]),
        torch.tensor([index for index, _ in examples]),
    )


def view_batches(
    source: Source, indices: Sequence[int], batch: int, workers: int
) -> Iterator[Batch]:
    """All test views of the samples `indices`, in order; a sample's views share a batch."""
    rows = [[int(i) for i in indices[k : k + batch]] for k in range(0, len(indices), batch)]
    return iter(load(_Viewed(source), rows, workers))


def load(data: Dataset[list[Numbered]], rows: Sequence[Sequence[Any]], workers: int) -> DataLoader:
    """A loader of the batches `rows` of keys of `data`, which gives some examples a key."""
    return DataLoader(
        data,
        batch_sampler=rows,
        num_workers=workers,
        collate_fn=_collate,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=_ENOUGH_AHEAD if workers else None,
        worker_init_fn=_one_thread if workers else None,
        # Its base seed would otherwise be drawn from the generator that dropout uses.
        generator=torch.Generator(),
    )


class _Viewed(Dataset[list[Numbered]]):
    def __init__(self, source: Source) -> None:
        self.source = source

    def __getitem__(self, index: int) -> list[Numbered]:
        return [(index, view) for view in self.source.views(index)]


def _collate(groups: list[list[Numbered]]) -> Batch:
    return stack([pair for group in groups for pair in group])


def _one_thread(worker: int) -> None:
    """Workers are as many as the reader wants; OpenCV's own threads would fight them."""
    cv2.setNumThreads(0)
