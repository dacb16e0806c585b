"""The dice behind the scenes: blends, what they leave to know, and the ceilings that follow."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import CAER7, InputError
from caer_ros.datasets.scenes import (
    PAIRS,
    RING,
    SceneControls,
    SceneStream,
    both_ceiling,
    ceilings,
    confusers,
    context_ceiling,
    face_ceiling,
    face_posterior,
)
from caer_ros.datasets.scenes.clip import TURNS
from caer_ros.datasets.scenes.facs import MOVEMENTS, PROTOTYPES, blend_face, draw_blend

unit = st.floats(0, 1)


def test_the_ring_has_every_emotion_and_every_pair_twice_over() -> None:
    assert sorted(RING) == sorted(CAER7)
    assert Counter(name for pair in PAIRS for name in pair) == dict.fromkeys(CAER7, 2)
    for label in CAER7:
        assert all(label in confusers(other) for other in confusers(label))
    assert ("Fear", "Surprise") in PAIRS
    assert ("Disgust", "Anger") in PAIRS


def test_prototypes_differ_and_stay_in_range() -> None:
    faces = np.stack([PROTOTYPES[label] for label in CAER7])
    assert faces.shape == (7, len(MOVEMENTS))
    assert np.abs(faces).max() <= 1
    apart = np.abs(faces[:, None] - faces[None]).sum(axis=2) + 9 * np.eye(7)
    assert apart.min() > 1.5


def test_full_ambiguity_leaves_the_same_faces_for_both_of_a_pair() -> None:
    # Quantile by quantile: the sorted places of A's faces and of B's faces on the pair's axis.
    count = 40000
    mine, theirs = np.random.default_rng(1), np.random.default_rng(2)
    a = np.sort([draw_blend(1.0, mine) for _ in range(count)])
    b = np.sort([1 - draw_blend(1.0, theirs) for _ in range(count)])
    assert np.abs(a - b).max() < 0.02
    # And the two ends of the axis are the same faces seen from either emotion.
    for first, second in PAIRS:
        np.testing.assert_allclose(
            blend_face(first, second, 0.3), blend_face(second, first, 0.7), atol=1e-12
        )


def test_no_ambiguity_is_the_prototype() -> None:
    rng = np.random.default_rng(0)
    assert {draw_blend(0.0, rng) for _ in range(50)} == {0.0}


def test_ceilings_by_hand() -> None:
    # a = 0.8: the triangle's part beyond 1 / 1.6 is 2 (1 - 0.625)^2 = 0.28125.
    assert face_ceiling(0.8) == pytest.approx(1 - 0.28125)
    assert face_ceiling(0.5) == 1
    assert face_ceiling(1.0) == pytest.approx(0.5)
    # An object in every scene, right in 9 of 10.
    assert context_ceiling(0.9) == pytest.approx(0.9)
    # Half of the failing scenes have none, where one in seven guesses is right.
    assert context_ceiling(0.9, 0.5) == pytest.approx(0.9 + 0.05 / 7)
    assert context_ceiling(1 / 7) == pytest.approx(1 / 7)
    # a = 1: the object decides between two; it is of a third emotion with 5/6 of 0.1.
    assert both_ceiling(1.0, 0.9) == pytest.approx(0.9 + 0.5 * 0.1 * 5 / 6)
    assert both_ceiling(0.0, 0.2) == pytest.approx(1.0)
    assert ceilings(0.0, 1 / 7) == ceilings(0.5, 1 / 7)


@pytest.mark.parametrize(("ambiguity", "reliability", "absent"), [(0.8, 0.7, 0.25), (0.65, 0.4, 0)])
def test_ceilings_by_simulation(ambiguity: float, reliability: float, absent: float) -> None:
    rng = np.random.default_rng(5)
    count = 200_000
    share = ambiguity * rng.random((2, count)).mean(axis=0)
    other = (1 - reliability) * (1 - absent) / 6
    # Odds of the label against its confuser, from the face and from the object.
    t, u = share / ambiguity, (1 - share) / ambiguity
    mine = np.minimum(t, 1 - t).clip(0)
    theirs = np.minimum(u, 1 - u).clip(0)
    kind = rng.random(count)
    names_label = kind < reliability
    names_confuser = (kind >= reliability) & (kind < reliability + other)
    mine = mine * np.where(names_label, reliability, np.where(names_confuser, other, 1))
    theirs = theirs * np.where(names_label, other, np.where(names_confuser, reliability, 1))
    simulated = (mine > theirs).mean() + 0.5 * (mine == theirs).mean()
    assert both_ceiling(ambiguity, reliability, absent) == pytest.approx(simulated, abs=0.005)
    assert face_ceiling(ambiguity) == pytest.approx((share < 0.5).mean(), abs=0.005)


def test_the_stream_reaches_its_context_ceiling() -> None:
    controls = SceneControls(ambiguity=0.9, reliability=0.6, absent=0.3)
    specs = [SceneStream(4, "train", controls).spec(i) for i in range(7 * 600)]
    outcomes = Counter(spec.outcome for spec in specs)
    assert outcomes["right"] / len(specs) == pytest.approx(0.6, abs=0.03)
    assert outcomes["none"] / len(specs) == pytest.approx(0.12, abs=0.02)
    nearer = np.mean([spec.subject.share < 0.5 for spec in specs])
    assert nearer == pytest.approx(controls.ceilings().face, abs=0.03)


@settings(max_examples=30, deadline=None)
@given(unit, unit, unit)
def test_both_is_never_worse_than_either(a: float, r: float, n: float) -> None:
    best = ceilings(a, r, n)
    assert best.both >= best.face - 1e-9
    assert best.both >= best.context - 1e-9
    assert 1 / 7 - 1e-9 <= best.context <= 1 + 1e-9
    assert 0.5 - 1e-9 <= best.face <= 1
    assert best.both <= 1 + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.tuples(unit, unit).map(sorted), st.tuples(unit, unit).map(sorted), unit)
def test_ceilings_are_monotone(a: list[float], r: list[float], n: float) -> None:
    assert face_ceiling(a[0]) >= face_ceiling(a[1]) - 1e-9
    assert both_ceiling(a[0], r[0], n) >= both_ceiling(a[1], r[0], n) - 1e-6
    # More reliable is better wherever an object is right more often than chance.
    low, high = (1 / 7 + r[0] * 6 / 7, 1 / 7 + r[1] * 6 / 7)
    assert context_ceiling(low, n) <= context_ceiling(high, n) + 1e-9
    assert both_ceiling(a[0], low, n) <= both_ceiling(a[0], high, n) + 1e-6


def test_a_range_of_ambiguities_lies_between_its_ends() -> None:
    wide, easy, hard = ceilings((0.5, 1.0), 0.8), ceilings(0.5, 0.8), ceilings(1.0, 0.8)
    assert hard.face < wide.face < easy.face
    assert hard.both < wide.both < easy.both
    assert wide.face == pytest.approx(
        np.mean([face_ceiling(x) for x in np.linspace(0.5, 1, 2001)]), abs=1e-3
    )


def test_posterior_of_a_face() -> None:
    assert face_posterior(0.0, 0.0) == 1
    assert face_posterior(0.4, 1.0) == pytest.approx(0.5)
    assert face_posterior(0.5, 0.7) == pytest.approx(0.5)
    assert face_posterior(0.1, 0.8) == 1
    assert face_posterior(0.55, 0.8) < 0.5


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_out_of_range(value: float) -> None:
    with pytest.raises(InputError, match="not within 0 to 1"):
        face_ceiling(value)
    with pytest.raises(InputError, match="not within 0 to 1"):
        SceneControls(ambiguity=value)
    with pytest.raises(InputError, match="Reliability"):
        SceneControls(reliability=value)
    with pytest.raises(InputError, match="not within 0 to 1"):
        SceneControls(ambiguity=(0.9, 0.2))


def test_neighbours_never_move_alike() -> None:
    for first, second in PAIRS:
        assert TURNS[first] != TURNS[second]
    assert all(k % 2 for k in TURNS.values())
