"""The last pictures of one person, or of the scene, by tick."""

from __future__ import annotations

import numpy as np


class FrameRing:
    """Holds the pictures of the last `frames` ticks, without a gap: uint8 [size, size, 3] each.

    Attributes:
        last: the newest tick; meaningless while `empty`.
        due: the tick from which on the owner is asked for the next clip.
    """

    def __init__(self, frames: int, size: int) -> None:
        self._pictures = np.zeros((frames, size, size, 3), np.uint8)
        self._count = 0
        self.last = -1
        self.due = 0

    @property
    def empty(self) -> bool:
        return not self._count

    @property
    def full(self) -> bool:
        """Whether there is a picture for every tick of a clip."""
        return self._count >= len(self._pictures)

    @property
    def nbytes(self) -> int:
        return self._pictures.nbytes

    def put(self, tick: int, picture: np.ndarray) -> None:
        """Take over the picture of a tick after `last`; ticks between repeat the last picture."""
        frames = len(self._pictures)
        if not self.empty:
            before = self._pictures[self.last % frames]
            for missed in range(self.last + 1, tick):
                self._pictures[missed % frames] = before
            self._count += tick - self.last - 1
        self._pictures[tick % frames] = picture
        self._count += 1
        self.last = tick

    def copy_to(self, out: np.ndarray) -> None:
        """Copy all pictures, oldest first, to uint8 [frames, size, size, 3]."""
        first = (self.last + 1) % len(self._pictures)
        behind = len(self._pictures) - first
        out[:behind] = self._pictures[first:]
        out[behind:] = self._pictures[:first]

    def clear(self) -> None:
        """Forget all pictures and the due tick."""
        self._count = 0
        self.last = -1
        self.due = 0
