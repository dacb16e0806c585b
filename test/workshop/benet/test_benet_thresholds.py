"""Thresholds of named emotions and calibration, against scikit-learn, brute force and theory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_fscore_support

from caer_ros.core import InputError
from caer_ros.evaluation.benet.calibration import (
    calibration_scores,
    fit_calibration,
    reliability,
)
from caer_ros.evaluation.benet.thresholds import Thresholds, choose_thresholds, named_scores

AB = ("a", "b")


def column(values: list) -> np.ndarray:
    return np.array(values).reshape(-1, 1)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=14))
def test_the_threshold_has_the_best_f1_and_is_the_lowest(rows: list[tuple[bool, int]]) -> None:
    positives, scores = column([r[0] for r in rows]), column([r[1] / 6 for r in rows])
    found = choose_thresholds(scores, positives, np.ones_like(positives), ("a",))
    best, at = -1.0, 1.0
    for threshold in sorted(set(scores[:, 0])):
        hits = (positives & (scores >= threshold)).sum()
        f1 = 2 * hits / ((scores >= threshold).sum() + positives.sum())
        if f1 > best:
            best, at = f1, threshold
    assert found.chosen[0] == positives.any()
    assert found.values[0] == (at if positives.any() else 1)


def test_a_tie_by_hand() -> None:
    # At .9: precision 1, recall 1/2. At .5: precision 1/2, recall 1. Both F1 2/3.
    scores, positives = column([0.9, 0.8, 0.7, 0.5]), column([True, False, False, True])
    chosen = choose_thresholds(scores, positives, np.ones_like(positives), ("a",))
    assert chosen.as_dict() == {"a": 0.5}


def test_without_positives_an_emotion_is_never_named() -> None:
    emotions = np.array([[0.6, 1.0], [0.4, 0.3]])
    positives = np.array([[1, 0], [0, 1]], bool)
    known = np.array([[1, 1], [1, 0]], bool)  # the only positive of b is not known
    chosen = choose_thresholds(emotions, positives, known, AB)
    assert chosen.as_dict() == {"a": 0.6, "b": None}
    assert chosen.values.tolist() == [0.6, 1]
    assert chosen.named(emotions).tolist() == [[True, False], [False, False]]


def test_scores_of_named_emotions_are_scikit_learns() -> None:
    rng = np.random.default_rng(4)
    emotions, positives = rng.random((40, 3)), rng.random((40, 3)) < 0.3
    thresholds = Thresholds(("a", "b", "c"), np.array([0.3, 0.6, 1]), np.array([1, 1, 0], bool))
    scores = named_scores(emotions, positives, np.ones_like(positives), thresholds)
    named = thresholds.named(emotions)
    for average, ours in (
        ("micro", (scores.micro_precision, scores.micro_recall, scores.micro_f1)),
        ("macro", (scores.macro_precision, scores.macro_recall, scores.macro_f1)),
    ):
        theirs = precision_recall_fscore_support(positives, named, average=average, zero_division=0)
        assert ours == pytest.approx(theirs[:3])
    last = scores.categories[2]
    assert (last.precision, last.recall, last.f1, last.named) == (0, 0, 0, 0)
    assert last.support == positives[:, 2].sum()


def test_macro_leaves_out_what_nobody_has_and_nothing_unknown_counts() -> None:
    emotions = np.array([[0.9, 0.9], [0.9, 0.1], [0.9, 0.1]])
    positives = np.array([[1, 0], [1, 0], [0, 0]], bool)
    known = np.array([[1, 1], [1, 1], [0, 1]], bool)
    scores = named_scores(
        emotions, positives, known, Thresholds(AB, np.full(2, 0.5), np.ones(2, bool))
    )
    assert scores.macro_f1 == 1
    assert (scores.micro_precision, scores.micro_recall) == (pytest.approx(2 / 3), 1)
    assert scores.as_dict()["categories"][1]["named"] == 1


def sample(
    slope: float, offset: float, seed: int, count: int = 4000
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities float [N, 1] that must be changed by slope and offset, and labels."""
    rng = np.random.default_rng(seed)
    said = expit(rng.normal(0, 1.5, (count, 1)))
    return said, rng.random((count, 1)) < expit(slope * logit(said) + offset)


