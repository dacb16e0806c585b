"""A top label that changes only for a good reason: hysteresis in margin and in time."""

from __future__ import annotations

import numpy as np

# Of float32 probabilities, and of stamps in seconds since 1970.
_ROUNDING = 1e-6


class SteadyLabel:
    """Shows the most probable label until another one leads by `margin` for `seconds` on end.

    The lead is taken over the label that is shown. It must hold at every update in between, and for
    the same label: where the leader changes, or the lead falls below the margin, time starts again.
    So a change is shown `seconds` after it is clear, later by one update at most.

    Args:
        margin: in probability, in [0, 1]; with 0 any lead will do, a tie will not.
        seconds: at least 0; 0 shows a change at the first update that has the margin.
    """

    def __init__(self, margin: float, seconds: float) -> None:
        self.margin = margin
        self.seconds = seconds
        self.index = -1
        self._rival = -1
        self._since = 0.0

    def update(self, probabilities: np.ndarray, stamp: float) -> int:
        """The index of the label to show now.

        Args:
            probabilities: [labels], any float; at least one label.
            stamp: seconds, never falling.
        """
        best = int(np.argmax(probabilities))
        if self.index < 0:
            self.index = best
        lead = float(probabilities[best] - probabilities[self.index])
        if lead <= 0 or lead < self.margin - _ROUNDING:
            self._rival = -1
            return self.index
        if best != self._rival:
            self._rival, self._since = best, stamp
        if stamp - self._since >= self.seconds - _ROUNDING:
            self.index, self._rival = best, -1
        return self.index
