"""A thread that always works on the newest frame. Pure threading, no ROS: the node plugs in.

The thread that opens the pipeline is the only one that ever touches it, because inference engines
belong to one thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What the worker needs of a pipeline."""

    def close(self) -> None: ...


P = TypeVar("P", bound=Closable)
F = TypeVar("F")


@dataclass(frozen=True)
class Counts:
    """What became of the frames so far. While idle, received == processed + failed + dropped.

    Attributes:
        received: frames handed to `offer`.
        processed: frames that went through.
        failed: frames whose processing raised.
        dropped: frames that a newer one replaced before their turn, or that `discard` threw away.
        failed_in_a_row: failures since the last frame that went through.
        last_error: text of the latest failure; empty when there was none.
    """

    received: int = 0
    processed: int = 0
    failed: int = 0
    dropped: int = 0
    failed_in_a_row: int = 0
    last_error: str = ""


class Worker(Generic[P, F]):
    """Opens a pipeline in its own thread and feeds it the newest frame, one at a time.

    Args:
        open_pipeline: called once in the worker's thread.
        handle: called in the worker's thread for every frame it takes; whatever it raises is
            counted, handed to `on_failure`, and the next frame is taken.
        on_failure: called in the worker's thread with what `handle` raised.
        max_rate_hz: frames begun a second at most; 0: no limit. May be changed at any time.
    """

    def __init__(
        self,
        open_pipeline: Callable[[], P],
        handle: Callable[[P, F], None],
        on_failure: Callable[[Exception], None] = lambda error: None,
        max_rate_hz: float = 0.0,
    ) -> None:
        self._open_pipeline = open_pipeline
        self._handle = handle
        self._on_failure = on_failure
        self.max_rate_hz = max_rate_hz
        self._changed = threading.Condition()
        self._slot: F | None = None
        self._jobs: list[Callable[[P], None]] = []
        self._busy = False
        self._stopping = False
        self._counts = Counts()
        self._opened = threading.Event()
        self._open_error: BaseException | None = None
        # A daemon, so that an engine that hangs can not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="caer_worker", daemon=True)

    def start(self, given_up: Callable[[], bool] = lambda: False) -> bool:
        """Start the thread and wait until the pipeline is open.

        Args:
            given_up: asked every 50 ms; when True, the wait ends and the worker stops by itself.

        Returns:
            True when open, False when given up.

        Raises:
            Whatever `open_pipeline` raised.
        """
        self._thread.start()
        while not self._opened.wait(0.05):
            if given_up():
                self._ask_to_stop()
                return False
        if self._open_error is not None:
            raise self._open_error
        return True

    def offer(self, frame: F) -> None:
        """Make `frame` the next one; one still waiting is dropped. Never blocks on inference."""
        with self._changed:
            self._count(received=1, dropped=0 if self._slot is None else 1)
            self._slot = frame
            self._changed.notify_all()

    def post(self, job: Callable[[P], None]) -> None:
        """Run `job(pipeline)` in the worker's thread before the next frame."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()

    def discard(self, timeout: float = 1.0) -> bool:
        """Drop the waiting frame and wait until the one in hand is through.

        Returns:
            False when that took longer than `timeout` seconds.
        """
        with self._changed:
            self._drop_waiting()
            return self._changed.wait_for(lambda: not self._busy, timeout)

    def stop(self, timeout: float = 1.5) -> bool:
        """End the thread, which closes the pipeline.

        Returns:
            False when it did not end within `timeout` seconds (an engine hangs).
        """
        self._ask_to_stop()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def counts(self) -> Counts:
        with self._changed:
            return self._counts

    def _ask_to_stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._drop_waiting()
            self._changed.notify_all()

    def _drop_waiting(self) -> None:
        if self._slot is not None:
            self._slot = None
            self._count(dropped=1)

    def _count(self, **more: int) -> None:
        grown = {name: getattr(self._counts, name) + by for name, by in more.items()}
        self._counts = replace(self._counts, **grown)

    def _run(self) -> None:
        try:
            pipeline = self._open_pipeline()
        except BaseException as error:
            self._open_error = error
            self._opened.set()
            return
        self._opened.set()
        try:
            self._work(pipeline)
        finally:
            pipeline.close()

    def _work(self, pipeline: P) -> None:
        earliest = 0.0
        while True:
            jobs, frame = self._next(earliest)
            for job in jobs:
                self._guard(partial(job, pipeline))
            if frame is not None:
                if self.max_rate_hz > 0:
                    earliest = time.monotonic() + 1.0 / self.max_rate_hz
                self._attend(pipeline, frame)
            elif not jobs:
                return

    def _next(self, earliest: float) -> tuple[list[Callable[[P], None]], F | None]:
        """Wait for jobs or, from time `earliest` on, a frame; neither of them means: stop."""
        with self._changed:
            while not self._stopping:
                wait = earliest - time.monotonic()
                if self._jobs or (self._slot is not None and wait <= 0):
                    break
                self._changed.wait(wait if self._slot is not None else None)
            if self._stopping:
                return [], None
            jobs, self._jobs = self._jobs, []
            frame = None
            if earliest <= time.monotonic():
                frame, self._slot = self._slot, None
            self._busy = frame is not None
            return jobs, frame

    def _attend(self, pipeline: P, frame: F) -> None:
        error = self._guard(partial(self._handle, pipeline, frame))
        self._finish(error)

    def _guard(self, work: Callable[[], None]) -> Exception | None:
        """Do `work`; what it raises is reported and returned, and never ends the thread."""
        try:
            work()
        except Exception as error:
            with suppress(Exception):  # nor does a report that fails
                self._on_failure(error)
            return error
        return None

    def _finish(self, error: Exception | None) -> None:
        with self._changed:
            if error is None:
                self._count(processed=1)
                self._counts = replace(self._counts, failed_in_a_row=0)
            else:
                self._count(failed=1, failed_in_a_row=1)
                self._counts = replace(self._counts, last_error=one_line(error))
            self._busy = False
            self._changed.notify_all()


def one_line(error: BaseException) -> str:
    """An exception as one line of text, with its type where its text does not explain itself."""
    text = " ".join(str(error).split())
    return (
        text if type(error).__module__.startswith("caer_ros") else f"{type(error).__name__}: {text}"
    )
