"""One training sample of BENet, and many of them as a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from caer_ros.core import EMOTIC26

# Which head a sample trains: the values of caer_ros.networks.benet.tasks (a test compares them;
# this room may not import that one).
MAPS, PERSON, BACKGROUND = 0, 1, 2


@dataclass(frozen=True, eq=False)
class EmoticExample:
    """One input of BENet with its labels: n people of a MAPS sample, one row of the others.

    Attributes:
        image: uint8 [S, S, 3], RGB.
        task: MAPS, PERSON or BACKGROUND.
        trains_detection: whether the heat and size maps learn from it (MAPS only).
        trains_emotion: whether the emotion maps, or the person or background head, learn from it.
        boxes: float32 [n, 4], x1, y1, x2, y2 in pixels of the input, clipped to it. MAPS:
            everybody who is to be seen, none at worst. PERSON: one row, the subject. BACKGROUND:
            one row, the whole input.
        categories: float32 [n, 26], 1 where the emotion is annotated. BACKGROUND: anybody's.
        known: bool [n, 26], see AnnotatedPerson. BACKGROUND: an emotion is known where it is there,
            or known of everybody.
        vad: float32 [n, 3] in [-1, 1], NaN where unknown. BACKGROUND: mean over those annotated.
    """

    image: np.ndarray
    task: int
    trains_detection: bool
    trains_emotion: bool
    boxes: np.ndarray
    categories: np.ndarray
    known: np.ndarray
    vad: np.ndarray


class EmoticBatch(NamedTuple):
    """B samples, and the N label rows of all of them, in the samples' order.

    A sample of task PERSON or BACKGROUND has exactly one label row, one of task MAPS has one a
    person, maybe none; `task[row]` tells what a label row is for. So the label rows of the PERSON
    samples are, in order, those of the network's person head.

    Attributes:
        images: uint8 [B, S, S, 3], RGB.
        task: int64 [B]. trains_detection, trains_emotion: bool [B]. See EmoticExample.
        boxes: float32 [N, 4], x1, y1, x2, y2 in pixels of the input.
        row: int64 [N], which sample of the batch a label row belongs to, rising.
        categories: float32 [N, 26]. known: bool [N, 26]. vad: float32 [N, 3], NaN where unknown.
        sample: int64 [B], which sample of its source each is.
    """

    images: Tensor
    task: Tensor
    trains_detection: Tensor
    trains_emotion: Tensor
    boxes: Tensor
    row: Tensor
    categories: Tensor
    known: Tensor
    vad: Tensor
    sample: Tensor

    def to(self, device: torch.device | str) -> EmoticBatch:
        """The same on a device."""
        return EmoticBatch(*(tensor.to(device, non_blocking=True) for tensor in self))


def stack_examples(examples: Sequence[tuple[int, EmoticExample]]) -> EmoticBatch:
    """Examples and the numbers of their samples as one batch."""
    rows = [np.full(len(e.boxes), k, np.int64) for k, (_, e) in enumerate(examples)]
    return EmoticBatch(
        torch.from_numpy(np.stack([e.image for _, e in examples])),
        torch.tensor([e.task for _, e in examples]),
        torch.tensor([e.trains_detection for _, e in examples]),
        torch.tensor([e.trains_emotion for _, e in examples]),
        _joined([e.boxes for _, e in examples], np.float32, 4),
        torch.from_numpy(np.concatenate(rows)),
        _joined([e.categories for _, e in examples], np.float32, len(EMOTIC26)),
        _joined([e.known for _, e in examples], bool, len(EMOTIC26)),
        _joined([e.vad for _, e in examples], np.float32, 3),
        torch.tensor([index for index, _ in examples]),
    )


def _joined(parts: Sequence[np.ndarray], dtype: type, columns: int) -> Tensor:
    return torch.from_numpy(np.concatenate(parts).astype(dtype).reshape(-1, columns))
