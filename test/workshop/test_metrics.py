"""Scores against hand-counted cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from caer_ros.evaluation.metrics import label_scores, teacher_scores

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])


def test_labels() -> None:
    scores = label_scores(PROBABILITIES, np.array([0, 0, 0, 1]))
    assert scores["accuracy"] == 0.5
    # Two of three right in class 0, none in class 1; class 2 does not occur.
    assert scores["balanced_accuracy"] == pytest.approx((2 / 3 + 0) / 2)
    assert scores["chance"] == 0.75
    assert scores["confusion"] == [[2, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_teacher() -> None:
    assert teacher_scores(PROBABILITIES, PROBABILITIES)["divergence"] == pytest.approx(0)
    teacher = np.array([[1.0, 0.0, 0.0]])
    scores = teacher_scores(PROBABILITIES[:1], teacher)
    assert scores["agreement"] == 1
    assert scores["divergence"] == pytest.approx(-math.log(0.7))
