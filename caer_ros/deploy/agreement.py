"""How far an INT8 file's answers are from its FP32 file's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """top_label: share of people with the same top label; mean_delta, max_delta: of |Δp|."""

    people: int
    top_label: float
    mean_delta: float
    max_delta: float


def compare(wanted: np.ndarray, got: np.ndarray) -> Agreement:
    """Agreement of two arrays of probabilities [N, K]."""
    delta = np.abs(wanted - got)
    same = wanted.argmax(axis=1) == got.argmax(axis=1)
    return Agreement(len(wanted), float(same.mean()), float(delta.mean()), float(delta.max()))
