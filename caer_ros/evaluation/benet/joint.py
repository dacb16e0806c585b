"""Emotions of people whom the network found itself, not of given boxes (section 4.2, Table 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from caer_ros.core import EMOTIC26, InputError
from caer_ros.evaluation.benet.average_precision import area_under_curve
from caer_ros.evaluation.benet.matching import (
    IOU_THRESHOLDS,
    as_fed,
    greedy_matches,
    pairwise_iou,
)
from caer_ros.evaluation.benet.predictions import GroundTruth, ImageDetections, check_pictures

FORMS = ("literal", "strict", "legacy_iou")


@dataclass(frozen=True, eq=False)
class JointAP:
    """One form of the protocol at T thresholds of IoU.

    Attributes:
        form: one of FORMS.
        thresholds: float64 [T].
        means: float64 [T], mAP in percent.
        categories: float64 [T, E], AP in percent; NaN where nobody is annotated with the emotion,
            and it is not in `means`.
        found: float64 [T], annotated people who were found, in percent.
        unmatched: int64 [T], detections that are nobody annotated.
    """

    form: str
    thresholds: np.ndarray
    means: np.ndarray
    categories: np.ndarray
    found: np.ndarray
    unmatched: np.ndarray

    @property
    def average(self) -> float:
        """The last column of Table 3, in percent."""
        return mean_over_thresholds(self.means)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; categories are left out."""
        arrays = ("thresholds", "means", "found", "unmatched")
        plain = {name: getattr(self, name).tolist() for name in arrays}
        return {"form": self.form, "average": self.average} | plain


def joint_ap(
    truths: Sequence[GroundTruth],
    detections: Sequence[ImageDetections],
    form: str = "strict",
    thresholds: np.ndarray = IOU_THRESHOLDS,
    names: tuple[str, ...] = EMOTIC26,
) -> JointAP:
    """AP over all annotated people with the emotions of the detections that match them.

    literal: the paper's words. A missed person's predictions are zeros, and scikit-learn's AP still
        recalls him at its last threshold, with a precision of the prevalence: whoever finds nobody
        gets the prevalence, not 0. Detections of nobody are ignored.
    strict: a missed person can not be recalled, so that whoever finds nobody gets 0. Detections of
        nobody are false positives with their emotions. Because EMOTIC annotates only some of the
        people of many pictures, this is a lower bound.
    legacy_iou: literal, but matched by the boxes as the public evaluator misreads them, see
        `as_fed`. Only for comparison with the published figures.

    Args:
        truths, detections: one a picture, in the same order; either may be empty.
        form: one of the above.
        thresholds: float [T], IoU from which a detection is a person's, in (0, 1].
        names: of the E emotions.

    Raises:
        InputError: the form is unknown, nobody is annotated with any emotion, or the two do not fit
            each other.
    """
    _check(truths, detections, form, names)
    read = as_fed if form == "legacy_iou" else np.asarray
    overlaps = [
        pairwise_iou(read(image.boxes), read(truth.boxes))
        for image, truth in zip(detections, truths, strict=True)
    ]
    rows, found, unmatched = [], [], []
    for threshold in thresholds:
        matches = [
            greedy_matches(iou, image.scores, float(threshold))
            for iou, image in zip(overlaps, detections, strict=True)
        ]
        table = _table(truths, detections, matches)
        rows.append([_category(table, index, form == "strict") for index in range(len(names))])
        found.append(100 * table.found.mean())
        unmatched.append(len(table.strangers))
    categories = np.array(rows, np.float64)
    if np.isnan(categories).all():
        raise InputError(
            "Nobody is annotated with any emotion.", "Choose another split, or other annotations."
        )
    return JointAP(
        form,
        np.asarray(thresholds, np.float64),
        np.nanmean(categories, axis=1),
        categories,
        np.array(found),
        np.array(unmatched),
    )


def mean_over_thresholds(means: Sequence[float] | np.ndarray) -> float:
    """Plain mean of the mAPs at all thresholds: how Table 3 gets its last column."""
    return float(np.mean(means))


@dataclass(frozen=True, eq=False)
class _Table:
    """People of all pictures as rows: emotions are zeros for those who were not found."""

    positives: np.ndarray
    known: np.ndarray
    emotions: np.ndarray
    found: np.ndarray
    strangers: np.ndarray  # [M, E], emotions of detections that are nobody


def _table(
    truths: Sequence[GroundTruth],
    detections: Sequence[ImageDetections],
    matches: Sequence[np.ndarray],
) -> _Table:
    emotions, strangers = [], []
    for truth, image, match in zip(truths, detections, matches, strict=True):
        said = np.zeros(truth.categories.shape)
        said[match >= 0] = image.emotions[match[match >= 0]]
        emotions.append(said)
        strangers.append(np.delete(image.emotions, match[match >= 0], axis=0))
    return _Table(
        np.concatenate([truth.categories for truth in truths]) > 0.5,
        np.concatenate([truth.known for truth in truths]).astype(bool),
        np.concatenate(emotions),
        np.concatenate(matches) >= 0,
        np.concatenate(strangers),
    )


def _category(table: _Table, index: int, strict: bool) -> float:
    """AP in percent of one emotion, NaN where nobody is annotated with it."""
    of = table.known[:, index]
    lost = 0
    strangers = np.zeros(0)
    if strict:
        lost = int((table.positives[:, index] & of & ~table.found).sum())
        of = of & table.found
        strangers = table.strangers[:, index]
    positives = np.concatenate([table.positives[of, index], np.zeros(len(strangers), bool)])
    scores = np.concatenate([table.emotions[of, index], strangers])
    ap = area_under_curve(positives, scores, lost)
    return np.nan if ap is None else 100 * ap


def _check(
    truths: Sequence[GroundTruth],
    detections: Sequence[ImageDetections],
    form: str,
    names: tuple[str, ...],
) -> None:
    if form not in FORMS:
        raise InputError(f"There is no form '{form}'.", f"Choose one of {', '.join(FORMS)}.")
    check_pictures(truths, detections)
    for index, (truth, image) in enumerate(zip(truths, detections, strict=True)):
        if {truth.categories.shape[1], image.emotions.shape[1]} != {len(names)}:
            raise InputError(
                f"Picture {index} has {truth.categories.shape[1]} annotated and "
                f"{image.emotions.shape[1]} predicted emotions, not {len(names)}.",
                "Give one column an emotion, also where nobody was found.",
            )
