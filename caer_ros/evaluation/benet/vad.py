"""Errors of valence, arousal and dominance; the paper leaves them for the future (section 5)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.metrics import r2_score

from caer_ros.core import InputError


@dataclass(frozen=True)
class DimensionScore:
    """One dimension, over the people with an annotation of it.

    Errors are in units of [-1, 1], one of which is 4.5 of EMOTIC's points. None where it is not
    defined: without people, or for `ccc` and `r2` without variance.

    Attributes:
        people: how many have an annotation.
        mae: mean absolute error.
        rmse: root of the mean squared error.
        ccc: concordance correlation in [-1, 1], see `concordance`.
        r2: share of the annotation's variance that is explained, at most 1.
    """

    people: int
    mae: float | None
    rmse: float | None
    ccc: float | None
    r2: float | None


@dataclass(frozen=True)
class VadScores:
    """The three dimensions."""

    valence: DimensionScore
    arousal: DimensionScore
    dominance: DimensionScore

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def vad_scores(predicted: np.ndarray, annotated: np.ndarray) -> VadScores:
    """Scores of each dimension.

    Args:
        predicted: float [N, 3] in [-1, 1], finite.
        annotated: float [N, 3], NaN where somebody has no annotation, who is then left out.

    Raises:
        InputError: the arrays do not fit each other, or a prediction is not finite.
    """
    fits = predicted.shape == annotated.shape == (len(predicted), 3)
    if not fits or not np.isfinite(predicted).all():
        raise InputError(
            f"Valence, arousal and dominance {predicted.shape} of people {annotated.shape} can not "
            "be scored.",
            "Give finite predictions, one row a person.",
        )
    there = ~np.isnan(annotated)
    return VadScores(
        *(_dimension(predicted[there[:, i], i], annotated[there[:, i], i]) for i in range(3))
    )


def concordance(predicted: np.ndarray, annotated: np.ndarray) -> float | None:
    """Concordance correlation of float [N] and [N] (Lin 1989), with variances over N.

    2 cov / (var + var + squared difference of means): 1 only where both agree, not, as Pearson's,
    where one is any line of the other. None where neither varies and both are the same.
    """
    x, y = predicted.astype(np.float64), annotated.astype(np.float64)
    shared = float(((x - x.mean()) * (y - y.mean())).mean())
    whole = float(x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    return 2 * shared / whole if whole > 0 else None


def _dimension(predicted: np.ndarray, annotated: np.ndarray) -> DimensionScore:
    if not len(annotated):
        return DimensionScore(0, None, None, None, None)
    error = predicted.astype(np.float64) - annotated
    varies = bool(np.ptp(annotated) > 0)
    return DimensionScore(
        len(annotated),
        float(np.abs(error).mean()),
        float(np.sqrt((error**2).mean())),
        concordance(predicted, annotated) if varies else None,
        float(r2_score(annotated, predicted)) if varies else None,
    )
