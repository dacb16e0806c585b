"""Pictures of a data set on disk as training and test see them (CAER-S, SFEW)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from caer_ros.core import Box, InputError
from caer_ros.datasets.cuts import CENTRE, Choice, Cut, choose, cut_context, cut_face, no_face
from caer_ros.datasets.examples import Example
from caer_ros.datasets.face_boxes import FileFaces
from caer_ros.datasets.samples import Sample
from caer_ros.perception.sources import read_image


class PictureSource:
    """Labelled pictures; see `Source`.

    Args:
        root: folder that the names in `boxes` are relative to.
        samples: which pictures.
        cut: sizes and switches.
        boxes: faces by name, see `detect_all`. A box that a list names is the subject's; of the
            cache's the first is. Without either, the sample has no face.

    Raises:
        InputError: no sample, or neither a list nor a cache says where the faces are.
    """

    def __init__(
        self,
        root: Path,
        samples: Sequence[Sample],
        cut: Cut,
        boxes: Mapping[str, FileFaces] | None = None,
    ) -> None:
        if not samples:
            raise InputError(f"{root}: the split is empty.", "Name another split or folder.")
        if boxes is None and all(sample.box is None for sample in samples):
            raise InputError(
                f"{root}: nothing says where the faces are.",
                f"Detect them once with `caer data boxes {root}`, or put lists of boxes there.",
            )
        self._root, self._samples, self._cut, self._boxes = root, list(samples), cut, boxes
        self.labels = np.array([sample.label for sample in samples], np.int64)
        self.present = np.array([self._faces(sample)[0] is not None for sample in samples])

    @property
    def samples(self) -> Sequence[Sample]:
        """Which pictures, in their order."""
        return self._samples

    def __len__(self) -> int:
        return len(self._samples)

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        """See Source."""
        return self._example(index, choose(self._cut, rng))

    def views(self, index: int) -> list[Example]:
        """See Source: one view."""
        return [self._example(index, CENTRE)]

    def picture(self, index: int) -> tuple[np.ndarray, Box | None, list[Box]]:
        """The whole picture, uint8 BGR [H, W, 3], the subject's face and all faces.

        Raises:
            InputError: it can not be read, or the cache does not know it.
        """
        sample = self._samples[index]
        return read_image(sample.path), *self._faces(sample)

    def _faces(self, sample: Sample) -> tuple[Box | None, list[Box]]:
        listed = [] if sample.box is None else [sample.box]
        if self._boxes is None:
            return sample.box, listed
        name = sample.path.relative_to(self._root).as_posix()
        if name not in self._boxes:
            raise InputError(
                f"The face cache does not hold {name}.", "Run `caer data boxes` again."
            )
        found = self._boxes[name]
        return sample.box or found.subject(), [*listed, *found.frames.get(0, ())]

    def _example(self, index: int, choice: Choice) -> Example:
        image, subject, faces = self.picture(index)
        context = cut_context(image, faces, self._cut, choice)
        label = int(self.labels[index])
        if subject is None:
            return Example(no_face(self._cut), context, label, face_present=False)
        return Example(cut_face(image, subject, self._cut, choice), context, label)
