"""Samples of which a network is shown the scene alone, or the face alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from caer_ros.datasets.examples import Example, Source

Shown = Literal["face", "scene"]


@dataclass(frozen=True)
class Only:
    """A source that keeps one of the two pictures of each sample.

    Attributes:
        whole: the source.
        shown: `face`: the scene is black, as where a face fills the picture. `scene`: nobody's face
            is found, so that the network decides by the scene.
    """

    whole: Source
    shown: Shown

    @property
    def labels(self) -> np.ndarray:
        """int64 [N]."""
        return self.whole.labels

    @property
    def present(self) -> np.ndarray:
        """bool [N]; nobody's where only the scene is shown."""
        present = self.whole.present
        return present if self.shown == "face" else np.zeros_like(present)

    def __len__(self) -> int:
        return len(self.whole)

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        """See Source."""
        return self._only(self.whole.draw(index, rng))

    def views(self, index: int) -> list[Example]:
        """See Source."""
        return [self._only(example) for example in self.whole.views(index)]

    def _only(self, example: Example) -> Example:
        if self.shown == "face":
            return replace(example, context=np.zeros_like(example.context))
        return replace(example, face=np.zeros_like(example.face), face_present=False)
