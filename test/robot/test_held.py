"""Estimates that are held between two answers of a model, and forgotten in time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caer_ros.core import EmotionEstimate, InputError
from caer_ros.perception.held import HeldEstimates

NOW = 1_700_000_000.25


def estimate(model="toy", lag=0.0, first=0.75) -> EmotionEstimate:
    return EmotionEstimate(model, ("a", "b"), np.array([first, 1 - first], np.float32), lag=lag)


def test_an_estimate_comes_back_with_its_age_added_to_its_lag():
    held = HeldEstimates()
    said = estimate(lag=0.75)
    held.keep("p1", said, NOW)
    for age in (0.0, 0.125, 0.5, 2.0):
        kept = held.recall("p1", "toy", NOW + age)
        assert kept.lag == pytest.approx(0.75 + age)
        assert kept.probabilities is said.probabilities
        assert kept.model == "toy"
    assert said.lag == 0.75


def test_a_newer_estimate_takes_its_place():
    held = HeldEstimates()
    held.keep("p1", estimate(first=0.75), NOW)
    held.keep("p1", estimate(first=0.25), NOW + 1)
    kept = held.recall("p1", "toy", NOW + 1.5)
    assert (kept.top_label, kept.lag) == ("b", pytest.approx(0.5))


def test_people_and_models_are_told_apart():
    held = HeldEstimates()
    held.keep("p1", estimate("one", first=1.0), NOW)
    held.keep("p1", estimate("two", first=0.0), NOW)
    held.keep("p2", estimate("one", first=0.0), NOW)
    tops = {
        (p, m): held.recall(p, m, NOW).top_label
        for p, m in (("p1", "one"), ("p1", "two"), ("p2", "one"))
    }
    assert list(tops.values()) == ["a", "b", "b"]
    assert held.recall("p2", "two", NOW) is None
    assert held.recall("", "one", NOW) is None


def test_after_the_limit_it_is_forgotten():
    held = HeldEstimates(forget_after=1.0)
    held.keep("p1", estimate(), NOW)
    assert held.recall("p1", "toy", NOW + 1.0) is not None
    assert held.recall("p1", "toy", NOW + 1.125) is None


def test_a_stamp_a_little_back_takes_off_the_lag_and_far_back_finds_nothing():
    held = HeldEstimates(forget_after=2.0)
    held.keep("p1", estimate(lag=0.75), NOW)
    lags = [held.recall("p1", "toy", NOW - back).lag for back in (0.25, 0.75, 1.5)]
    assert lags == pytest.approx([0.5, 0.0, 0.0])
    assert held.recall("p1", "toy", NOW - 2.5) is None
    # The new recording's own estimate counts, not the newer one of the old.
    held.keep("p1", estimate(first=0.0), NOW - 100)
    assert held.recall("p1", "toy", NOW - 99).top_label == "b"
    assert held.recall("p1", "toy", NOW) is None


def test_those_who_left_do_not_stay_in_memory():
    held = HeldEstimates(forget_after=1.0)
    for step in range(100):
        held.keep(f"p{step}", estimate(), NOW + step / 4)
        assert len(held) <= 5
    # Nor do those of a recording that lies in the future.
    held.keep("p0", estimate(), 0.0)
    assert len(held) == 1


def test_everybody_of_one_frame_is_held():
    held = HeldEstimates()
    for person in range(50):
        held.keep(f"p{person}", estimate(), NOW)
    assert len(held) == 50
    held.reset()
    assert len(held) == 0
    assert held.recall("p0", "toy", NOW) is None


def test_maps_are_held_likewise():
    held = HeldEstimates(forget_after=1.0)
    attention = np.full((2, 3), 1 / 6, np.float32)
    assert held.recall_map("toy", NOW) is None
    held.keep_map("toy", attention, NOW)
    assert held.recall_map("toy", NOW + 1) is attention
    assert held.recall_map("other", NOW) is None
    assert held.recall_map("toy", NOW + 1.5) is None
    held.keep_map("toy", attention, NOW)
    held.reset()
    assert held.recall_map("toy", NOW) is None


@given(st.lists(st.tuples(st.booleans(), st.floats(-5, 5)), max_size=60))
def test_what_is_recalled_was_said_last_and_is_not_too_old(steps):
    held, stamp, last = HeldEstimates(2.0), NOW, None
    for count, (says, move) in enumerate(steps):
        stamp += move
        if says:
            held.keep("p", estimate(lag=0.75, first=count / 100), stamp)
            last = (count, stamp)
        kept = held.recall("p", "toy", stamp)
        if last is None or abs(stamp - last[1]) > 2.0:
            assert kept is None
        elif kept is not None:
            assert kept.probabilities[0] == np.float32(last[0] / 100)
            assert kept.lag == max(0.0, 0.75 + stamp - last[1])
        else:
            raise AssertionError("forgotten too early")


@pytest.mark.parametrize("limit", [0.0, -1.0, math.inf, math.nan])
def test_a_limit_out_of_range_is_refused(limit):
    with pytest.raises(InputError, match="forget_after"):
        HeldEstimates(limit)
