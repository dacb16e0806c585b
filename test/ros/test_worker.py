"""The worker's promises: newest frame wins, every frame is accounted for, nothing ends it."""

from __future__ import annotations

import threading
import time

import pytest

from caer_ros.ros.worker import Worker


class Gate:
    """A pipeline whose frames wait for `open`; notes what it was given and in which thread."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)
        self.seen: list[object] = []
        self.threads: set[int] = {threading.get_ident()}
        self.closed = False

    def handle(self, frame: object) -> None:
        self.threads.add(threading.get_ident())
        self.seen.append(frame)
        self.begun.release()
        assert self.open.wait(5)
        if isinstance(frame, Exception):
            raise frame

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed = True


def start(gate_made: list[Gate], **options) -> Worker:
    def make() -> Gate:
        gate_made.append(Gate())
        return gate_made[0]

    worker = Worker(make, lambda gate, frame: gate.handle(frame), **options)
    assert worker.start()
    return worker


@pytest.fixture
def pair():
    made: list[Gate] = []
    worker = start(made)
    yield worker, made[0]
    made[0].open.set()
    assert worker.stop()


def test_the_newest_frame_wins_and_the_others_are_counted(pair):
    worker, gate = pair
    worker.offer(0)
    assert gate.begun.acquire(timeout=5)
    for frame in range(1, 10):
        worker.offer(frame)
    gate.open.set()
    assert gate.begun.acquire(timeout=5)
    assert worker.discard()
    assert gate.seen == [0, 9]
    counts = worker.counts()
    assert (counts.received, counts.processed, counts.dropped) == (10, 2, 8)


def test_one_thread_makes_uses_and_closes_the_pipeline(pair):
    worker, gate = pair
    gate.open.set()
    worker.offer(1)
    assert gate.begun.acquire(timeout=5)
    assert worker.stop()
    assert gate.closed
    assert len(gate.threads) == 1
    assert threading.get_ident() not in gate.threads


def test_a_failing_frame_is_counted_and_the_next_one_works():
    made: list[Gate] = []
    reported: list[Exception] = []

    def report(error: Exception) -> None:
        reported.append(error)
        raise RuntimeError("a log that fails")

    worker = start(made, on_failure=report)
    made[0].open.set()
    for frame in (ValueError("no\nface"), ValueError("again"), "good"):
        worker.offer(frame)
        assert made[0].begun.acquire(timeout=5)
        assert worker.discard()
        if frame != "good":
            assert worker.counts().failed_in_a_row == len(reported)
    counts = worker.counts()
    assert (counts.processed, counts.failed, counts.failed_in_a_row) == (1, 2, 0)
    assert counts.last_error == "ValueError: again"
    assert [str(error) for error in reported] == ["no\nface", "again"]
    assert worker.stop()


def test_what_opening_raises_comes_out_of_start():
    def broken() -> Gate:
        raise OSError("no such model")

    worker: Worker = Worker(broken, lambda gate, frame: None)
    with pytest.raises(OSError, match="no such model"):
        worker.start()
    assert worker.stop()


def test_waiting_for_a_slow_model_can_be_given_up():
    loaded = threading.Event()
    made: list[Gate] = []

    def slow() -> Gate:
        assert loaded.wait(5)
        made.append(Gate())
        return made[0]

    worker: Worker = Worker(slow, lambda gate, frame: None)
    begin = time.monotonic()
    assert not worker.start(given_up=lambda: True)
    assert time.monotonic() - begin < 1
    assert not worker.stop(timeout=0.1)  # it hangs, and says so
    loaded.set()
    assert worker.stop()
    assert made[0].closed


def test_discard_drops_the_waiting_frame_and_waits_for_the_one_in_hand(pair):
    worker, gate = pair
    worker.offer("in hand")
    assert gate.begun.acquire(timeout=5)
    worker.offer("waiting")
    assert not worker.discard(timeout=0.05)
    gate.open.set()
    assert worker.discard()
    counts = worker.counts()
    assert (counts.received, counts.processed, counts.dropped) == (2, 1, 1)
    assert gate.seen == ["in hand"]


def test_the_rate_is_kept_and_jobs_do_not_wait_for_it():
    made: list[Gate] = []
    worker = start(made, max_rate_hz=20.0)
    made[0].open.set()
    posted: list[object] = []
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        worker.offer(0)
        time.sleep(0.002)
    assert 8 <= len(made[0].seen) <= 12
    worker.max_rate_hz = 0.1
    worker.offer(1)
    worker.post(lambda gate: posted.append(gate))
    worker.post(lambda gate: 1 / 0)
    worker.post(posted.append)
    end = time.monotonic() + 5
    while len(posted) < 2 and time.monotonic() < end:
        time.sleep(0.005)
    assert posted == [made[0], made[0]]
    assert worker.stop()
    counts = worker.counts()
    assert counts.received == counts.processed + counts.dropped
