"""What a two-stream network learns from: one person's face, the scene round it, and the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Example:
    """One person in one picture or clip; pictures are uint8 RGB.

    face: [S, S, 3], of a clip [T, S, S, 3]; zeros where `face_present` is False.
    context: [C, C, 3], of a clip [T, C, C, 3].
    label: place in CAER7.
    """

    face: np.ndarray
    context: np.ndarray
    label: int
    face_present: bool = True


class Source(Protocol):
    """Labelled people, read one by one.

    labels: int64 [N].
    present: bool [N], whether the sample's face was found (in a video: in any frame).
    """

    @property
    def labels(self) -> np.ndarray: ...

    @property
    def present(self) -> np.ndarray: ...

    def __len__(self) -> int: ...

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        """Sample `index` as training sees it: `rng` picks the clip, the cut, the crop."""
        ...

    def views(self, index: int) -> list[Example]:
        """Sample `index` as testing sees it: one centre view, or every window of a video."""
        ...


@dataclass(frozen=True)
class MemorySource:
    """A source that lies in memory: each sample is one example, the same in training and test.

    faces, contexts: uint8, one row a sample, as Example has them; labels int64 [N]; present bool
    [N].
    """

    faces: np.ndarray
    contexts: np.ndarray
    labels: np.ndarray
    present: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        """See Source; nothing is drawn."""
        return self.views(index)[0]

    def views(self, index: int) -> list[Example]:
        """See Source."""
        return [
            Example(
                self.faces[index],
                self.contexts[index],
                int(self.labels[index]),
                bool(self.present[index]),
            )
        ]


@dataclass(frozen=True)
class Part:
    """Some samples of another source."""

    whole: Source
    indices: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """int64 [N]."""
        return self.whole.labels[self.indices]

    @property
    def present(self) -> np.ndarray:
        """bool [N]."""
        return self.whole.present[self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        """See Source."""
        return self.whole.draw(int(self.indices[index]), rng)

    def views(self, index: int) -> list[Example]:
        """See Source."""
        return self.whole.views(int(self.indices[index]))
