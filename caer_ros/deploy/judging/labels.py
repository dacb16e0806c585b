"""Answers of networks that give one distribution over labels a person (CAER-Net-S)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from caer_ros.deploy.judging.comparison import Comparison, compare_labels
from caer_ros.deploy.pictures.samples import PeopleSamples, Samples
from caer_ros.evaluation.predict import softmax


class LabelsJudge:
    """See Judge. An answer is float64 [K], summing to 1.

    Args:
        temperature: of the softmax.
    """

    outputs = ("logits",)

    def __init__(self, temperature: float = 1.0) -> None:
        self._temperature = temperature

    def read(self, outputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """See Judge."""
        return list(softmax(outputs["logits"] / self._temperature))

    def distance(self, wanted: Sequence[np.ndarray], got: Sequence[np.ndarray]) -> float:
        """See Judge."""
        return float(np.abs(np.stack(wanted) - np.stack(got)).mean())

    def compare(
        self, wanted: Sequence[np.ndarray], got: Sequence[np.ndarray], samples: Samples
    ) -> Comparison:
        """See Judge."""
        labels = samples.people.labels if isinstance(samples, PeopleSamples) else None
        return compare_labels(np.stack(wanted), np.stack(got), labels)
