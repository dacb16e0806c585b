"""SIGINT and SIGTERM as a flag. Imports nothing slow, so that it is in place before what is."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Stop:
    """True once SIGINT or SIGTERM arrived. Further signals change nothing: the end is under way."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)

    def __call__(self) -> bool:
        return self._asked.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but not past a signal; True once one arrived."""
        return self._asked.wait(max(seconds, 0.0))

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked.set()
