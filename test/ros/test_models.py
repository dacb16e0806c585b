"""Models that change while frames flow: what runs, what is said, what a failure leaves behind."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque

import pytest

pytest.importorskip("rclpy")

from rclpy.logging import get_logger

from caer_ros.core import BundleError, InputError
from caer_ros.perception import PipelineConfig
from caer_ros.ros import models as module
from caer_ros.ros.models import Models
from caer_ros.ros.worker import Worker


class Fake:
    """A pipeline that says its model's name for every frame."""

    notice = ""

    def __init__(self, config: PipelineConfig) -> None:
        self.config = config
        self.closed = False
        self.adopted: list[Fake] = []
        self.updates: list[dict[str, object]] = []

    def describe(self) -> dict[str, str]:
        return {"model": self.config.model, "precision": self.config.precision}

    def adopt(self, other: Fake) -> None:
        self.adopted.append(other)

    def update(self, **changes: object) -> None:
        self.updates.append(changes)

    def close(self) -> None:
        self.closed = True


class Bench:
    """Models on fake pipelines; `run` does what the executor would do."""

    def __init__(self, monkeypatch, commands=lambda config: []) -> None:
        self.opened: list[Fake] = []
        self.out: list[str] = []
        self.hang = threading.Event()
        self.hangs_now = False
        self.broken = False
        self.gate = threading.Event()
        self.gate.set()
        self.soon: deque = deque()
        monkeypatch.setattr(module.Pipeline, "open", self.open)
        self.models = Models(
            PipelineConfig(model="first"),
            self.worker,
            self.soon.append,
            get_logger("test"),
            commands,
        )
        assert self.models.start(lambda: False)

    def open(self, config: PipelineConfig) -> Fake:
        if config.model == "missing" or self.broken:
            raise BundleError("No such bundle.", "Install it.")
        assert self.gate.wait(5)
        self.opened.append(Fake(config))
        return self.opened[-1]

    def worker(self, opened) -> Worker:
        return Worker(opened, self.work, self.deliver, hand_over=lambda old, new: new.adopt(old))

    def work(self, pipeline: Fake, frames) -> str:
        if self.hangs_now:
            assert self.hang.wait(5)
        return pipeline.config.model

    def deliver(self, model: str) -> dict:
        self.out.append(model)
        return {}

    def run(self, condition, timeout: float = 5.0) -> bool:
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                return False
            while self.soon:
                self.soon.popleft()()
            time.sleep(0.005)
        return True

    def frame(self) -> str:
        before = len(self.out)
        self.models.worker.offer(object())
        assert self.run(lambda: len(self.out) > before)
        return self.out[-1]


@pytest.fixture
def bench(monkeypatch):
    made = Bench(monkeypatch)
    yield made
    made.hang.set()
    made.gate.set()
    assert made.models.stop()
    assert all(each.closed for each in made.opened)


def test_a_change_is_loaded_beside_what_runs_and_then_runs(bench):
    assert bench.frame() == "first"
    bench.gate.clear()
    told: list = []
    bench.models.change({"model": "second", "precision": "int8"}, told.append)
    assert bench.models.changing == "model second, precision int8"
    assert bench.frame() == "first"  # it is not there yet
    assert told == []
    bench.gate.set()
    assert bench.run(lambda: told == [None])
    assert bench.frame() == "second"
    assert bench.models.changing == bench.models.change_error == ""
    assert bench.run(lambda: bench.models.about == {"model": "second", "precision": "int8"})
    first, second = bench.opened
    assert second.adopted == [first]
    assert first.closed
    assert bench.models.config.precision == "int8"


def test_a_change_that_fails_leaves_everything_and_says_why(bench):
    told: list = []
    bench.models.change({"model": "missing"}, told.append)
    assert bench.run(lambda: bool(told))
    assert isinstance(told[0], BundleError)
    assert bench.models.change_error == "No such bundle. Install it."
    assert bench.models.config.model == "first"
    assert bench.frame() == "first"
    bench.models.change({"model": "second"}, told.append)
    assert bench.run(lambda: len(told) == 2)
    assert bench.models.change_error == ""


def test_a_value_out_of_range_is_told_at_once(bench):
    told: list = []
    bench.models.change({"max_people": 0}, told.append)
    assert isinstance(told[0], InputError)
    assert bench.models.changing == ""


def test_one_change_at_a_time(bench):
    bench.gate.clear()
    told: list = []
    bench.models.change({"model": "second"}, lambda error: told.append(("second", error)))
    bench.models.change({"model": "third"}, lambda error: told.append(("third", error)))
    assert bench.run(lambda: len(told) == 1)
    name, error = told[0]
    assert name == "third"
    assert "Another model is being loaded" in str(error)
    bench.gate.set()
    assert bench.run(lambda: ("second", None) in told)
    assert bench.frame() == "second"


