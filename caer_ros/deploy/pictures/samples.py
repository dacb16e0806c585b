"""What a network is run on, one sample at a time or many: people in scenes, or whole pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from caer_ros.datasets.people import People
from caer_ros.evaluation.benet.predictions import GroundTruth
from caer_ros.perception.fit_frame import Fit

Arrays = dict[str, np.ndarray]


class Samples(Protocol):
    """Inputs of a network, in memory.

    Attributes:
        noun: what there are so many of, for messages.
        batch: how many the network is given at once.
    """

    noun: str
    batch: int

    def __len__(self) -> int: ...

    def feed(self, index: Sequence[int]) -> Arrays:
        """The network's inputs for some samples, by name."""
        ...

    def seen(self, index: int) -> list[np.ndarray]:
        """The uint8 pictures of one sample, the same number for every sample."""
        ...


@dataclass(frozen=True, eq=False)
class PeopleSamples:
    """People as CAER-Net-S sees them; see Samples."""

    people: People
    noun = "people"
    batch = 8

    def __len__(self) -> int:
        return len(self.people)

    def feed(self, index: Sequence[int]) -> Arrays:
        """See Samples."""
        return self.people.take(np.asarray(index, np.int64))

    def seen(self, index: int) -> list[np.ndarray]:
        """See Samples: the face, then the scene."""
        return [self.people.faces[index], self.people.contexts[self.people.scene[index]]]


@dataclass(frozen=True, eq=False)
class PictureSamples:
    """Whole pictures, as a network that finds people or faces itself reads them; see Samples.

    Attributes:
        name: of the network's input.
        arrays: uint8 [height, width, 3] each, in the network's order of colours.
        fits: where the picture lies in each.
        truths: what is annotated in each, or None.
    """

    name: str
    arrays: Sequence[np.ndarray]
    fits: Sequence[Fit]
    truths: Sequence[GroundTruth] | None = None
    noun = "pictures"
    # Pictures differ in size.
    batch = 1

    def __len__(self) -> int:
        return len(self.arrays)

    def feed(self, index: Sequence[int]) -> Arrays:
        """See Samples; `index` names one picture."""
        (only,) = index
        return {self.name: self.arrays[only][None]}

    def seen(self, index: int) -> list[np.ndarray]:
        """See Samples."""
        return [self.arrays[index]]


def batches(samples: Samples, index: Sequence[int]) -> list[list[int]]:
    """`index` in pieces that can be fed at once, in order."""
    return [list(index[k : k + samples.batch]) for k in range(0, len(index), samples.batch)]
