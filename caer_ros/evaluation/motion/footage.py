"""A clip as a robot would see it: frames, whose faces are where, and when each frame came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from caer_ros.core import Box, InputError


@dataclass(frozen=True, eq=False)
class Footage:
    """T frames of one person, and of others who may be there.

    Attributes:
        frames: uint8 [H, W, 3] each, BGR, all of one size.
        faces: of each frame, in its pixels, the person's first; boxes may reach over the edge.
        ticks: when each frame came, in frames of the clip before any was lost; rising.
    """

    frames: tuple[np.ndarray, ...]
    faces: tuple[tuple[Box, ...], ...]
    ticks: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def short_side(self) -> int:
        """Of the frames, in pixels."""
        return min(self.frames[0].shape[:2])

    def changed(
        self,
        frames: Sequence[np.ndarray] | None = None,
        faces: Sequence[Sequence[Box]] | None = None,
    ) -> Footage:
        """The same clip with other frames, other boxes, or both."""
        return replace(
            self,
            frames=self.frames if frames is None else tuple(frames),
            faces=self.faces if faces is None else tuple(tuple(boxes) for boxes in faces),
        )

    def taken(self, places: Sequence[int]) -> Footage:
        """Only these frames, in this order; each keeps its tick."""
        return Footage(
            tuple(self.frames[k] for k in places),
            tuple(self.faces[k] for k in places),
            tuple(self.ticks[k] for k in places),
        )


def footage_of(pairs: Sequence[tuple[np.ndarray, Sequence[Box]]]) -> Footage:
    """Frames with their faces, the person's first. Where none was found, those of the nearest frame
    with any are borrowed, as training and test do.

    Raises:
        InputError: no frame has a face.
    """
    seen = [place for place, (_, faces) in enumerate(pairs) if faces]
    if not seen:
        raise InputError(
            "No frame of a clip has a face.", "Choose clips in which somebody is seen."
        )
    nearest = [min(seen, key=lambda other: abs(other - place)) for place in range(len(pairs))]
    return Footage(
        tuple(image for image, _ in pairs),
        tuple(tuple(pairs[place][1]) for place in nearest),
        tuple(range(len(pairs))),
    )


def side(face: Box) -> float:
    """The longer side of a face, in pixels."""
    return max(face.width, face.height)


def moved(face: Box, dx: float, dy: float, growth: float = 1.0) -> Box:
    """A box shifted by `dx, dy` pixels, its sides times `growth`."""
    x, y = (face.x1 + face.x2) / 2 + dx, (face.y1 + face.y2) / 2 + dy
    w, h = face.width * growth / 2, face.height * growth / 2
    return Box(x - w, y - h, x + w, y + h, face.score)
