"""Thresholds of a BENet bundle's categories, and what they do to people they were not chosen on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from caer_ros.core import InputError
from caer_ros.evaluation.benet.bundle_people import FoundPeople
from caer_ros.evaluation.benet.calibration import (
    Calibration,
    CalibrationScores,
    calibration_scores,
    fit_calibration,
)
from caer_ros.evaluation.benet.thresholds import (
    NamedScores,
    Thresholds,
    choose_thresholds,
    named_scores,
)
from caer_ros.evaluation.temperature import FOLDS, LEAST_PEOPLE

# What a reader of probabilities would take for "yes" without being told otherwise.
_HALF = 0.5


@dataclass(frozen=True, eq=False)
class BundleTuning:
    """What was chosen on everybody, and measured by folds of pictures on others.

    Attributes:
        thresholds, calibration: chosen on everybody, of the robot's probabilities.
        at_half: names given by a threshold of 0.5 for every emotion.
        named: names given to each fold by the thresholds of all other folds.
        errors: calibration, before and after, each fold by the lines of all other folds.
        people, annotated, pictures: how many.
    """

    thresholds: Thresholds
    calibration: Calibration
    at_half: NamedScores
    named: NamedScores
    errors: CalibrationScores
    people: int
    annotated: int
    pictures: int

    def as_dict(self) -> dict[str, Any]:
        """For model.yaml's metrics."""
        pairs = {"half": self.at_half, "thresholds": self.named}
        return {
            "people": self.people,
            "annotated": self.annotated,
            "pictures": self.pictures,
            "measured_on": f"each of {FOLDS} folds of pictures, chosen on the others",
            "macro_f1": {name: round(scores.macro_f1, 4) for name, scores in pairs.items()},
            "micro_f1": {name: round(scores.micro_f1, 4) for name, scores in pairs.items()},
            "calibration_error": {
                "before": round(self.errors.error_before, 4),
                "after": round(self.errors.error_after, 4),
            },
            "calibration": {
                name: None if line is None else [round(value, 4) for value in line]
                for name, line in self.calibration.as_dict().items()
            },
        }


def tune_bundle(found: FoundPeople, names: tuple[str, ...]) -> BundleTuning:
    """Choose and measure.

    Args:
        names: of the E emotions.

    Raises:
        InputError: fewer than 50 people were found, or they are in fewer than 5 pictures.
    """
    pictures, ranks = np.unique(found.picture, return_inverse=True)
    if len(found.emotions) < LEAST_PEOPLE or len(pictures) < FOLDS:
        raise InputError(
            f"{len(found.emotions)} of {found.annotated} annotated people were found, in "
            f"{len(pictures)} pictures; thresholds need {LEAST_PEOPLE} in {FOLDS}.",
            "Give more pictures with --data.",
        )
    folds = ranks * FOLDS // len(pictures)
    named, after = np.zeros(found.emotions.shape), np.zeros(found.emotions.shape)
    for fold in range(FOLDS):
        own = folds == fold
        rows = (found.emotions[~own], found.positives[~own], found.known[~own], names)
        named[own] = choose_thresholds(*rows).named(found.emotions[own])
        after[own] = fit_calibration(*rows).apply(found.emotions[own])
    truth, every = (found.positives, found.known), np.ones(len(names), bool)
    half = Thresholds(names, np.full(len(names), _HALF), every)
    rows = (found.emotions, *truth, names)
    return BundleTuning(
        choose_thresholds(*rows),
        fit_calibration(*rows),
        named_scores(found.emotions, *truth, half),
        # Names are 0 or 1 already.
        named_scores(named, *truth, half),
        _both(found, after, names),
        len(found.emotions),
        found.annotated,
        len(pictures),
    )


def _both(found: FoundPeople, after: np.ndarray, names: tuple[str, ...]) -> CalibrationScores:
    none = np.zeros(len(names), bool)
    same = Calibration(names, np.ones(len(names)), np.zeros(len(names)), none)
    raw = calibration_scores(found.emotions, found.positives, found.known, same)
    ours = calibration_scores(after, found.positives, found.known, same)
    return CalibrationScores(raw.error_before, ours.error_before, raw.before, ours.before)
