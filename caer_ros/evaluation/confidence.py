"""How well probabilities say how often they are right: error, reliability, proper scores.

Truths are distributions, so that a teacher's will do: of a labelled sample all is on its label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.evaluation.scores import BINS

_SMALL = 1e-12


@dataclass(frozen=True, eq=False)
class ConfidenceBins:
    """Points of a reliability diagram: B equal bins (low, high] of the top labels' probabilities.

    Attributes:
        confidence: float64 [B], mean probability of the top labels; 0 where the bin is empty.
        accuracy: float64 [B], share of them that is right; 0 where the bin is empty.
        count: int64 [B], samples.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error in [0, 1] (Guo et al. 2017, section 2): the mean over samples
        of their bin's |accuracy - confidence|."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float((gaps * self.count).sum() / self.count.sum())


@dataclass(frozen=True)
class Quality:
    """Of N samples; smaller is better.

    Attributes:
        calibration_error: see ConfidenceBins.error.
        cross_entropy: mean, in nats.
        brier: mean squared distance to the truth, summed over labels, in [0, 2].
    """

    calibration_error: float
    cross_entropy: float
    brier: float

    def as_dict(self) -> dict[str, float]:
        """For model.yaml, rounded."""
        return {name: float(f"{value:.4g}") for name, value in vars(self).items()}


def confidence_bins(
    probabilities: np.ndarray, truths: np.ndarray, bins: int = BINS
) -> ConfidenceBins:
    """Sort samples by how sure the network is.

    Args:
        probabilities, truths: float [N, K], rows sum to 1. How right a top label is, is what the
            truth gives it: 0 or 1 where the truth is a label.
        bins: B.
    """
    rows, top = np.arange(len(truths)), probabilities.argmax(axis=1)
    confidence, right = probabilities[rows, top], truths[rows, top]
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    shared = np.maximum(count, 1)
    return ConfidenceBins(
        np.bincount(place, confidence, minlength=bins) / shared,
        np.bincount(place, right, minlength=bins) / shared,
        count,
    )


def quality(probabilities: np.ndarray, truths: np.ndarray) -> Quality:
    """All three; arguments as of `confidence_bins`."""
    logs = np.log(np.maximum(probabilities, _SMALL))
    return Quality(
        confidence_bins(probabilities, truths).error,
        float(-(truths * logs).sum(axis=1).mean()),
        float(((probabilities - truths) ** 2).sum(axis=1).mean()),
    )
