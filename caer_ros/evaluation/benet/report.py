"""Everything BENet is judged by, in one object (section 4.2 and beyond)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caer_ros.core import EMOTIC26
from caer_ros.evaluation.benet.average_precision import AveragePrecision, average_precision
from caer_ros.evaluation.benet.calibration import (
    Calibration,
    CalibrationScores,
    calibration_scores,
    fit_calibration,
)
from caer_ros.evaluation.benet.joint import FORMS, JointAP, joint_ap
from caer_ros.evaluation.benet.person_ap import PersonAP, person_ap
from caer_ros.evaluation.benet.predictions import (
    AtTruth,
    GroundTruth,
    ImageDetections,
    gather_people,
)
from caer_ros.evaluation.benet.thresholds import (
    NamedScores,
    Thresholds,
    choose_thresholds,
    named_scores,
)
from caer_ros.evaluation.benet.vad import VadScores, vad_scores


@dataclass(frozen=True, eq=False)
class Tuning:
    """What is chosen on the validation split: thresholds of raw probabilities, and calibration."""

    thresholds: Thresholds
    calibration: Calibration


@dataclass(frozen=True, eq=False)
class BenetScores:
    """Scores of one network on one split. None: not asked, or the network can not say.

    Attributes:
        images, people: that were judged.
        emotions: with true boxes (Tables 1 and 4).
        person: detection of people (Table 2).
        person_legacy: the same by misread boxes, see `as_fed`; for comparison only.
        joint: emotions with found boxes (Table 3) in each of FORMS; empty without detection.
        vad: valence, arousal and dominance with true boxes.
        named: emotions named by thresholds, with true boxes.
        calibration: of probabilities, with true boxes.
    """

    images: int
    people: int
    emotions: AveragePrecision
    person: PersonAP | None = None
    person_legacy: PersonAP | None = None
    joint: tuple[JointAP, ...] = ()
    vad: VadScores | None = None
    named: NamedScores | None = None
    calibration: CalibrationScores | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what is None is left out."""
        parts = ("emotions", "person", "person_legacy", "vad", "named", "calibration")
        there = {n: getattr(self, n).as_dict() for n in parts if getattr(self, n) is not None}
        joint = {"joint": {form.form: form.as_dict() for form in self.joint}} if self.joint else {}
        return {"images": self.images, "people": self.people} | there | joint


def tune(
    truths: Sequence[GroundTruth], read: Sequence[AtTruth], names: tuple[str, ...] = EMOTIC26
) -> Tuning:
    """Choose thresholds and calibration on the validation split.

    Raises:
        InputError: nobody is annotated, or the two do not fit each other.
    """
    people = gather_people(truths, read)
    rows = (people.emotions, people.positives, people.known, names)
    return Tuning(choose_thresholds(*rows), fit_calibration(*rows))


def benet_scores(
    truths: Sequence[GroundTruth],
    read: Sequence[AtTruth],
    detections: Sequence[ImageDetections] | None = None,
    tuning: Tuning | None = None,
    names: tuple[str, ...] = EMOTIC26,
    max_detections: int = 100,
) -> BenetScores:
    """All scores of one network on one split, pictures in the same order everywhere.

    Args:
        truths: annotated people.
        read: what was read at their centres.
        detections: what was found; None for a network without detection (first column of Table 1).
        tuning: chosen on another split; without it, no thresholds and no calibration.
        names: of the E emotions.
        max_detections: see `person_ap`.

    Raises:
        InputError: nobody is annotated with any emotion, the lists do not fit each other, or
            detections are to be judged and pycocotools is not installed.
    """
    people = gather_people(truths, read)
    rows = (people.emotions, people.positives, people.known)
    emotions = average_precision(*rows, names)
    person = legacy = None
    joint: tuple[JointAP, ...] = ()
    if detections is not None:
        person = person_ap(truths, detections, max_detections)
        legacy = person_ap(truths, detections, max_detections, legacy=True)
        joint = tuple(joint_ap(truths, detections, form, names=names) for form in FORMS)
    return BenetScores(
        len(truths),
        len(people.positives),
        emotions,
        person,
        legacy,
        joint,
        None if people.vad_read is None else vad_scores(people.vad_read, people.vad),
        named_scores(*rows, tuning.thresholds) if tuning else None,
        calibration_scores(*rows, tuning.calibration) if tuning else None,
    )
