"""The labels of a picture's people as arrays, and those of a background without people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.datasets.emotic.records import AnnotatedImage


@dataclass(frozen=True, eq=False)
class Labels:
    """Of N people: boxes float64 [N, 4], categories float32 [N, 26], known bool [N, 26], vad
    float32 [N, 3]; fields as in AnnotatedPerson.
    """

    boxes: np.ndarray
    categories: np.ndarray
    known: np.ndarray
    vad: np.ndarray

    @classmethod
    def of(cls, record: AnnotatedImage) -> Labels:
        """Of all people of a picture."""
        people = record.people
        boxes = [(p.box.x1, p.box.y1, p.box.x2, p.box.y2) for p in people]
        return cls(
            np.array(boxes, np.float64),
            np.stack([p.categories for p in people]).astype(np.float32),
            np.stack([p.known for p in people]).astype(bool),
            np.stack([p.vad for p in people]).astype(np.float32),
        )

    def chosen(self, people: np.ndarray, boxes: np.ndarray) -> Labels:
        """Of some people, with boxes elsewhere."""
        return Labels(boxes, self.categories[people], self.known[people], self.vad[people])

    def told(self) -> np.ndarray:
        """bool [N], of whom anything is known but the box."""
        return self.known.any(axis=1) | np.isfinite(self.vad).any(axis=1)

    def background(self, box: np.ndarray) -> Labels:
        """One row for the picture without its people: everybody's emotions (section 2.3).

        An emotion is there where it is annotated for anybody. It is known to be absent only where
        it is known of everybody. Valence, arousal and dominance are the mean of those annotated
        (the paper has none).

        Args:
            box: float64 [1, 4], what the row says of the place.
        """
        there = (self.categories > 0) & self.known
        known = there.any(axis=0) | self.known.all(axis=0)
        annotated = np.isfinite(self.vad)
        count = annotated.sum(axis=0)
        total = np.where(annotated, self.vad, 0).sum(axis=0)
        vad = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return Labels(
            box, there.any(axis=0)[None].astype(np.float32), known[None], vad[None].astype("f4")
        )
