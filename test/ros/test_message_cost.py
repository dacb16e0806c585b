"""The cost of messages around a frame, for `caer bench report`."""

from __future__ import annotations

import json

import pytest

from caer_ros.ros.message_cost import STEPS, main, message_cost


def test_each_step_has_a_time() -> None:
    found = message_cost(64, 48, people=2, rounds=5)
    assert tuple(found) == STEPS
    assert all(0 < ms < 1000 for ms in found.values())


def test_it_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--width", "64", "--height", "48", "--rounds", "3"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(STEPS)
