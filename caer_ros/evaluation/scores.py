"""How good predicted probabilities are: accuracies, a table a class, calibration.

The CAER papers report accuracy; their figures look class-balanced, so both are always given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from caer_ros.core import InputError

BINS = 15


@dataclass(frozen=True)
class ClassScore:
    """One class: precision, recall and F1 in [0, 1] (0 where undefined); samples that are of it."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Scores:
    """Scores of N samples.

    Attributes:
        samples: N.
        accuracy: share of right top labels.
        balanced_accuracy: mean recall of the classes that occur.
        macro_f1: mean F1 of all classes.
        chance: accuracy of always naming the commonest class.
        calibration_error: see `expected_calibration_error`.
        loss: mean cross-entropy in nats.
        classes: one row a class.
        confusion: int64 [K, K], rows the true class, columns the predicted one.
    """

    samples: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    chance: float
    calibration_error: float
    loss: float
    classes: tuple[ClassScore, ...]
    confusion: np.ndarray

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        plain = {name: value for name, value in vars(self).items() if name != "classes"}
        plain["confusion"] = self.confusion.tolist()
        plain["classes"] = [vars(row) for row in self.classes]
        return plain


def score(probabilities: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> Scores:
    """All scores of probabilities float [N, K] (rows sum to 1) against labels int [N] in [0, K).

    Raises:
        InputError: there is no sample, or the arrays do not fit each other and `names`.
    """
    count = len(labels)
    if not count or probabilities.shape != (count, len(names)):
        raise InputError(
            f"{count} labels and probabilities of shape {probabilities.shape} can not be scored.",
            "Give at least one sample and one probability a class.",
        )
    top = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, top, len(names))
    classes = tuple(_class_score(name, index, confusion) for index, name in enumerate(names))
    chosen = probabilities[np.arange(count), labels]
    return Scores(
        samples=count,
        accuracy=float((top == labels).mean()),
        balanced_accuracy=float(np.mean([row.recall for row in classes if row.support])),
        macro_f1=float(np.mean([row.f1 for row in classes])),
        chance=float(confusion.sum(axis=1).max() / count),
        calibration_error=expected_calibration_error(probabilities, labels),
        loss=float(-np.log(np.maximum(chosen, 1e-12)).mean()),
        classes=classes,
        confusion=confusion,
    )


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts int64 [K, K], rows the true class, columns the predicted one."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> float:
    """How far confidence is from accuracy, in [0, 1] (Guo et al. 2017, section 2).

    Confidences, the top labels' probabilities, fall into `bins` equal bins (low, high] of [0, 1];
    the error is the mean over samples of their bin's |accuracy - mean confidence|.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(place, right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def _class_score(name: str, index: int, confusion: np.ndarray) -> ClassScore:
    hits = int(confusion[index, index])
    support, named = int(confusion[index].sum()), int(confusion[:, index].sum())
    return ClassScore(
        name,
        hits / named if named else 0.0,
        hits / support if support else 0.0,
        2 * hits / (named + support) if named + support else 0.0,
        support,
    )
