"""From probabilities to named labels, where a model says from which probability a label holds."""

from __future__ import annotations

import numpy as np


def named_labels(probabilities: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Indices of the labels that reach their threshold: int64, the largest margin first.

    Args:
        probabilities: float [labels], in [0, 1].
        thresholds: float [labels], in [0, 1]; a label with NaN is never named.
    """
    margins = probabilities - thresholds
    order = np.argsort(-margins, kind="stable")
    return order[margins[order] >= 0]
