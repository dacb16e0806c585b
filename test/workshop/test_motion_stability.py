"""How right and how steady: by hand, and against the pipeline's own smoothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from caer_ros.core import Box, EmotionEstimate, InputError, PersonEmotion
from caer_ros.evaluation.motion.footage import Footage
from caer_ros.evaluation.motion.rivals import Said, said, smoothed, watch
from caer_ros.evaluation.motion.stability import Gain, Tally, gain, judged_frames, tally
from caer_ros.perception.clip_config import ClipConfig
from caer_ros.perception.scene import Scene
from caer_ros.perception.smoothing import SmoothedEstimate
from caer_ros.perception.smoothing_config import SmoothingConfig
from caer_ros.perception.stage import PlainStage

LABELS = ("Sad", "Happy")


def estimate(happy: float, lag: float = 0.0) -> EmotionEstimate:
    return EmotionEstimate("toy", LABELS, np.array([1 - happy, happy], np.float32), lag=lag)


def answers(happy: Sequence[float | None]) -> Said:
    return said([None if p is None else estimate(p) for p in happy], 2)


def test_by_hand() -> None:
    found = answers([None, 0.9, 0.4, 0.4, 0.6])
    every = np.array([False, True, True, True, True])
    result = tally([found], [1], [every], [np.ones(5, bool)]).stability()
    assert result.accuracy == 2 / 4
    assert result.changes == 2 / 3
    assert result.movement == pytest.approx((0.5 + 0.0 + 0.2) / 3)
    assert result.answered == 4 / 5


def test_pairs_do_not_reach_over_a_frame_that_is_not_judged() -> None:
    found = answers([0.9, 0.1, 0.1, 0.9])
    judged = np.array([True, False, True, True])
    result = tally([found], [1], [judged], [judged]).stability()
    assert result.changes == 1.0
    assert result.movement == pytest.approx(0.8)


def test_every_frame_counts_once_over_all_clips() -> None:
    long, short = answers([0.9] * 9), answers([0.1])
    masks = [np.ones(9, bool), np.ones(1, bool)]
    assert tally([long, short], [1, 1], masks, masks).stability().accuracy == 0.9


def test_judged_are_the_frames_that_all_have_answered() -> None:
    one, other = answers([None, 0.5, 0.5, 0.5]), answers([0.5, 0.5, None, 0.5])
    assert judged_frames([one, other], [0, 1, 2, 5], 0).tolist() == [False, True, False, True]
    assert judged_frames([one, other], [0, 1, 2, 5], 2).tolist() == [False, False, False, True]


def test_nothing_to_judge_is_said() -> None:
    found, nothing = answers([None, None]), np.zeros(2, bool)
    with pytest.raises(InputError, match="no frame that all"):
        tally([found], [1], [nothing], [np.ones(2, bool)]).stability()


def counts(right: Sequence[int]) -> Tally:
    zero = np.zeros(len(right))
    frames = np.full(len(right), 10)
    return Tally(frames, np.array(right), zero, zero, zero, zero, frames, frames)


def test_a_gain_that_every_clip_shows_is_no_chance() -> None:
    found = gain(counts([8, 6, 9, 7] * 5), counts([6, 4, 7, 5] * 5))
    assert found.mean == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.2, 0.2))
    assert found.verdict == "better"
    assert gain(counts([1] * 9), counts([3] * 9)).verdict == "worse"


def test_a_gain_that_few_clips_show_may_be_chance() -> None:
    found = gain(counts([10, 0, 0, 10, 10]), counts([0, 10, 0, 0, 10]))
    assert found.mean == pytest.approx(0.2)
    assert found.low < 0 < found.high
    assert found.verdict == "none"
    assert gain(counts([10, 0, 0, 10, 10]), counts([0, 10, 0, 0, 10])) == found


def test_a_gain_of_nothing_is_none() -> None:
    assert gain(counts([5, 7]), counts([5, 7])) == Gain(0.0, 0.0, 0.0)
    assert gain(counts([5, 7]), counts([5, 7])).verdict == "none"


def test_smoothing_is_the_pipelines() -> None:
    stamps = [k / 10 for k in range(5)]
    raw = [estimate(p) for p in (0.9, 0.1, 0.9, 0.1, 0.9)]
    config = SmoothingConfig(time_constant=0.5)
    after = smoothed(list(raw), stamps, config)
    kept = np.exp(-0.1 / 0.5)
    assert after[1].probabilities[1] == pytest.approx(kept * 0.9 + (1 - kept) * 0.1)
    assert isinstance(after[1], SmoothedEstimate)
    assert said(raw, 2).shown.tolist() == [1, 0, 1, 0, 1]
    assert said(after, 2).shown.tolist() == [1] * 5
    assert (said(after, 2).lag[1:] > 0).all()


def test_smoothing_waits_where_nothing_is_said() -> None:
    after = smoothed([None, estimate(0.9), None], [0.0, 0.1, 0.2], SmoothingConfig())
    assert [e is None for e in after] == [True, False, True]


class Counting(PlainStage):
    """Says how many people it was shown so far, as a share of ten."""

    def __init__(self) -> None:
        self.seen: list[Scene] = []

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        for scene in scenes:
            self.seen.append(scene)
            scene.people = tuple(
                PersonEmotion(p.face, estimates=(estimate(len(self.seen) / 10),), track_id="x")
                for p in scene.people
            )


def test_a_stage_sees_frames_faces_and_times() -> None:
    frames = tuple(np.full((20, 20, 3), grey, np.uint8) for grey in (1, 2, 3))
    inside, outside, other = Box(2, 2, 8, 8), Box(30, 2, 38, 8), Box(12, 2, 18, 8)
    footage = Footage(frames, ((inside, other), (outside, other), (inside,)), (0, 2, 3))
    stage = Counting()
    found = said(watch(stage, footage, [0.0, 0.2, 0.3], ClipConfig()), 2)
    assert [int(scene.image[0, 0, 0]) for scene in stage.seen] == [1, 2, 3]
    assert [scene.stamp for scene in stage.seen] == [0.0, 0.2, 0.3]
    # The other one's face is hidden, but never taken for the person's.
    assert [scene.faces for scene in stage.seen] == [(inside, other), (other,), (inside,)]
    assert found.spoke.tolist() == [True, False, True]
    assert found.probabilities[[0, 2], 1] == pytest.approx([0.1, 0.3])
    assert np.isnan(found.probabilities[1]).all()
