"""Scores of predicted probabilities against labels, or against a teacher's probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix


def label_scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Scores of probabilities [N, K] against labels int [N] in [0, K).

    accuracy; balanced_accuracy (mean recall of the classes that occur); chance (accuracy of always
    naming the commonest class); confusion [K][K], rows the true class, columns the predicted one.
    """
    top = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, top, labels=list(range(probabilities.shape[1])))
    occurs = confusion.sum(axis=1) > 0
    recall = confusion.diagonal()[occurs] / confusion.sum(axis=1)[occurs]
    return {
        "people": len(labels),
        "accuracy": float(accuracy_score(labels, top)),
        "balanced_accuracy": float(recall.mean()),
        "chance": float(np.bincount(labels).max() / len(labels)),
        "confusion": confusion.tolist(),
    }


def teacher_scores(probabilities: np.ndarray, teacher: np.ndarray) -> dict[str, Any]:
    """As `label_scores` with the teacher's top label for the truth, which it is not; and the mean
    KL(teacher || network) in nats. Both arrays float [N, K], rows summing to 1.
    """
    scores = label_scores(probabilities, teacher.argmax(axis=1))
    scores["agreement"] = scores.pop("accuracy")
    scores["balanced_agreement"] = scores.pop("balanced_accuracy")
    small = 1e-12
    ratio = np.log(teacher + small) - np.log(probabilities + small)
    scores["divergence"] = float((teacher * ratio).sum(axis=1).mean())
    return scores
