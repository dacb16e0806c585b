"""How well people are found, by COCO's own evaluator (Table 2)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from caer_ros.core import InputError
from caer_ros.evaluation.benet.predictions import GroundTruth, ImageDetections, check_pictures

_PERSON = 1
# The order of COCO's areas: all; up to 32² pixels; up to 96²; above.
_SIZES = ("all", "small", "medium", "large")


@dataclass(frozen=True)
class PersonAP:
    """Detection of people, in percent; None where nobody of that size is annotated.

    Attributes:
        ap: mean over IoU .50:.05:.95, the figure of Table 2.
        ap50, ap75: at one IoU.
        ap_small, ap_medium, ap_large: `ap` of people below 32² pixels of the source picture, below
            96², and above.
        ar: recall, mean over the same IoUs.
        max_detections: how many a picture were looked at, best first.
    """

    ap: float
    ap50: float
    ap75: float
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar: float
    max_detections: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def person_ap(
    truths: Sequence[GroundTruth],
    detections: Sequence[ImageDetections],
    max_detections: int = 100,
    legacy: bool = False,
) -> PersonAP:
    """COCO's average precision and recall of the class person.

    EMOTIC annotates only some of the people of many pictures, so that detections of the others
    count as false; no number here is comparable with those of other data sets.

    Args:
        truths, detections: one a picture, in the same order; either may be empty.
        max_detections: how many a picture are looked at, best first.
        legacy: misread the boxes as the public evaluator does, see `as_fed`; only for comparison
            with the published figures.

    Raises:
        InputError: pycocotools is not installed, nobody is annotated, or the two differ in length.
    """
    evaluator_class, index_class = _pycocotools()
    check_pictures(truths, detections)
    true = [(i, box, None) for i, truth in enumerate(truths, 1) for box in truth.boxes]
    found = [
        (i, box, score)
        for i, image in enumerate(detections, 1)
        for box, score in zip(image.boxes, image.scores, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):  # it narrates
        indexes = [_index(index_class, len(truths), rows, legacy) for rows in (true, found)]
        evaluator = evaluator_class(*indexes, iouType="bbox")
        evaluator.params.maxDets = [max_detections]
        evaluator.evaluate()
        evaluator.accumulate()
    return _summary(evaluator, max_detections)


def _pycocotools() -> tuple[Any, Any]:
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise InputError(
            "pycocotools, which scores the detection of people, is not installed.",
            "Install it: pip install 'caer_ros[train]'.",
        ) from error
    return COCOeval, COCO


def _index(index_class: Any, pictures: int, rows: list[tuple], legacy: bool) -> Any:
    """Boxes in COCO's form: x1, y1, width, height."""
    index = index_class()
    index.dataset = {
        "images": [{"id": i} for i in range(1, pictures + 1)],
        "categories": [{"id": _PERSON, "name": "person"}],
        # Numbers from 1: the evaluator writes down whom a detection matched and reads 0 as nobody.
        "annotations": [
            _annotation(number, *row, legacy=legacy) for number, row in enumerate(rows, 1)
        ],
    }
    index.createIndex()
    return index


def _annotation(
    number: int, image: int, box: np.ndarray, score: float | None, legacy: bool
) -> dict[str, Any]:
    x, y, right, bottom = (float(value) for value in box)
    width, height = (right, bottom) if legacy else (right - x, bottom - y)
    row = {
        "id": number,
        "image_id": image,
        "category_id": _PERSON,
        "bbox": [x, y, width, height],
        "area": width * height,
        "iscrowd": 0,
    }
    return row if score is None else row | {"score": float(score)}


def _summary(evaluator: Any, max_detections: int) -> PersonAP:
    # [IoU, recall, class, size, cap] and [IoU, class, size, cap]; -1 where nobody is annotated.
    precision = evaluator.eval["precision"][:, :, 0, :, 0]
    recall = evaluator.eval["recall"][:, 0, 0, 0]
    by_size = dict(zip(_SIZES, (_percent(precision[:, :, i]) for i in range(4)), strict=True))
    thresholds = evaluator.params.iouThrs
    at_50, at_75 = (int(np.abs(thresholds - iou).argmin()) for iou in (0.5, 0.75))
    return PersonAP(
        by_size["all"],
        _percent(precision[at_50, :, 0]),
        _percent(precision[at_75, :, 0]),
        by_size["small"],
        by_size["medium"],
        by_size["large"],
        _percent(recall),
        max_detections,
    )


def _percent(values: np.ndarray) -> float | None:
    counted = values[values > -1]
    return 100 * float(counted.mean()) if len(counted) else None
