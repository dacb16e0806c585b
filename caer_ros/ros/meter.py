"""Rates and percentiles over the last seconds. Thread-safe, no ROS."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 10.0


class Meter:
    """Numbers with the time they came at, forgotten after `window` seconds."""

    def __init__(
        self, window: float = WINDOW_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._window = window
        self._clock = clock
        self._born = clock()
        self._samples: deque[tuple[float, float]] = deque()
        self._lock = threading.Lock()

    def add(self, value: float = 0.0) -> None:
        with self._lock:
            self._forget()
            self._samples.append((self._clock(), value))

    def rate(self) -> float:
        """Samples a second over the window, or over the meter's life while that is shorter."""
        with self._lock:
            self._forget()
            life = min(self._window, self._clock() - self._born)
            return len(self._samples) / life if life > 0 else 0.0

    def percentile(self, share: float) -> float:
        """The value that `share` (0 to 1) of the samples do not exceed; NaN without samples."""
        with self._lock:
            self._forget()
            values = sorted(value for _, value in self._samples)
        if not values:
            return math.nan
        return values[min(len(values) - 1, math.ceil(share * len(values)) - 1 if share > 0 else 0)]

    def _forget(self) -> None:
        oldest = self._clock() - self._window
        while self._samples and self._samples[0][0] < oldest:
            self._samples.popleft()
