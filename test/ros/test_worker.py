"""The worker's promises: newest frames win, every frame is accounted for, nothing ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future

import pytest

from caer_ros.core import InputError
from caer_ros.ros.counts import Counts, total
from caer_ros.ros.worker import Worker

PATIENCE = 5.0


class Bad(Exception):
    """A frame that its camera alone has to answer for."""


class Poison(Exception):
    """A frame that makes the engine fail for everybody."""


class Pipe:
    """A pipeline whose frames wait for `gate`; notes what it was given and in which threads."""

    def __init__(self, name: str = "first", gated: bool = False) -> None:
        self.name = name
        self.gate = threading.Event()
        if not gated:
            self.gate.set()
        self.begun = threading.Semaphore(0)
        self.seen: list[dict[str, object]] = []
        self.threads = {threading.get_ident()}
        self.closed = threading.Event()

    def run(self, frames: Mapping[str, object]) -> dict[str, object]:
        assert not self.closed.is_set()
        self.threads.add(threading.get_ident())
        self.seen.append(dict(frames))
        self.begun.release()
        assert self.gate.wait(PATIENCE)
        for frame in frames.values():
            if isinstance(frame, Poison):
                raise frame
        return dict(frames)

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed.set()


class Rig:
    """A worker with pipelines that are made on demand, and everything it told."""

    def __init__(self, gated: bool = False, open_first: Callable[[], Pipe] | None = None) -> None:
        self.pipes: list[Pipe] = []
        self.delivered: list[dict[str, object]] = []
        self.reported: list[Exception] = []
        self.handed: list[tuple[str, str, bool]] = []
        self.worker: Worker[Pipe, object, dict[str, object]] = Worker(
            open_first or self.opener("first", gated),
            lambda pipe, frames: pipe.run(frames),
            self.deliver,
            self.reported.append,
            hand_over=self.hand_over,
        )

    def opener(self, name: str, gated: bool = False) -> Callable[[], Pipe]:
        def open_pipe() -> Pipe:
            self.pipes.append(Pipe(name, gated))
            return self.pipes[-1]

        return open_pipe

    def deliver(self, done: dict[str, object]) -> dict[str, Exception]:
        self.delivered.append(done)
        return {camera: frame for camera, frame in done.items() if isinstance(frame, Bad)}

    def hand_over(self, old: Pipe, new: Pipe) -> None:
        self.handed.append((old.name, new.name, old.closed.is_set()))

    def offer_and_wait(self, frame: object, camera: str = "") -> None:
        """Offer one frame and wait until it is through."""
        before = self.counts(camera)
        self.worker.offer(frame, camera)
        assert eventually(lambda: settled(self.counts(camera)) > settled(before))

    def counts(self, camera: str = "") -> Counts:
        return self.worker.counts().get(camera, Counts())

    def close(self) -> bool:
        for pipe in self.pipes:
            pipe.gate.set()
        return self.worker.stop(PATIENCE)


def settled(counts: Counts) -> int:
    return counts.processed + counts.failed + counts.dropped


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    assert made.worker.start()
    yield made
    assert made.close()


@pytest.fixture
def gated() -> Iterator[Rig]:
    """With a first pipeline whose frames wait for its gate."""
    made = Rig(gated=True)
    assert made.worker.start()
    yield made
    assert made.close()


# --- frames ---


def test_the_newest_frame_wins_and_the_others_are_counted(gated):
    pipe = gated.pipes[0]
    gated.worker.offer(0)
    assert pipe.begun.acquire(timeout=PATIENCE)
    for frame in range(1, 10):
        gated.worker.offer(frame)
    counts = gated.counts()
    assert (counts.received, counts.dropped, counts.waiting) == (10, 8, 2)
    pipe.gate.set()
    assert pipe.begun.acquire(timeout=PATIENCE)
    assert gated.worker.discard(PATIENCE)
    assert pipe.seen == [{"": 0}, {"": 9}]
    assert gated.counts() == Counts(received=10, processed=2, dropped=8)


def test_one_thread_makes_uses_and_closes_the_pipeline(rig):
    pipe = rig.pipes[0]
    rig.offer_and_wait(1)
    assert rig.worker.stop(PATIENCE)
    assert pipe.closed.is_set()
    assert len(pipe.threads) == 1
    assert threading.get_ident() not in pipe.threads


def test_a_failing_frame_is_counted_and_the_next_one_works(rig):
    for in_a_row, frame in enumerate((Poison("no\nface"), Poison("again")), 1):
        rig.offer_and_wait(frame)
        assert rig.counts().failed_in_a_row == in_a_row
    rig.offer_and_wait("good")
    counts = rig.counts()
    assert (counts.processed, counts.failed, counts.failed_in_a_row) == (1, 2, 0)
    assert counts.last_error == "Poison: again"
    assert [str(error) for error in rig.reported] == ["no\nface", "again"]
    assert rig.delivered == [{"": "good"}]


def test_neither_a_failing_report_nor_a_failing_delivery_ends_it():
    def broken(_: object) -> dict[str, Exception]:
        raise OSError("a topic that fails")

    worker: Worker = Worker(Pipe, lambda pipe, frames: frames, broken, broken)
    assert worker.start()
    for expected in (1, 2):
        worker.offer("frame")
        assert eventually(lambda n=expected: worker.counts()[""].failed == n)
    assert worker.counts()[""].last_error == "OSError: a topic that fails"
    assert worker.stop(PATIENCE)


def test_cameras_that_wait_are_taken_together(gated):
    pipe = gated.pipes[0]
    gated.worker.offer(0, "front")
    assert pipe.begun.acquire(timeout=PATIENCE)
    gated.worker.offer(1, "rear")
    gated.worker.offer(2, "front")
    gated.worker.offer(3, "rear")
    pipe.gate.set()
    assert pipe.begun.acquire(timeout=PATIENCE)
    assert gated.worker.discard(PATIENCE)
    assert pipe.seen == [{"front": 0}, {"front": 2, "rear": 3}]
    assert gated.counts("front") == Counts(received=2, processed=2)
    assert gated.counts("rear") == Counts(received=2, processed=1, dropped=1)
    assert total(gated.worker.counts()) == Counts(received=4, processed=3, dropped=1)


def test_one_bad_camera_fails_alone_and_one_poisoned_frame_fails_all(gated):
    pipe = gated.pipes[0]
    gated.worker.offer(0, "front")
    assert pipe.begun.acquire(timeout=PATIENCE)
    gated.worker.offer(Bad("cut short"), "front")
    gated.worker.offer(1, "rear")
    pipe.gate.set()
    assert eventually(lambda: gated.counts("front").failed == 1)
    assert gated.counts("rear") == Counts(received=1, processed=1)
    assert gated.counts("front").last_error == "Bad: cut short"
    assert [str(error) for error in gated.reported] == ["cut short"]

    pipe.gate.clear()
    gated.worker.offer(2, "front")
    assert eventually(lambda: len(pipe.seen) == 3)
    gated.worker.offer(Poison("NaN"), "front")
    gated.worker.offer(3, "rear")
    pipe.gate.set()
    assert eventually(lambda: gated.counts("rear").failed == 1)
    assert gated.counts("front").failed == 2
    assert [str(error) for error in gated.reported] == ["cut short", "NaN"]  # once, not twice


def test_discard_drops_the_waiting_frame_and_waits_for_the_one_in_hand(gated):
    pipe = gated.pipes[0]
    gated.worker.offer("in hand")
    assert pipe.begun.acquire(timeout=PATIENCE)
    gated.worker.offer("waiting")
    assert not gated.worker.discard(timeout=0.05)
    pipe.gate.set()
    assert gated.worker.discard(PATIENCE)
    assert gated.counts() == Counts(received=2, processed=1, dropped=1)
    assert pipe.seen == [{"": "in hand"}]


def test_the_rate_is_kept_and_jobs_do_not_wait_for_it(rig):
    rig.worker.max_rate_hz = 20.0
    begin = time.monotonic()
    while len(rig.pipes[0].seen) < 6:
        rig.worker.offer(0)
        time.sleep(0.002)
    assert time.monotonic() - begin >= 5 / 20.0  # a slow machine only makes it longer

    rig.worker.max_rate_hz = 0.001
    rig.worker.offer(1)
    posted: list[object] = []
    rig.worker.post(posted.append)
    rig.worker.post(lambda pipe: 1 / 0)
    rig.worker.post(posted.append)
    assert eventually(lambda: len(posted) == 2)
    assert posted == [rig.pipes[0]] * 2
    assert isinstance(rig.reported[-1], ZeroDivisionError)

    seen = len(rig.pipes[0].seen)
    assert rig.counts().waiting == 1
    rig.worker.max_rate_hz = 0.0  # holds from the next frame on, not after 1000 s
    rig.worker.offer(2)
    assert eventually(lambda: len(rig.pipes[0].seen) == seen + 1)
    assert rig.pipes[0].seen[-1] == {"": 2}


# --- opening ---


@pytest.mark.parametrize("error", [OSError("no such model"), TimeoutError("no answer")])
def test_what_opening_raises_comes_out_of_start(error):
    def broken() -> Pipe:
        raise error

    rig = Rig(open_first=broken)
    with pytest.raises(type(error), match=str(error)):
        rig.worker.start()
    assert rig.close()


def test_waiting_for_a_slow_model_can_be_given_up():
    loaded = threading.Event()
    made = Pipe()

    def slow() -> Pipe:
        assert loaded.wait(PATIENCE)
        return made

    rig = Rig(open_first=slow)
    assert not rig.worker.start(given_up=lambda: True)
    assert not rig.worker.stop(timeout=0.1)  # it hangs, and says so
    loaded.set()
    assert rig.worker.stop(PATIENCE)
    assert made.closed.is_set()


def test_a_stop_from_elsewhere_ends_the_wait_for_a_model():
    loading, loaded = threading.Event(), threading.Event()
    made = Pipe()

    def slow() -> Pipe:
        loading.set()
        assert loaded.wait(PATIENCE)
        return made

    rig = Rig(open_first=slow)
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(rig.worker.start()))
    waiting.start()
    assert loading.wait(PATIENCE)
    assert not rig.worker.stop(timeout=0.1)
    loaded.set()
    waiting.join(PATIENCE)
    assert answers == [False]
    assert made.closed.wait(PATIENCE)
    assert rig.close()


# --- replacing ---


def test_replace_loses_no_frame_and_closes_the_old_pipeline_last(gated):
    first = gated.pipes[0]
    gated.worker.offer("in hand")
    assert first.begun.acquire(timeout=PATIENCE)
    coming = gated.worker.replace(gated.opener("second"))
    assert eventually(lambda: len(gated.pipes) == 2)
    gated.worker.offer("waiting")
    assert not coming.done()
    first.gate.set()
    assert coming.result(PATIENCE) is None
    assert eventually(lambda: gated.counts().processed == 2)
    assert first.closed.wait(PATIENCE)
    second = gated.pipes[1]
    assert (first.seen, second.seen) == ([{"": "in hand"}], [{"": "waiting"}])
    assert gated.handed == [("first", "second", False)]
    assert len(first.threads) == len(second.threads) == 1
    assert first.threads.isdisjoint(second.threads)
    assert gated.counts() == Counts(received=2, processed=2)
    assert not second.closed.is_set()


def test_replace_works_while_no_frame_comes_and_again_at_once(rig):
    for number in range(20):
        assert rig.worker.replace(rig.opener(f"{number}")).result(PATIENCE) is None
    assert [new for _, new, _ in rig.handed] == [f"{number}" for number in range(20)]
    assert not any(closed for _, _, closed in rig.handed)
    assert eventually(lambda: sum(not pipe.closed.is_set() for pipe in rig.pipes) == 1)
    rig.offer_and_wait("last")
    assert rig.pipes[-1].seen == [{"": "last"}]


def test_a_failed_opening_leaves_the_old_pipeline_serving(rig):
    def broken() -> Pipe:
        raise OSError("damaged")

    for _ in range(20):  # at once again: the failed one is out of the way
        with pytest.raises(OSError, match="damaged"):
            rig.worker.replace(broken).result(PATIENCE)
    rig.offer_and_wait(1)
    assert rig.pipes[0].seen == [{"": 1}]
    assert rig.handed == []
    assert rig.worker.replace(rig.opener("second")).result(PATIENCE) is None


def test_a_failed_hand_over_is_reported_and_the_new_pipeline_serves():
    def broken(old: Pipe, new: Pipe) -> None:
        raise ValueError("other ids")

    reported: list[Exception] = []
    worker: Worker = Worker(
        Pipe, lambda pipe, frames: pipe.run(frames), lambda done: {}, reported.append, 0.0, broken
    )
    assert worker.start()
    made = Pipe("second")
    worker.replace(lambda: made).result(PATIENCE)
    worker.offer(1)
    assert made.begun.acquire(timeout=PATIENCE)
    assert [str(error) for error in reported] == ["other ids"]
    assert worker.stop(PATIENCE)


def test_of_two_replaces_at_once_the_second_is_refused(rig):
    go = threading.Event()
    opener = rig.opener("second")

    def slow() -> Pipe:
        assert go.wait(PATIENCE)
        return opener()

    coming = rig.worker.replace(slow)
    refused = rig.worker.replace(rig.opener("third"))
    with pytest.raises(InputError, match="being loaded"):
        refused.result(0)
    rig.offer_and_wait("meanwhile")
    assert rig.pipes[0].seen == [{"": "meanwhile"}]
    go.set()
    assert coming.result(PATIENCE) is None
    assert [pipe.name for pipe in rig.pipes] == ["first", "second"]


def test_stop_during_a_replace_closes_both(rig):
    go = threading.Event()
    opener = rig.opener("second")

    def slow() -> Pipe:
        assert go.wait(PATIENCE)
        return opener()

    coming = rig.worker.replace(slow)
    assert not rig.worker.stop(timeout=0.1)  # the second is still being opened
    assert rig.pipes[0].closed.is_set()
    go.set()
    with pytest.raises(CancelledError):
        coming.result(PATIENCE)
    assert rig.worker.stop(PATIENCE)
    assert rig.pipes[1].closed.is_set()
    assert rig.handed == []


def test_after_stop_nothing_is_begun_and_every_frame_is_dropped(rig):
    assert rig.worker.stop(PATIENCE)
    rig.worker.offer(1)
    assert rig.worker.replace(rig.opener("late")).cancelled()
    assert rig.counts() == Counts(received=1, dropped=1)
    assert len(rig.pipes) == 1


# --- an engine that hangs ---


def test_a_hung_engine_is_given_up_and_what_it_puts_out_later_is_thrown_away(gated):
    first = gated.pipes[0]
    gated.worker.offer("lost", "front")
    assert first.begun.acquire(timeout=PATIENCE)
    gated.worker.offer("waiting", "rear")
    assert eventually(lambda: gated.worker.busy_for() > 0)
    coming = gated.worker.abandon(gated.opener("second"))
    assert coming is not None
    assert coming.result(PATIENCE) is None
    assert eventually(lambda: gated.counts("rear").processed == 1)
    front = gated.counts("front")
    assert (front.received, front.failed, front.failed_in_a_row) == (1, 1, 1)
    assert "did not answer" in front.last_error
    assert gated.handed == []  # nobody knows what the hung thread does to its memory
    assert gated.pipes[1].seen == [{"rear": "waiting"}]

    first.gate.set()
    assert first.closed.wait(PATIENCE)
    assert len(first.threads) == 1
    gated.offer_and_wait("next", "front")
    assert gated.delivered == [{"rear": "waiting"}, {"front": "next"}]
    assert gated.counts("front").processed == 1
    assert gated.counts("front").failed == 1


def test_a_hung_engine_that_fails_later_is_not_heard_of(gated):
    first = gated.pipes[0]
    gated.worker.offer(Poison("too late"))
    assert first.begun.acquire(timeout=PATIENCE)
    coming = gated.worker.abandon(gated.opener("second"))
    assert coming is not None
    coming.result(PATIENCE)
    first.gate.set()
    assert first.closed.wait(PATIENCE)
    assert gated.reported == []
    assert gated.counts().failed == 1


def test_it_is_known_as_hung_until_a_frame_goes_through(gated):
    gated.worker.offer("lost", "front")
    assert gated.pipes[0].begun.acquire(timeout=PATIENCE)
    coming = gated.worker.abandon(gated.opener("second"))
    assert coming is not None
    coming.result(PATIENCE)
    assert gated.counts("front").hangs
    gated.offer_and_wait(Bad("not this one"), "front")
    assert gated.counts("front").hangs
    gated.offer_and_wait("good", "rear")
    assert not gated.counts("front").hangs


def test_what_does_not_hang_is_not_given_up(gated):
    worker, first = gated.worker, gated.pipes[0]
    assert worker.busy_for() == 0.0
    assert worker.abandon(gated.opener("second")) is None
    worker.offer("in hand")
    assert first.begun.acquire(timeout=PATIENCE)
    assert worker.abandon(gated.opener("second"), longer_than=60.0) is None
    first.gate.set()
    assert eventually(lambda: gated.counts().processed == 1)
    assert len(gated.pipes) == 1


def test_after_a_failed_reload_another_replace_brings_it_back(gated):
    def broken() -> Pipe:
        raise OSError("no memory")

    gated.worker.offer("lost")
    assert gated.pipes[0].begun.acquire(timeout=PATIENCE)
    coming = gated.worker.abandon(broken)
    assert coming is not None
    with pytest.raises(OSError, match="no memory"):
        coming.result(PATIENCE)
    gated.worker.offer("waiting")
    assert gated.worker.abandon(gated.opener("again")) is None
    gated.worker.replace(gated.opener("second")).result(PATIENCE)
    assert eventually(lambda: gated.counts().processed == 1)
    assert gated.counts().failed == 1


def test_a_hung_engine_gives_way_to_the_model_that_was_coming_anyway(gated):
    gated.worker.offer("lost")
    assert gated.pipes[0].begun.acquire(timeout=PATIENCE)
    coming = gated.worker.replace(gated.opener("second"))
    assert gated.worker.abandon(gated.opener("third")) is coming
    assert coming.result(PATIENCE) is None
    gated.offer_and_wait("next")
    assert [pipe.name for pipe in gated.pipes] == ["first", "second"]


def test_stop_tells_of_a_hung_thread_of_old(gated):
    gated.worker.offer("lost")
    assert gated.pipes[0].begun.acquire(timeout=PATIENCE)
    coming = gated.worker.abandon(gated.opener("second"))
    assert coming is not None
    coming.result(PATIENCE)
    assert not gated.worker.stop(timeout=0.1)
    assert gated.pipes[1].closed.wait(PATIENCE)
    gated.pipes[0].gate.set()
    assert gated.worker.stop(PATIENCE)


# --- everything at once ---


@pytest.mark.parametrize("seed", range(5))
def test_every_frame_is_accounted_for_whatever_happens_at_once(seed):
    """Cameras, model changes, watchdog and parameter changes from threads of their own."""
    import random

    rig = Rig()
    worker = rig.worker
    assert worker.start()
    end = time.monotonic() + 0.6
    offered = dict.fromkeys(("front", "rear", "left"), 0)
    posted: list[object] = []
    futures: list[Future[None]] = []

    def broken() -> Pipe:
        raise OSError("damaged")

    def camera(name: str, dice: random.Random) -> None:
        while time.monotonic() < end:
            kind = dice.random()
            worker.offer(Bad() if kind < 0.1 else Poison() if kind < 0.15 else kind, name)
            offered[name] += 1
            time.sleep(dice.random() * 0.002)

    def changes(dice: random.Random) -> None:
        while time.monotonic() < end:
            opener = broken if dice.random() < 0.3 else rig.opener("other")
            futures.append(worker.replace(opener))
            time.sleep(dice.random() * 0.01)

    def watchdog(dice: random.Random) -> None:
        while time.monotonic() < end:
            coming = worker.abandon(rig.opener("rescue"))
            if coming is not None:
                futures.append(coming)
            time.sleep(dice.random() * 0.02)

    def looks(dice: random.Random) -> None:
        while time.monotonic() < end:
            worker.post(posted.append)
            for counts in worker.counts().values():
                assert counts.received == settled(counts) + counts.waiting
            time.sleep(dice.random() * 0.005)

    work = [(camera, name) for name in offered] + [(changes,), (watchdog,), (looks,)]
    threads = [
        threading.Thread(target=target, args=(*more, random.Random(f"{seed} {index}")))
        for index, (target, *more) in enumerate(work)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    if all(each.exception(PATIENCE) for each in futures[-1:]):
        # The last thing was a failed reload after a hang: as after any, another one mends it.
        worker.replace(rig.opener("mended")).exception(PATIENCE)
    assert eventually(lambda: all(c.waiting == 0 for c in worker.counts().values()))
    for name, counts in worker.counts().items():
        assert counts.received == offered[name]
        assert counts.received == settled(counts)
    assert len(rig.delivered) > 50
    assert worker.stop(PATIENCE)
    assert all(future.done() for future in futures)
    assert all(pipe.closed.is_set() for pipe in rig.pipes)
    assert all(len(pipe.threads) == 1 for pipe in rig.pipes)
