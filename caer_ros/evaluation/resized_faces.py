"""Labelled pictures whose face boxes are smaller or larger than the data set's.

Detectors differ in how tightly they cut faces, and a network learns the cuts of one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.core import Box
from caer_ros.evaluation.answers import Pictures


@dataclass(frozen=True)
class ResizedFaces:
    """Pictures with each face's box resized about its centre.

    Attributes:
        whole: the pictures.
        times: factor of both sides, above 0; a box may then reach over the picture's edge.
    """

    whole: Pictures
    times: float

    @property
    def labels(self) -> np.ndarray:
        """int64 [N]."""
        return self.whole.labels

    def __len__(self) -> int:
        return len(self.whole)

    def picture(self, index: int) -> tuple[np.ndarray, Box | None, list[Box]]:
        """See Pictures."""
        image, subject, faces = self.whole.picture(index)
        return image, subject and self._resized(subject), [self._resized(box) for box in faces]

    def _resized(self, box: Box) -> Box:
        x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
        half_width, half_height = box.width / 2 * self.times, box.height / 2 * self.times
        return Box(x - half_width, y - half_height, x + half_width, y + half_height, box.score)