def test_a_refused_change_hides_nothing_of_the_one_that_is_coming(bench):
    bench.gate.clear()
    told: list = []
    bench.models.change({"model": "second"}, told.append)
    bench.models.change({"model": "third"}, told.append)
    assert bench.run(lambda: len(told) == 1)
    assert bench.models.changing == "model second"
    assert bench.models.change_error == ""


def test_a_threshold_that_is_set_while_a_model_loads_holds_for_it(bench):
    bench.gate.clear()
    told: list = []
    bench.models.change({"model": "second"}, told.append)
    bench.models.update(min_face=40.0)
    bench.gate.set()
    assert bench.run(lambda: told == [None])
    assert bench.frame() == "second"
    assert bench.models.config.min_face == 40.0
    assert bench.opened[1].updates[-1]["min_face"] == 40.0


def hang(bench) -> None:
    """Let the engine hang on a frame until the watchdog sees it."""
    bench.hangs_now = True
    bench.models.worker.offer("stuck")
    assert bench.run(lambda: bench.models.worker.busy_for() > 0.05)
    bench.hangs_now = False
    bench.models.watch(0.05)
    assert bench.models.hung == 1


def test_an_engine_that_hangs_while_a_model_loads_gives_way_to_it(bench):
    bench.gate.clear()
    told: list = []
    bench.models.change({"model": "second"}, told.append)
    hang(bench)
    bench.gate.set()
    assert bench.run(lambda: told == [None])
    assert bench.frame() == "second"
    assert bench.run(lambda: not bench.soon)
    assert bench.models.about["model"] == "second"
    assert [each.config.model for each in bench.opened] == ["first", "second"]


def test_models_that_can_not_be_loaded_anew_are_tried_again(bench):
    bench.broken = True
    hang(bench)
    assert bench.run(lambda: bench.models.change_error != "")
    bench.models.watch(0.05)
    assert bench.run(lambda: bench.models.changing == "")
    bench.models.worker.offer("waits")
    bench.broken = False
    bench.models.watch(0.0)
    assert bench.run(lambda: bench.out == ["first"])
    assert bench.run(lambda: bench.models.change_error == "")
    assert len(bench.opened) == 2
    bench.models.watch(0.05)
    assert bench.models.changing == ""


def test_an_engine_that_hangs_is_given_up_and_loaded_anew(bench):
    assert bench.frame() == "first"
    bench.models.watch(0.05)
    assert bench.models.hung == 0  # nothing is in hand
    bench.hangs_now = True
    bench.models.worker.offer("stuck")
    assert bench.run(lambda: bench.models.worker.busy_for() > 0.05)
    bench.models.watch(0.0)
    assert bench.models.hung == 0  # 0: never
    bench.hangs_now = False
    bench.models.watch(0.05)
    assert bench.models.hung == 1
    assert bench.run(lambda: len(bench.opened) == 2)
    assert bench.frame() == "first"
    bench.hang.set()  # what the old thread says now is thrown away
    assert bench.run(lambda: bench.opened[0].closed)
    assert bench.out == ["first", "first"]
    (counts,) = bench.models.worker.counts().values()
    assert (counts.received, counts.processed, counts.failed) == (3, 2, 1)


def test_engines_are_built_in_the_background_then_run(monkeypatch):
    command = [
        sys.executable,
        "-c",
        "import sys, time; print('half', file=sys.stderr, flush=True); time.sleep(1)",
    ]
    bench = Bench(monkeypatch, lambda config: [command])
    try:
        bench.models.build_missing()
        assert bench.run(lambda: bench.models.building == "half")
        assert bench.frame() == "first"
        assert bench.run(lambda: len(bench.opened) == 2, 10.0)
        assert bench.run(lambda: bench.opened[0].closed)
        assert bench.models.building == ""
        assert bench.frame() == "first"
    finally:
        assert bench.models.stop()


def test_a_build_that_fails_is_told_and_the_cpu_goes_on(monkeypatch):
    command = [sys.executable, "-c", "import sys; sys.exit('no room on the disk')"]
    bench = Bench(monkeypatch, lambda config: [command])
    try:
        bench.models.build_missing()
        assert bench.run(lambda: "no room on the disk" in bench.models.change_error, 10.0)
        assert bench.frame() == "first"
        assert len(bench.opened) == 1
    finally:
        assert bench.models.stop()
