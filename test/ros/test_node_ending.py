"""The process ends at once, with code 0 and in silence, whenever it is asked to."""

from __future__ import annotations

import signal
import time

import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_two_seconds_while_frames_flow(stage, astronaut, number):
    node = stage.active_node()
    for index in range(20):
        stage.probe.send(astronaut, sec=index + 1)
        stage.probe.spin(0.02)
    begin = time.monotonic()
    node.signal(number)
    assert node.wait(5.0) == 0
    assert time.monotonic() - begin < 2.0
    assert "Traceback" not in node.output, node.output
    assert "Error" not in node.output, node.output


@pytest.mark.parametrize("after", [0.3, 0.8, 1.3])
def test_it_ends_quietly_while_it_starts(stage, photos, after):
    node = stage.node()
    time.sleep(after)
    begin = time.monotonic()
    node.signal(signal.SIGINT)
    node.signal(signal.SIGINT)  # a terminal and `ros2 launch` both send one
    assert node.wait(5.0) == 0, node.output
    assert time.monotonic() - begin < 2.0
    assert "Traceback" not in node.output, node.output
    assert "Not configured" not in node.output, node.output
