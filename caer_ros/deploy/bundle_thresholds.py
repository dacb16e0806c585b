"""What a BENet's bundle takes over of the thresholds that were chosen when it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Any

from caer_ros.core import EMOTIC26, InputError
from caer_ros.evaluation.benet.thresholds import Thresholds
from caer_ros.evaluation.benet.tuning_record import tuning_of

_ADVICE = "`caer temperature` chooses them on people whom the bundle finds"


@dataclass(frozen=True)
class Carried:
    """What is taken over, and what to say of it.

    Attributes:
        thresholds: `decode.thresholds` of model.yaml; None where there are none.
        said: one line for whoever exports.
    """

    thresholds: dict[str, float | None] | None
    said: str


def carried_thresholds(extra: Mapping[str, Any], labels: tuple[str, ...]) -> Carried:
    """The thresholds that a checkpoint carries.

    They hold on the robot: both are of the maps at both resolutions together, and never of the
    person and background heads or of the learned fusion, which the robot does not run. But they
    were chosen at the true centres of people, in pictures that fill a square of the trained size,
    whereas the robot reads the centres that it finds, in pictures of another size.

    Args:
        extra: what the checkpoint keeps beside its weights.
        labels: of the bundle.

    Raises:
        InputError: they are damaged.
    """
    if "tuning" not in extra:
        return Carried(None, f"thresholds: none in the checkpoint; {_ADVICE}")
    if labels != EMOTIC26:
        return Carried(None, f"thresholds: those in the checkpoint are of other labels; {_ADVICE}")
    thresholds = tuning_of(extra["tuning"]).thresholds
    if not ((thresholds.values >= 0) & (thresholds.values <= 1)).all():
        raise InputError(
            "The checkpoint has a threshold outside [0, 1].",
            "Train it anew, or take last.safetensors, which has no thresholds.",
        )
    said = f"thresholds: the checkpoint's, chosen at the true centres of people; {_ADVICE}"
    return Carried(written_thresholds(thresholds), said)


def written_thresholds(thresholds: Thresholds) -> dict[str, float | None]:
    """`decode.thresholds` of model.yaml, in four digits.

    Downwards: a threshold is somebody's probability, who is to keep his name.
    """
    return {
        name: None if value is None else floor(value * 1e4) / 1e4
        for name, value in thresholds.as_dict().items()
    }
