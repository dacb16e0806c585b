"""Several sources as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from caer_ros.datasets.examples import Example, Source


class Joined:
    """The samples of several sources, one source after the other; see `Source`.

    Raises:
        ValueError: there is no source.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        if not sources:
            raise ValueError("nothing to join")
        self._sources = tuple(sources)
        self._ends = np.cumsum([len(source) for source in sources])

    @property
    def labels(self) -> np.ndarray:
        """int64 [N]."""
        return np.concatenate([source.labels for source in self._sources])

    @property
    def present(self) -> np.ndarray:
        """bool [N]."""
        return np.concatenate([source.present for source in self._sources])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        """See Source."""
        source, place = self._find(index)
        return source.draw(place, rng)

    def views(self, index: int) -> list[Example]:
        """See Source."""
        source, place = self._find(index)
        return source.views(place)

    def _find(self, index: int) -> tuple[Source, int]:
        number = int(np.searchsorted(self._ends, index, side="right"))
        source = self._sources[number]
        return source, index - int(self._ends[number]) + len(source)
