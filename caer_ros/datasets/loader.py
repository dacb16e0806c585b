"""Batches of examples, loaded by worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from caer_ros.core import CaerError
from caer_ros.datasets.examples import Example, Source

_ENOUGH_AHEAD = 4
Numbered = tuple[int, Example]
Made = TypeVar("Made")
Joined = TypeVar("Joined")


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
    """All test views of the samples `indices`, in order; a sample's views share a batch.

    Raises:
        CaerError: a sample can not be read.
    """
    rows = [[int(i) for i in indices[k : k + batch]] for k in range(0, len(indices), batch)]
    return load(lambda index: [(index, view) for view in source.views(index)], rows, workers)


def load(
    make: Callable[[Any], list[Made]],
    rows: Sequence[Sequence[Any]],
    workers: int,
    join: Callable[[list[Made]], Joined] = stack,  # type: ignore[assignment]
) -> Iterator[Joined]:
    """Batches of what `make` makes of the keys in each of `rows`, made by worker processes.

    Args:
        join: makes a batch, a tuple of tensors, of all that was made of a row's keys.

    Raises:
        CaerError: `make` or `join` did, in whatever process.
    """
    loader = DataLoader(
        _Made(make),
        batch_sampler=rows,
        num_workers=workers,
        collate_fn=partial(_collate, join),
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=_ENOUGH_AHEAD if workers else None,
        worker_init_fn=_one_thread if workers else None,
        # Its base seed would otherwise be drawn from the generator that dropout uses.
        generator=torch.Generator(),
    )
    for batch in loader:
        if isinstance(batch, CaerError):
            raise batch
        yield batch


class _Made(Dataset["list[Any] | CaerError"]):
    def __init__(self, make: Callable[[Any], list[Any]]) -> None:
        self.make = make

    def __getitem__(self, key: Any) -> list[Any] | CaerError:
        try:
            return self.make(key)
        except CaerError as error:
            # Raised in a worker, it would reach the reader wrapped into that worker's traceback.
            return error


def _collate(
    join: Callable[[list[Made]], Joined], groups: list[list[Made] | CaerError]
) -> Joined | CaerError:
    made: list[Made] = []
    for group in groups:
        if isinstance(group, CaerError):
            return group
        made += group
    try:
        return join(made)
    except CaerError as error:
        return error


def _one_thread(worker: int) -> None:
    """Workers are as many as the reader wants; OpenCV's own threads would fight them."""
    cv2.setNumThreads(0)
