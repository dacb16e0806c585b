"""Frames at 30 Hz and 1280x720: every one is accounted for, no stamp is wrong, nothing grows."""

from __future__ import annotations

import os
import time

import cv2
import numpy as np
import pytest

from caer_msgs.msg import PersonEmotionArray

SLOW = bool(os.environ.get("CAER_SLOW"))
SECONDS, WARM_UP = (600.0, 60.0) if SLOW else (20.0, 5.0)
# A single 720p image that is kept is 1 %.
GROWTH = 0.02 if SLOW else 0.1


def counts(probe) -> dict[str, int]:
    values = probe.values("frames")
    return {key: int(values[key]) for key in ("in", "out", "dropped", "failed", "waiting")}


def settled(probe) -> dict[str, int]:
    """The counts once nothing is under way."""
    before = counts(probe)
    for _ in range(10):
        now = counts(probe)
        if now == before and now["waiting"] == 0:
            return now
        before = now
    raise AssertionError(f"frames are under way for ever: {before}")


@pytest.mark.slow
def test_every_frame_is_accounted_for_and_nothing_grows(stage, astronaut):
    image = np.full((720, 1280, 3), 90, np.uint8)
    image[100:612, 300:812] = astronaut
    mirrored = cv2.flip(image, 1)
    node, probe = stage.active_node(), stage.probe
    assert probe.ask(image) is not None
    # On a busy machine this process falls behind: its queue must hold what it reads late.
    answers: list[PersonEmotionArray] = []
    probe.node.create_subscription(PersonEmotionArray, "/emotions", answers.append, 1000)
    assert probe.until(lambda: probe.node.count_subscribers("/emotions") == 2)
    assert probe.until(lambda: probe.ask(image) is not None and bool(answers))
    start = settled(probe)
    answers.clear()
    sent: list[tuple[int, int]] = []
    memory: list[tuple[float, float]] = []
    begin = time.monotonic()
    while (now := time.monotonic() - begin) < SECONDS:
        header = probe.send(mirrored if len(sent) % 40 < 20 else image, sec=2000 + len(sent))
        sent.append((header.stamp.sec, header.stamp.nanosec))
        if len(sent) % 30 == 0:
            memory.append((now, node.memory_mb()))
        probe.spin(max(0.001, begin + len(sent) / 30 - time.monotonic()))
    end = settled(probe)

    grown = {key: end[key] - start[key] for key in end}
    assert grown["failed"] == 0, node.output
    assert 0 < grown["in"] <= len(sent)
    assert grown["dropped"] == grown["in"] - grown["out"]
    assert len(answers) == grown["out"] > 0
    stamps = [(a.header.stamp.sec, a.header.stamp.nanosec) for a in answers]
    assert set(stamps) <= set(sent)
    assert stamps == sorted(set(stamps))  # each once, in order
    assert {len(answer.people) for answer in answers} == {1}

    later = [size for seconds, size in memory if seconds > WARM_UP]
    quarter = max(1, len(later) // 4)
    first, last = np.median(later[:quarter]), np.median(later[-quarter:])
    assert last < first * (1 + GROWTH), memory
