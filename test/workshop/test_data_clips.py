"""Which frames a clip network sees, and how its windows are averaged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caer_ros.datasets.clips import (
    LENGTH,
    STRIDE,
    all_windows,
    average_windows,
    sample_frames,
    training_clip,
)

COUNTS = st.integers(1, 400)
RATES = st.sampled_from([5.0, 10.0, 12.5, 15.0, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 60.0])


def test_ten_frames_a_second_of_known_videos():
    assert sample_frames(30, 30).tolist() == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]
    assert sample_frames(10, 25).tolist() == [0, 2, 5, 7]
    assert sample_frames(12, 10).tolist() == list(range(12))
    # Slower than 10 a second: what a player would show at those times.
    assert sample_frames(3, 5).tolist() == [0, 0, 1, 1, 2, 2]
    # The shortest clips of CAER have 30 frames, the mean has 84 (Table 1).
    assert len(sample_frames(30, 25)) == 12
    assert len(sample_frames(84, 25)) == 34


@given(COUNTS, RATES)
def test_samples_are_in_order_inside_and_evenly_spaced(count, fps):
    indices = sample_frames(count, fps)
    assert indices[0] == 0
    assert 0 <= indices.min() <= indices.max() < count
    assert len(indices) == pytest.approx(count * 10 / fps, abs=1)
    steps = np.diff(indices)
    assert set(steps) <= {int(fps // 10), int(-(-fps // 10))}
    # No sample is missing at the end: the next one would lie behind the video.
    assert len(indices) / 10 >= count / fps - 1e-9


def test_windows_of_known_lengths():
    def starts(count):
        return all_windows(count)[:, 0].tolist()

    assert starts(16) == [0]
    assert starts(24) == [0, 8]
    assert starts(31) == [0, 8, 15]
    assert starts(34) == [0, 8, 16, 18]
    short = all_windows(10)
    assert short.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5]]


@given(COUNTS)
def test_every_sample_is_in_a_window_and_windows_are_whole(count):
    windows = all_windows(count)
    assert windows.shape[1] == LENGTH
    assert set(windows.ravel()) == set(range(count))
    if count >= LENGTH:
        assert (np.diff(windows, axis=1) == 1).all()
        assert windows[-1, -1] == count - 1
        assert (np.diff(windows[:-1, 0]) == STRIDE).all()


@given(COUNTS, st.integers(0, 2**32 - 1))
def test_a_training_clip_is_consecutive_and_repeats_evenly(count, seed):
    clip = training_clip(count, np.random.default_rng(seed))
    assert clip.shape == (LENGTH,)
    if count >= LENGTH:
        assert clip.tolist() == list(range(clip[0], clip[0] + LENGTH))
        assert clip[-1] < count
    else:
        uses = np.bincount(clip, minlength=count)
        assert uses.max() - uses.min() <= 1
    again = training_clip(count, np.random.default_rng(seed))
    assert clip.tolist() == again.tolist()


def test_training_reaches_the_rest_of_less_than_a_clip_too():
    rng = np.random.default_rng(0)
    seen = {int(i) for _ in range(400) for i in training_clip(40, rng)}
    assert seen == set(range(40))


def test_average_of_probabilities_and_of_logits_can_differ():
    # One window is 99 % sure of class 0, two are 80 % sure of class 1.
    logits = np.log([[0.99, 0.01], [0.2, 0.8], [0.2, 0.8]])
    by_probability = average_windows(logits)
    assert by_probability == pytest.approx([(0.99 + 0.4) / 3, (0.01 + 1.6) / 3])
    assert by_probability.argmax() == 1
    # Odds multiply: 99 * 1/4 * 1/4, to the power of a third.
    odds = (99 / 16) ** (1 / 3)
    by_logit = average_windows(logits, of="logits")
    assert by_logit == pytest.approx([odds / (1 + odds), 1 / (1 + odds)])
    assert by_logit.argmax() == 0


@pytest.mark.parametrize("of", ["probabilities", "logits"])
def test_one_window_is_its_softmax_and_large_logits_do_not_overflow(of):
    assert average_windows(np.array([[1000.0, 1000.0, 0.0]]), of) == pytest.approx([0.5, 0.5, 0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: sample_frames(0, 25),
        lambda: sample_frames(10, 0),
        lambda: sample_frames(10, float("nan")),
        lambda: all_windows(0),
        lambda: all_windows(20, 16, 17),
        lambda: training_clip(0, np.random.default_rng(0)),
        lambda: average_windows(np.zeros((0, 7))),
        lambda: average_windows(np.zeros(7)),
        lambda: average_windows(np.zeros((2, 7)), of="votes"),
    ],
)
def test_nonsense_is_refused(call):
    with pytest.raises(ValueError, match=r"."):
        call()
