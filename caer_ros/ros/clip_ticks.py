"""Which of the camera's pictures a recorded clip takes: ten a second, by the camera's own time."""

from __future__ import annotations

import math

# Networks look at ten pictures a second whatever the camera's rate (CAER-Net section 5.1).
RATE = 10.0
# A longer silence is no standstill: it is left out instead of being filled with one picture.
_LONGEST_GAP_S = 1.0
_ROUNDING = 1e-6


class ClipTicks:
    """The ticks of a clip: 0, 1/RATE, 2/RATE, ... seconds after its first picture.

    Attributes:
        ticks: taken so far, whether a picture of their own came for each or not.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self._begin = math.nan
        self._last = math.nan

    def due(self, stamp: float) -> int:
        """Ticks from the last taken one to the picture of time `stamp` (s); 0: not needed."""
        if self.ticks == 0 or self.is_cut(stamp):
            return 1
        return max(self._tick(stamp) + 1 - self.ticks, 0)

    def is_cut(self, stamp: float) -> bool:
        """Whether the picture does not follow the last: a long gap, or time that jumped."""
        return self.ticks > 0 and abs(stamp - self._last) > _LONGEST_GAP_S

    def take(self, stamp: float) -> int:
        """Take the picture of time `stamp`; returns what `due` said."""
        due = self.due(stamp)
        if self.ticks == 0 or self.is_cut(stamp):
            self._begin = stamp - self.ticks / RATE
        self.ticks += due
        if due:
            self._last = stamp
        return due

    def _tick(self, stamp: float) -> int:
        return math.floor((stamp - self._begin) * RATE + _ROUNDING)
