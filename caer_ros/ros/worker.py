"""A thread that always works on the newest frames. Pure threading, no ROS: the node plugs in."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from caer_ros.core import InputError
from caer_ros.ros.counts import Counts
from caer_ros.ros.lane import Lane, P

F = TypeVar("F")
R = TypeVar("R")


class Worker(Generic[P, F, R]):
    """Feeds a pipeline the newest frame of every camera, all that wait at once.

    Args:
        open_pipeline: called once in the worker's thread.
        work: called in the worker's thread with the pipeline and the frames by camera. What it
            raises fails them all, is counted and reported, and the next frames are taken.
        deliver: called after it in the same thread with what it returned, unless the worker was
            told meanwhile that this thread hangs; returns what is wrong with single cameras'
            frames.
        on_failure: called in the worker's thread with what was raised or returned.
        max_rate_hz: rounds begun a second at most; 0: no limit. May be changed at any time.
        hand_over: called with the old pipeline and the new one when `replace` changes them.
    """

    def __init__(
        self,
        open_pipeline: Callable[[], P],
        work: Callable[[P, Mapping[str, F]], R],
        deliver: Callable[[R], Mapping[str, Exception]],
        on_failure: Callable[[Exception], None] = lambda error: None,
        max_rate_hz: float = 0.0,
        hand_over: Callable[[P, P], None] = lambda old, new: None,
    ) -> None:
        self._work = work
        self._deliver = deliver
        self._on_failure = on_failure
        self._hand_over = hand_over
        self.max_rate_hz = max_rate_hz
        self._changed = threading.Condition()
        self._waiting: dict[str, F] = {}
        self._in_hand: tuple[str, ...] = ()
        self._since = -math.inf
        self._jobs: list[Callable[[P], None]] = []
        self._stopping = False
        self._counts: dict[str, Counts] = {}
        self._owner: Lane[P] | None = None
        self._left: P | None = None
        self._lanes: list[Lane[P]] = []
        self._coming: Lane[P] | None = self._lane(open_pipeline)

    def start(self, given_up: Callable[[], bool] = lambda: False) -> bool:
        """Start the thread and wait until the pipeline is open.

        Args:
            given_up: asked every 50 ms; when True, the wait ends and the worker stops by itself.

        Returns:
            True when open, False when given up or stopped.

        Raises:
            Whatever `open_pipeline` raised.
        """
        lane = self._coming
        assert lane is not None
        lane.start()
        # Not `result`, whose time-out can not be told from one that the pipeline raised.
        while not lane.serving.done():
            wait_for([lane.serving], 0.05)
            if not lane.serving.done() and given_up():
                self._ask_to_stop()
                return False
        if lane.serving.cancelled():
            return False
        lane.serving.result()
        return True

    def offer(self, frame: F, camera: str = "") -> None:
        """Make `frame` its camera's next; one still waiting is dropped. Never waits long."""
        with self._changed:
            replaces = self._stopping or camera in self._waiting
            self._count(camera, received=1, dropped=1 if replaces else 0)
            if not self._stopping:
                self._waiting[camera] = frame
                self._changed.notify_all()

    def post(self, job: Callable[[P], None]) -> None:
        """Run `job(pipeline)` in the worker's thread before the next frames."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()

    def replace(self, open_pipeline: Callable[[], P]) -> Future[None]:
        """Open another pipeline beside the present one and change to it between two frames.

        No frame is lost. Both pipelines are in memory until the change.

        Returns:
            Done when the new one serves. Has what `open_pipeline` raised, and then the present one
            goes on; InputError where another one is being opened already. Cancelled where the
            worker was stopped.
        """
        with self._changed:
            refused: Future[None] = Future()
            if self._stopping:
                refused.cancel()
            elif self._opening() is not None:
                refused.set_exception(
                    InputError("Another model is being loaded.", "Try again when it is there.")
                )
            else:
                return self._bring(open_pipeline)
            return refused

    def abandon(
        self, open_pipeline: Callable[[], P], longer_than: float = 0.0
    ) -> Future[None] | None:
        """Give up a thread that hangs in `work`, and open a pipeline in a new one.

        The frames in hand count as failed; what the old thread may still put out is thrown away.

        Args:
            longer_than: seconds; frames that were begun later are no reason to give up.

        Returns:
            As replace, but where it fails, nothing serves until another replace; None where nothing
            hangs.
        """
        with self._changed:
            seconds = time.monotonic() - self._since
            if self._stopping or self._owner is None or not self._in_hand:
                return None
            if seconds < longer_than:
                return None
            for camera in self._in_hand:
                failed = self._counts[camera].failed_with(
                    f"the inference engine did not answer for {seconds:.0f} s"
                )
                self._counts[camera] = replace(failed, hangs=True)
            self._owner, self._in_hand = None, ()
            self._changed.notify_all()
            opening = self._opening()
            return opening.serving if opening is not None else self._bring(open_pipeline)

    def busy_for(self) -> float:
        """Seconds since the frames in hand were begun; 0 where none are."""
        with self._changed:
            return time.monotonic() - self._since if self._in_hand else 0.0

    def discard(self, timeout: float = 1.0) -> bool:
        """Drop the waiting frames and wait until those in hand are through.

        Returns:
            False when that took longer than `timeout` seconds.
        """
        with self._changed:
            self._drop_waiting()
            return self._changed.wait_for(lambda: not self._in_hand, timeout)

    def stop(self, timeout: float = 1.5) -> bool:
        """End all threads, which close their pipelines.

        Returns:
            False when one did not end within `timeout` seconds (an engine hangs).
        """
        self._ask_to_stop()
        end = time.monotonic() + timeout
        with self._changed:
            lanes = list(self._lanes)
        ended = [lane.join(max(0.0, end - time.monotonic())) for lane in lanes]
        return all(ended)

    def counts(self) -> dict[str, Counts]:
        """By camera; of those that sent a frame."""
        with self._changed:
            in_work = [*self._waiting, *self._in_hand]
            return {
                camera: replace(counts, waiting=in_work.count(camera))
                for camera, counts in self._counts.items()
            }

    # --- inside the lock ---

    def _bring(self, open_pipeline: Callable[[], P]) -> Future[None]:
        self._coming = lane = self._lane(open_pipeline)
        lane.start()
        return lane.serving

    def _lane(self, open_pipeline: Callable[[], P]) -> Lane[P]:
        lane = Lane(open_pipeline, self._serve)
        lane.serving.add_done_callback(lambda serving: self._came(lane))
        self._lanes = [*(each for each in self._lanes if each.alive), lane]
        return lane

    def _opening(self) -> Lane[P] | None:
        """The lane that is to serve next; `_came` may not have been called of one that does."""
        coming = self._coming
        return None if coming is None or coming.serving.done() else coming

    def _count(self, camera: str, **more: int) -> None:
        self._counts[camera] = self._counts.get(camera, Counts()).more(**more)

    def _drop_waiting(self) -> None:
        for camera in self._waiting:
            self._count(camera, dropped=1)
        self._waiting.clear()

    # --- in other threads ---

    def _came(self, lane: Lane[P]) -> None:
        with self._changed:
            if self._coming is lane:
                self._coming = None
            self._changed.notify_all()

    def _ask_to_stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._drop_waiting()
            self._changed.notify_all()

    # --- in a lane's thread ---

    def _serve(self, lane: Lane[P], pipeline: P) -> None:
        if not self._take_over(lane, pipeline):
            return
        while True:
            taken = self._next(lane, pipeline)
            if taken is None:
                return
            jobs, frames = taken
            for job in jobs:
                self._guard(partial(job, pipeline))
            if frames:
                self._attend(lane, pipeline, frames)

    def _take_over(self, lane: Lane[P], pipeline: P) -> bool:
        """Wait for the lane before to step aside; False: the worker ends."""
        with self._changed:
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stopping or self._owner is None)
            if self._stopping:
                return False
            before, self._left = self._left, None
            self._owner = lane
        if before is not None:
            self._guard(lambda: self._hand_over(before, pipeline))
        lane.serving.set_result(None)
        return True

    def _next(
        self, lane: Lane[P], pipeline: P
    ) -> tuple[list[Callable[[P], None]], dict[str, F]] | None:
        """Wait for jobs or, as the rate allows, frames; None: this lane is to end."""
        with self._changed:
            while not self._stopping and self._owner is lane:
                coming = self._opening()
                if coming is not None and coming.opened:
                    self._step_aside(coming, pipeline)
                    return None
                wait = self._pause()
                if self._jobs or (self._waiting and wait <= 0):
                    jobs, self._jobs = self._jobs, []
                    return jobs, self._take() if wait <= 0 else {}
                self._changed.wait(wait if self._waiting else None)
            return None

    def _step_aside(self, coming: Lane[P], pipeline: P) -> None:
        """Let `coming` take over and wait until it has: no pipeline is closed before."""
        self._owner, self._left = None, pipeline
        self._changed.notify_all()
        self._changed.wait_for(coming.serving.done)

    def _pause(self) -> float:
        """Seconds until frames may be begun; asked anew with every frame, the rate may change."""
        rate = self.max_rate_hz
        return self._since + 1.0 / rate - time.monotonic() if rate > 0 else 0.0

    def _take(self) -> dict[str, F]:
        frames, self._waiting = self._waiting, {}
        self._in_hand, self._since = tuple(frames), time.monotonic()
        return frames

    def _attend(self, lane: Lane[P], pipeline: P, frames: dict[str, F]) -> None:
        failures: dict[str, Exception] = {}
        try:
            done = self._work(pipeline, frames)
            if self._owner is lane:
                failures.update(self._deliver(done))
        except Exception as error:
            failures = dict.fromkeys(frames, error)
        if self._owner is not lane:
            return  # abandoned: these frames are counted, others may be in hand
        for failure in {id(each): each for each in failures.values()}.values():
            self._report(failure)
        with self._changed:
            if self._owner is not lane:
                return
            for camera in frames:
                before = self._counts[camera]
                self._counts[camera] = (
                    before.failed_with(one_line(failures[camera]))
                    if camera in failures
                    else before.succeeded()
                )
            if len(failures) < len(frames):  # the engine answers again
                for camera, counts in self._counts.items():
                    self._counts[camera] = replace(counts, hangs=False)
            self._in_hand = ()
            self._changed.notify_all()

    def _guard(self, work: Callable[[], None]) -> None:
        """Do `work`; what it raises is reported, and never ends the thread."""
        try:
            work()
        except Exception as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        with suppress(Exception):  # nor does a report that fails
            self._on_failure(error)


def one_line(error: BaseException) -> str:
    """An exception as one line of text, with its type where its text does not explain itself."""
    text = " ".join(str(error).split())
    return (
        text if type(error).__module__.startswith("caer_ros") else f"{type(error).__name__}: {text}"
    )
