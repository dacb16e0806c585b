"""The filter on probabilities, its lag, and the top label that is slow to change."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caer_ros.core import EmotionEstimate, InputError, PersonEmotion
from caer_ros.perception.smoothing import EmotionSmoother, SmoothedEstimate, step
from caer_ros.perception.smoothing_config import SmoothingConfig
from caer_ros.perception.steady_label import SteadyLabel

LABELS = ("a", "b", "c")
PLAIN = {"label_margin": 0.0, "label_time": 0.0}


def estimate(*probabilities, model="m", **more):
    return EmotionEstimate(
        model=model,
        labels=LABELS[: len(probabilities)],
        probabilities=np.array(probabilities, np.float32),
        **more,
    )


def person(*probabilities, track="p1", **more):
    return PersonEmotion(track_id=track, estimates=(estimate(*probabilities, **more),))


def smooth(smoother, stamp, *probabilities, **more):
    return smoother.update([person(*probabilities, **more)], stamp)[0].estimates[0]


# --- the filter ---


def test_a_sudden_change_is_seen_to_63_percent_after_one_time_constant():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=0.5, **PLAIN))
    smooth(smoother, 0.0, 1, 0, 0)
    found = smooth(smoother, 0.5, 0, 1, 0)
    assert found.probabilities == pytest.approx([math.exp(-1), 1 - math.exp(-1), 0])
    assert found.probabilities.dtype == np.float32


def test_the_hand_computed_case_with_irregular_frames():
    # Time constant 1 / ln 2: every second halves what is left of the old.
    smoother = EmotionSmoother(SmoothingConfig(time_constant=1 / math.log(2), **PLAIN))
    smooth(smoother, 10.0, 1, 0)
    assert smooth(smoother, 11.0, 0, 1).probabilities == pytest.approx([1 / 2, 1 / 2])
    assert smooth(smoother, 13.0, 0.4, 0.6).probabilities == pytest.approx([0.425, 0.575])
    # A quarter of (0.425, 0.575) and three quarters of (0.4, 0.6), in two steps of a second.
    smoother.reset()
    smooth(smoother, 11.0, 0.5, 0.5)
    smooth(smoother, 12.0, 0.4, 0.6)
    assert smooth(smoother, 13.0, 0.4, 0.6).probabilities == pytest.approx([0.425, 0.575])


@pytest.mark.parametrize("rate", [5, 30, 200])
def test_the_frame_rate_makes_no_difference(rate):
    smoother = EmotionSmoother(SmoothingConfig(time_constant=0.4, **PLAIN))
    smooth(smoother, 0.0, 1, 0)
    for stamp in np.arange(1, 2 * rate + 1) / rate:
        found = smooth(smoother, stamp, 0, 1)
    assert found.probabilities[0] == pytest.approx(math.exp(-5), rel=1e-4)


numbers = st.floats(0, 1, width=32)
seconds = st.floats(0, 10)
constants = st.floats(0.01, 10)


@st.composite
def distributions(draw, size=4):
    raw = np.array(draw(st.lists(st.floats(0.001, 1), min_size=size, max_size=size)))
    return raw / raw.sum()


@given(distributions(), distributions(), seconds, seconds, constants)
def test_two_steps_are_one_of_their_sum(old, new, first, second, constant):
    halfway, kept_first = step(old, new, first, constant)
    twice, kept_second = step(halfway, new, second, constant)
    once, kept = step(old, new, first + second, constant)
    assert np.allclose(twice, once, atol=1e-12)
    assert kept_first * kept_second == pytest.approx(kept, abs=1e-12)


@given(st.lists(distributions(), min_size=1, max_size=20), constants, st.floats(0.001, 1))
def test_a_distribution_stays_one(inputs, constant, dt):
    smoother = EmotionSmoother(SmoothingConfig(time_constant=constant))
    for frame, p in enumerate(inputs):
        people = [PersonEmotion(track_id="p", estimates=(EmotionEstimate("m", tuple("wxyz"), p),))]
        found = smoother.update(people, frame * dt)[0].estimates[0]
        assert (found.probabilities >= 0).all()
        assert found.probabilities.sum() == pytest.approx(1, abs=1e-5)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), constants)
def test_categories_of_a_multi_label_model_stay_on_their_own_and_in_range(inputs, constant):
    both = EmotionSmoother(SmoothingConfig(time_constant=constant))
    alone = EmotionSmoother(SmoothingConfig(time_constant=constant))
    for frame, (first, second) in enumerate(inputs):
        found = smooth(both, frame * 0.1, first, second, multi_label=True)
        single = smooth(alone, frame * 0.1, first, multi_label=True)
        assert found.multi_label
        assert found.probabilities[0] == single.probabilities[0]
        assert ((found.probabilities >= 0) & (found.probabilities <= 1)).all()


@given(distributions(), distributions(), constants)
def test_a_constant_input_is_reached(start, target, constant):
    value, kept = step(start, target, 40 * constant, constant)
    assert np.allclose(value, target, atol=1e-12)
    assert kept < 1e-12


def test_without_a_time_constant_probabilities_pass():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=0.0, **PLAIN))
    for stamp, p in enumerate([(0.1, 0.9), (0.7, 0.3)]):
        found = smooth(smoother, float(stamp), *p)
        assert found.probabilities.tolist() == np.float32(p).tolist()
        assert found.lag == 0


# --- lag ---


def test_the_lag_grows_to_the_time_constant():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=0.5))
    lags = [smooth(smoother, frame / 100, 1, 0).lag for frame in range(1000)]
    assert lags[0] == 0
    assert lags == sorted(lags)
    # For a constant step dt it ends at dt / (exp(dt / T) - 1), just below T - dt / 2.
    assert lags[-1] == pytest.approx(0.01 / math.expm1(0.02), rel=1e-6)
    assert lags[-1] < 0.5


def test_the_lag_is_how_far_a_ramp_is_behind():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=0.3))
    rng = np.random.default_rng(0)
    for stamp in np.cumsum(rng.uniform(0.01, 0.2, 100)) / 20:
        found = smooth(smoother, stamp, stamp, 0, multi_label=True)
        assert stamp - found.probabilities[0] == pytest.approx(found.lag, abs=1e-6)
    assert 0.2 < found.lag < 0.3


# --- people, models, gaps ---


def test_people_and_models_are_smoothed_on_their_own():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=1.0, **PLAIN))

    def crowd(p, q):
        two = (estimate(p, 1 - p, model="m"), estimate(q, 1 - q, model="n"))
        return [PersonEmotion(track_id="p1", estimates=two), person(1 - p, p, track="p2")]

    smoother.update(crowd(1.0, 0.5), 0.0)
    first, second = smoother.update(crowd(0.0, 0.5), 1.0)
    left = math.exp(-1)
    assert first.estimates[0].probabilities[0] == pytest.approx(left)
    assert first.estimates[1].probabilities[0] == pytest.approx(0.5)
    assert second.estimates[0].probabilities[1] == pytest.approx(left)
    assert len(smoother) == 3


def test_who_has_no_id_comes_back_as_he_is():
    smoother = EmotionSmoother()
    nobody = person(0.2, 0.8, track="")
    assert smoother.update([nobody], 0.0)[0] is nobody
    assert len(smoother) == 0


def test_valence_is_smoothed_weights_of_the_fusion_are_not():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=1 / math.log(2)))
    smooth(smoother, 0.0, 1, valence=-1.0, arousal=0.5, lambda_face=0.2, lambda_context=0.8)
    found = smooth(
        smoother, 1.0, 1, valence=1.0, dominance=0.5, lambda_face=0.7, lambda_context=0.3
    )
    assert found.valence == pytest.approx(0)
    assert math.isnan(found.arousal)  # the model says nothing now
    assert found.dominance == 0.5  # it said nothing before
    assert (found.lambda_face, found.lambda_context) == (0.7, 0.3)


def test_after_a_long_absence_a_person_starts_anew_and_nothing_is_kept():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=10.0, forget_after=2.0))
    smooth(smoother, 0.0, 1, 0)
    smoother.update([], 1.9)
    assert len(smoother) == 1
    smoother.update([], 2.1)
    assert len(smoother) == 0
    assert smooth(smoother, 2.2, 0, 1).probabilities.tolist() == [0, 1]


def test_other_labels_under_the_same_name_start_anew():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=10.0))
    smooth(smoother, 0.0, 1, 0)
    assert smooth(smoother, 0.1, 0, 0, 1).probabilities.tolist() == [0, 0, 1]


def test_memory_is_bounded_where_time_stands_still():
    smoother = EmotionSmoother()
    for batch in range(50):
        crowd = [person(1, 0, track=f"p{batch * 100 + i}") for i in range(100)]
        smoother.update(crowd, 0.0)
    assert len(smoother) == 4096


# --- stamps ---


def test_a_frame_that_comes_twice_counts_once():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=1.0))
    smooth(smoother, 0.0, 1, 0)
    first = smooth(smoother, 1.0, 0, 1)
    second = smooth(smoother, 1.0, 0, 1)
    assert second.probabilities.tolist() == first.probabilities.tolist()
    assert second.lag == first.lag


def test_a_clock_that_stands_still_ends_the_smoothing_and_freezes_nothing():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=1.0))
    for frame in range(30):
        p = frame / 30
        found = smooth(smoother, 5.0, p, 1 - p)
        if frame > 10:
            assert found.probabilities[0] == pytest.approx(p)
    # When it runs again, so does the smoothing.
    smooth(smoother, 6.0, 1, 0)
    assert smooth(smoother, 7.0, 0, 1).probabilities[0] == pytest.approx(math.exp(-1))


def test_a_stamp_before_the_last_starts_anew():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=10.0))
    smooth(smoother, 100.0, 1, 0)
    found = smooth(smoother, 1.0, 0, 1)
    assert found.probabilities.tolist() == [0, 1]
    assert found.lag == 0


@pytest.mark.parametrize("stamp", [math.nan, math.inf])
def test_a_stamp_that_is_not_finite_is_refused(stamp):
    with pytest.raises(InputError, match="stamp"):
        EmotionSmoother().update([], stamp)


# --- the top label ---


def test_the_shown_label_is_the_top_label_of_the_estimate():
    found = SmoothedEstimate("m", LABELS, np.array([0.5, 0.4, 0.1]), shown=1)
    assert (found.top_label, found.confidence) == ("b", 0.4)


def test_another_label_must_lead_by_the_margin_for_the_time():
    label = SteadyLabel(margin=0.2, seconds=0.5)
    a, tie, lead = [0.6, 0.4], [0.45, 0.55], [0.3, 0.7]
    assert label.update(np.array(a), 0.0) == 0
    assert label.update(np.array(tie), 0.1) == 0
    assert label.update(np.array(lead), 1.0) == 0
    assert label.update(np.array(lead), 1.4) == 0
    assert label.update(np.array(lead), 1.5) == 1
    # And the same on the way back.
    assert label.update(np.array(a), 1.6) == 1
    assert label.update(np.array(a), 2.1) == 0


def test_a_lead_that_is_lost_in_between_starts_again():
    label = SteadyLabel(margin=0.2, seconds=0.5)
    label.update(np.array([0.9, 0.1]), 0.0)
    stamps_and_leads = [(0.1, True), (0.4, False), (0.5, True), (0.9, True), (1.01, True)]
    found = [
        label.update(np.array([0.2, 0.8] if y else [0.5, 0.5]), t) for t, y in stamps_and_leads
    ]
    assert found == [0, 0, 0, 0, 1]


def test_a_lead_of_changing_rivals_is_nobodys():
    label = SteadyLabel(margin=0.1, seconds=0.5)
    label.update(np.array([0.8, 0.1, 0.1]), 0.0)
    for frame in range(1, 40):
        rivals = [0.5, 0.4] if frame % 2 else [0.4, 0.5]
        assert label.update(np.array([0.1, *rivals]), frame * 0.1) == 0


def test_without_margin_and_time_the_top_label_is_the_most_probable():
    smoother = EmotionSmoother(SmoothingConfig(time_constant=0.0, **PLAIN))
    for frame, p in enumerate(np.random.default_rng(0).dirichlet(np.ones(3), 50)):
        found = smooth(smoother, frame * 0.1, *p)
        assert found.top_label == LABELS[int(np.argmax(p))]


def test_a_flickering_model_shows_one_label():
    smoother = EmotionSmoother(SmoothingConfig())
    shown = set()
    for frame in range(100):
        p = (0.55, 0.45) if frame % 2 else (0.45, 0.55)
        shown.add(smooth(smoother, frame / 15, *p).top_label)
    assert len(shown) == 1


def test_a_real_change_is_shown_after_filter_and_time():
    smoother = EmotionSmoother(SmoothingConfig(0.5, label_margin=0.1, label_time=0.3))
    for frame in range(30):
        smooth(smoother, frame / 30, 1, 0)
    # 1 - 2 exp(-t / 0.5) reaches 0.1 after 0.40 s; 0.3 s later the new label is there.
    start = 29 / 30
    for frame in range(60):
        stamp = 1.0 + frame / 30
        if smooth(smoother, stamp, 0, 1).top_label == "b":
            break
    assert stamp - start == pytest.approx(0.5 * math.log(2 / 0.9) + 0.3, abs=2 / 30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_constant": -1.0},
        {"time_constant": float("nan")},
        {"label_margin": 1.5},
        {"label_time": -0.1},
        {"forget_after": 0.0},
    ],
)
def test_configurations_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        SmoothingConfig(**wrong)