def test_calibration_finds_what_made_the_labels() -> None:
    said, positives = sample(1.8, -1.2, seed=1)
    known = np.ones_like(positives)
    fitted = fit_calibration(said, positives, known, ("a",))
    assert fitted.slope[0] == pytest.approx(1.8, abs=0.15)
    assert fitted.offset[0] == pytest.approx(-1.2, abs=0.15)
    other = sample(1.8, -1.2, seed=2)
    scores = calibration_scores(*other, known, fitted)
    assert scores.error_before > 0.1
    assert scores.error_after < 0.03
    assert scores.before.error == pytest.approx(scores.error_before)
    # Who is ranked before whom stays.
    assert (np.argsort(fitted.apply(said)[:, 0]) == np.argsort(said[:, 0])).all()


def test_calibration_without_prior_is_logistic_regression() -> None:
    said, positives = sample(0.5, 1, seed=3, count=300)
    fitted = fit_calibration(said, positives, np.ones_like(positives), ("a",), strength=0)
    theirs = LogisticRegression(C=1e9, tol=1e-8).fit(logit(said), positives[:, 0])
    assert fitted.slope[0] == pytest.approx(theirs.coef_[0, 0], abs=1e-3)
    assert fitted.offset[0] == pytest.approx(theirs.intercept_[0], abs=1e-3)


def test_calibration_of_few_people_stays_near() -> None:
    """Three people whom any steep slope would separate perfectly."""
    said, positives = column([0.6, 0.4, 0.3]), column([True, False, False])
    known = np.ones_like(positives)
    for strength in (1.0, 3.0):
        fitted = fit_calibration(said, positives, known, ("a",), strength)
        slope, offset = fitted.slope[0], fitted.offset[0]
        # The minimum: the pull of the people and that of the prior cancel out.
        wrong = expit(slope * logit(said) + offset) - positives
        assert (wrong * logit(said)).sum() == pytest.approx(-strength * (slope - 1), abs=1e-4)
        assert wrong.sum() == pytest.approx(-strength * offset, abs=1e-4)
        assert 1 < slope < 2


def test_calibration_never_turns_the_ranking() -> None:
    said, positives = column([0.1, 0.9] * 50), column([True, False] * 50)
    assert fit_calibration(said, positives, np.ones_like(positives), ("a",)).slope[0] > 0


def test_calibration_leaves_what_it_can_not_fit() -> None:
    emotions = np.array([[0.2, 0.0], [0.7, 1.0]])
    positives = np.array([[1, 0], [0, 0]], bool)
    known = np.ones((2, 2), bool)
    fitted = fit_calibration(emotions, positives, known, AB)
    assert fitted.fitted.tolist() == [True, False]
    assert fitted.apply(emotions)[:, 1].tolist() == [0, 1]
    assert fitted.as_dict()["b"] is None
    everybody = fit_calibration(emotions, ~positives, known, AB)
    assert everybody.fitted.tolist() == [True, False]


def test_reliability_by_hand() -> None:
    curve = reliability(np.array([0.1, 0.3, 0.8, 0.6]), np.array([0, 1, 1, 1], bool), bins=2)
    assert curve.count.tolist() == [2, 2]
    assert curve.predicted == pytest.approx([0.2, 0.7])
    assert curve.observed == pytest.approx([0.5, 1])
    assert curve.error == pytest.approx(0.3)


def test_reliability_of_equal_probabilities_does_not_depend_on_order() -> None:
    labels = np.arange(60) < 20
    curve = reliability(np.full(60, 0.5), labels)
    assert curve.count.tolist() == [60]
    assert curve.error == pytest.approx(1 / 6)
    said = np.repeat([0.2, 0.4], 30)
    assert reliability(said[::-1], labels[::-1]).error == pytest.approx(
        reliability(said, labels).error
    )


def test_bins_have_about_the_same_mass() -> None:
    said = np.random.default_rng(0).random(100) ** 4
    counts = reliability(said, said > 0.5).count
    assert len(counts) == 15
    assert counts.min() >= 6
    assert counts.max() <= 7


def test_the_error_is_a_mean_over_emotions_known_of_somebody() -> None:
    emotions, positives = np.full((10, 3), 0.5), np.zeros((10, 3), bool)
    positives[:, 0] = True
    positives[:5, 1] = True
    known = np.ones((10, 3), bool)
    known[:, 2] = False
    names = ("a", "b", "c")
    scores = calibration_scores(
        emotions, positives, known, fit_calibration(emotions, positives, known, names)
    )
    assert scores.error_before == pytest.approx((0.5 + 0) / 2)
    assert scores.before.count.sum() == 20


def test_what_does_not_fit() -> None:
    one = np.ones((1, 2), bool)
    with pytest.raises(InputError):
        choose_thresholds(np.ones((2, 2)), one, one, AB)
    with pytest.raises(InputError):
        fit_calibration(np.ones((1, 2)), one, one, ("a",))
