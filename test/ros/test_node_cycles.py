"""The life cycle over and over: the node keeps nothing of what it let go."""

from __future__ import annotations

import os

import numpy as np
import pytest
from lifecycle_msgs.srv import ChangeState

GREY = np.full((240, 320, 3), 120, np.uint8)
SLOW = bool(os.environ.get("CAER_SLOW"))


class Cycler:
    """Takes a node through its life cycle with one service client, as discovery takes its time."""

    def __init__(self, stage) -> None:
        self._probe = stage.probe
        self._client = self._probe.node.create_client(ChangeState, "/emotion_node/change_state")
        assert self._probe.until(self._client.service_is_ready, 30.0)

    def change(self, transition: str) -> None:
        request = ChangeState.Request()
        request.transition.label = transition
        future = self._client.call_async(request)
        assert self._probe.until(future.done, 30.0), transition
        assert future.result().success, transition

    def cycle(self, with_frame: bool) -> None:
        self.change("configure")
        self.change("activate")
        if with_frame:
            heard = self._probe.until(lambda: self._probe.camera.get_subscription_count() == 1)
            assert heard
            assert self._probe.ask(GREY) is not None
        self.change("deactivate")
        self.change("cleanup")


def growth(node, cycler: Cycler, warm_up: int, cycles: int) -> float:
    """How much more memory the node has after so many cycles, as a share of what it had before."""
    for _ in range(warm_up):
        cycler.cycle(with_frame=True)
    before = node.memory_mb()
    for number in range(cycles):
        cycler.cycle(with_frame=number % 5 == 4)
    return node.memory_mb() / before - 1


@pytest.mark.skipif(SLOW, reason="the long form runs")
def test_a_few_cycles_keep_no_memory(stage, photos):
    node = stage.node(autostart=False)
    # What one cycle loads is a fifth of the node: of seven, none may be kept.
    assert growth(node, Cycler(stage), 3, 7) < 0.1


@pytest.mark.skipif(not SLOW, reason="minutes: set CAER_SLOW=1 to run it")
@pytest.mark.slow
def test_a_hundred_cycles_keep_no_memory(stage, photos):
    node = stage.node(autostart=False)
    assert growth(node, Cycler(stage), 10, 100) < 0.02
