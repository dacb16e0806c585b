"""Errors of valence, arousal and dominance against hand-counted cases."""

from __future__ import annotations

import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.evaluation.benet.vad import concordance, vad_scores

NAN = np.nan


def test_by_hand() -> None:
    annotated = np.array([[0, NAN, 0.3], [1, NAN, 0.3], [NAN, NAN, 0.3]])
    predicted = np.array([[0.5, 0.1, 0.3], [0.5, 0.1, 0.1], [-1, 0.1, 0.3]])
    scores = vad_scores(predicted, annotated)
    # The third person's valence is not annotated, so the bad guess does not count.
    assert (scores.valence.people, scores.valence.mae, scores.valence.rmse) == (2, 0.5, 0.5)
    assert (scores.valence.ccc, scores.valence.r2) == (0, 0)
    assert scores.arousal.people == 0
    assert scores.arousal.mae is None
    # All are annotated alike: there is nothing to explain, but there are errors.
    assert scores.dominance.mae == pytest.approx(0.2 / 3)
    assert scores.dominance.rmse == pytest.approx(np.sqrt(0.04 / 3))
    assert (scores.dominance.ccc, scores.dominance.r2) == (None, None)
    assert scores.as_dict()["valence"]["people"] == 2


def test_concordance_is_not_correlation() -> None:
    x = np.array([-1.0, 0, 1])
    assert concordance(x, x) == pytest.approx(1)
    assert concordance(-x, x) == pytest.approx(-1)
    # Half as wide: 2 (1/3) / (1/6 + 2/3) with variances over N.
    assert concordance(x / 2, x) == pytest.approx(0.8)
    # Moved by one: 2 (2/3) / (2/3 + 2/3 + 1).
    assert concordance(x + 1, x) == pytest.approx(4 / 7)
    assert concordance(np.ones(2), np.ones(2)) is None


def test_explained_variance() -> None:
    annotated = np.array([-1.0, 0, 1])
    for predicted, r2 in ((annotated, 1), (annotated / 2, 0.75), (-annotated, -3)):
        scores = vad_scores(np.stack([predicted] * 3, axis=1), np.stack([annotated] * 3, axis=1))
        assert scores.dominance.r2 == pytest.approx(r2)


def test_what_does_not_fit() -> None:
    with pytest.raises(InputError):
        vad_scores(np.zeros((2, 3)), np.zeros((3, 3)))
    with pytest.raises(InputError):
        vad_scores(np.zeros((2, 2)), np.zeros((2, 2)))
    with pytest.raises(InputError):
        vad_scores(np.full((2, 3), NAN), np.zeros((2, 3)))
