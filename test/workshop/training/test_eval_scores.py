"""Scores against scikit-learn, and by hand."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn import metrics

from caer_ros.core import CAER7, InputError
from caer_ros.evaluation.judge import Verdict
from caer_ros.evaluation.scores import confusion_matrix, expected_calibration_error, score
from caer_ros.evaluation.verdict_text import draw_confusion, verdict_text


def guesses(seed: int, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are right more often than not, and labels; class 6 never occurs."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 6, count)
    logits = rng.normal(size=(count, 7)) + 1.5 * np.eye(7)[labels]
    exp = np.exp(logits)
    return exp / exp.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("seed", range(5))
def test_scikit_learn_agrees(seed: int) -> None:
    probabilities, labels = guesses(seed)
    found, classes = score(probabilities, labels, CAER7), range(7)
    top = probabilities.argmax(axis=1)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, top))
    recall = metrics.recall_score(labels, top, labels=range(6), average="macro", zero_division=0)
    assert found.balanced_accuracy == pytest.approx(recall)
    np.testing.assert_array_equal(
        found.confusion, metrics.confusion_matrix(labels, top, labels=list(classes))
    )
    table = metrics.precision_recall_fscore_support(labels, top, labels=classes, zero_division=0)
    for k, row in enumerate(found.classes):
        assert (row.precision, row.recall, row.f1) == pytest.approx([table[i][k] for i in range(3)])
        assert row.support == table[3][k]
    assert found.macro_f1 == pytest.approx(table[2].mean())
    assert found.loss == pytest.approx(metrics.log_loss(labels, probabilities, labels=classes))
    assert found.chance == pytest.approx(np.bincount(labels).max() / len(labels))


def test_calibration_error_by_hand() -> None:
    # Confidences .9, .9, .9, .9, .55, .55; right: 3 of 4 and 0 of 2. With 15 bins .9 lies in
    # (13/15, 14/15] and .55 in (8/15, 9/15]: 4/6 |.75 - .9| + 2/6 |0 - .55| = .1 + .18333.
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.45, 0.55]] * 2)
    labels = np.array([0, 0, 0, 1, 0, 0])
    error = expected_calibration_error(probabilities, labels)
    assert error == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.55)


def test_calibration_at_the_edges() -> None:
    sure = np.eye(7)[np.array([0, 1, 2])]
    assert expected_calibration_error(sure, np.array([0, 1, 2])) == 0
    assert expected_calibration_error(sure, np.array([1, 2, 0])) == 1
    # Two bins of three samples each make an edge of 1/3 belong to the bin below it.
    third = np.full((1, 3), 1 / 3)
    assert expected_calibration_error(third, np.array([0]), bins=3) == pytest.approx(2 / 3)


def test_knowing_nothing_costs_ln_7() -> None:
    found = score(np.full((7, 7), 1 / 7), np.arange(7), CAER7)
    assert found.loss == pytest.approx(math.log(7))
    assert found.accuracy == found.balanced_accuracy == pytest.approx(1 / 7)


def test_confusion_by_hand() -> None:
    found = confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize("shape", [(0, 7), (3, 6)])
def test_what_can_not_be_scored(shape: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="can not be scored"):
        score(np.ones(shape), np.zeros(shape[0], int), CAER7)


def test_text_and_picture(tmp_path: Path) -> None:
    probabilities, labels = guesses(0)
    verdict = Verdict(score(probabilities, labels, CAER7), probabilities, labels, 0.5, 3, 1)
    text = verdict_text(verdict)
    assert f"{verdict.scores.accuracy:.4f}" in text
    assert "3 (1 left out, 2 judged by their context)" in text
    assert all(name in text for name in CAER7)
    draw_confusion(verdict.scores, tmp_path / "confusion.png")
    assert cv2.imread(str(tmp_path / "confusion.png")).shape[2] == 3
