"""Thresholds and calibration as JSON types, so that a checkpoint can carry them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from caer_ros.core import EMOTIC26, InputError
from caer_ros.evaluation.benet.calibration import Calibration
from caer_ros.evaluation.benet.report import Tuning
from caer_ros.evaluation.benet.thresholds import Thresholds


def tuning_record(tuning: Tuning) -> dict[str, Any]:
    """For JSON; `tuning_of` is the inverse."""
    return {
        "thresholds": tuning.thresholds.as_dict(),
        "calibration": tuning.calibration.as_dict(),
    }


def tuning_of(record: Mapping[str, Any], names: tuple[str, ...] = EMOTIC26) -> Tuning:
    """What `tuning_record` wrote.

    Raises:
        InputError: it is of other emotions, or damaged.
    """
    try:
        values = [record["thresholds"][name] for name in names]
        lines = [record["calibration"][name] for name in names]
        thresholds = np.array([1.0 if v is None else v for v in values], np.float64)
        points = np.array([(1.0, 0.0) if v is None else v for v in lines], np.float64)
        slope, offset = points.reshape(len(names), 2).T
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"Thresholds or calibration of the {len(names)} emotions are unreadable ({error}).",
            "Train the checkpoint anew, or take last.safetensors, which has none.",
        ) from None
    return Tuning(
        Thresholds(names, thresholds, np.array([v is not None for v in values])),
        Calibration(names, slope, offset, np.array([v is not None for v in lines])),
    )
