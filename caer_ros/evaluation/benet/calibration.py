"""Probabilities that mean what they say: a scale and an offset an emotion (Platt 1999).

Beyond the paper. Its focal loss (eq. 5) pulls probabilities to the middle on purpose, so they rank
people well and overstate how common rare emotions are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from caer_ros.core import EMOTIC26
from caer_ros.evaluation.benet.average_precision import check_arrays

BINS = 15
# Probabilities nearer to 0 or 1 are taken for this, so that their logits stay finite.
_SMALL = 1e-6
# A negative slope would turn the ranking round, which calibration must not do.
_LEAST_SLOPE = 0.01


@dataclass(frozen=True, eq=False)
class Calibration:
    """A probability p becomes sigmoid(slope · logit(p) + offset); the ranking stays.

    Attributes:
        names: of the E emotions.
        slope: float64 [E], positive.
        offset: float64 [E].
        fitted: bool [E]; False where the emotion had no positive or no negative person, and slope
            and offset change nothing.
    """

    names: tuple[str, ...]
    slope: np.ndarray
    offset: np.ndarray
    fitted: np.ndarray

    def apply(self, emotions: np.ndarray) -> np.ndarray:
        """Calibrated probabilities float64 [N, E] of float [N, E]."""
        changed = expit(self.slope * _logits(emotions) + self.offset)
        return np.where(self.fitted, changed, emotions)

    def as_dict(self) -> dict[str, list[float] | None]:
        """For JSON: name to [slope, offset], None where not fitted."""
        rows = zip(self.names, self.slope, self.offset, self.fitted, strict=True)
        return {name: [float(a), float(b)] if fitted else None for name, a, b, fitted in rows}


@dataclass(frozen=True, eq=False)
class Reliability:
    """Points of a reliability diagram, B bins, most of about the same number of predictions.

    Attributes:
        predicted: float64 [B], mean probability.
        observed: float64 [B], share that is annotated.
        count: int64 [B], predictions; at least 1.
    """

    predicted: np.ndarray
    observed: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error in [0, 1]: mean over predictions of their bin's gap."""
        gap = np.abs(self.predicted - self.observed)
        return float((gap * self.count).sum() / self.count.sum())

    def as_dict(self) -> dict[str, list[float]]:
        """For JSON."""
        return {name: value.tolist() for name, value in vars(self).items()}


@dataclass(frozen=True, eq=False)
class CalibrationScores:
    """Before and after: mean over emotions of the expected calibration error, in [0, 1], and the
    diagram of all emotions together."""

    error_before: float
    error_after: float
    before: Reliability
    after: Reliability

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        diagrams = {"before": self.before.as_dict(), "after": self.after.as_dict()}
        return vars(self) | diagrams


def fit_calibration(
    emotions: np.ndarray,
    positives: np.ndarray,
    known: np.ndarray,
    names: tuple[str, ...] = EMOTIC26,
    strength: float = 1.0,
) -> Calibration:
    """Fit slopes and offsets on the validation split, by L-BFGS.

    Minimises the summed cross-entropy + strength/2 ((slope - 1)² + offset²): a normal prior round
    "as it is", worth about as much as one more person, which keeps emotions of few people near it.

    Args:
        emotions: float [N, E], probabilities.
        positives, known: bool [N, E].
        names: of the E emotions.
        strength: of the prior, not negative.

    Raises:
        InputError: the arrays do not fit each other.
    """
    check_arrays(emotions, positives, known, names)
    slope, offset = np.ones(len(names)), np.zeros(len(names))
    fitted = (positives & known).any(axis=0) & (~positives & known).any(axis=0)
    for index in np.flatnonzero(fitted):
        of = known[:, index]
        logits = _logits(emotions[of, index])
        slope[index], offset[index] = _fit(logits, positives[of, index], strength)
    return Calibration(names, slope, offset, fitted)


def calibration_scores(
    emotions: np.ndarray, positives: np.ndarray, known: np.ndarray, calibration: Calibration
) -> CalibrationScores:
    """How far probabilities are from shares, before and after calibration, of another split.

    Args:
        emotions: float [N, E], probabilities before.
        positives, known: bool [N, E].
        calibration: of the same E emotions.

    Raises:
        InputError: the arrays do not fit each other.
    """
    check_arrays(emotions, positives, known, calibration.names)
    after = calibration.apply(emotions)
    return CalibrationScores(
        _mean_error(emotions, positives, known),
        _mean_error(after, positives, known),
        reliability(emotions[known], positives[known]),
        reliability(after[known], positives[known]),
    )


def reliability(probabilities: np.ndarray, positives: np.ndarray, bins: int = BINS) -> Reliability:
    """Bins of equal mass of probabilities float [N] of a yes-or-no label bool [N], N at least 1.

    Equal probabilities share a bin, so the order of people does not matter; there may then be fewer
    bins.
    """
    ranked = np.sort(probabilities)
    starts = np.unique(ranked[np.arange(bins) * len(ranked) // bins])
    place = np.searchsorted(starts, probabilities, side="right") - 1
    count = np.bincount(place, minlength=len(starts))
    predicted = np.bincount(place, probabilities, minlength=len(starts)) / count
    observed = np.bincount(place, positives, minlength=len(starts)) / count
    return Reliability(predicted, observed, count)


def _mean_error(emotions: np.ndarray, positives: np.ndarray, known: np.ndarray) -> float:
    """Over the emotions that are known of somebody."""
    errors = [
        reliability(emotions[of, index], positives[of, index]).error
        for index, of in enumerate(known.T)
        if of.any()
    ]
    return float(np.mean(errors))


def _fit(logits: np.ndarray, positives: np.ndarray, strength: float) -> tuple[float, float]:
    sign = np.where(positives, 1.0, -1.0)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        slope, offset = point
        scaled = slope * logits + offset
        away = np.array([slope - 1, offset])
        value = np.logaddexp(0, -sign * scaled).sum() + strength / 2 * (away**2).sum()
        wrong = expit(scaled) - positives
        return value, np.array([(wrong * logits).sum(), wrong.sum()]) + strength * away

    start = np.array([1.0, 0.0])
    bounds = [(_LEAST_SLOPE, None), (None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(found.x[0]), float(found.x[1])


def _logits(emotions: np.ndarray) -> np.ndarray:
    return logit(np.clip(emotions.astype(np.float64), _SMALL, 1 - _SMALL))
