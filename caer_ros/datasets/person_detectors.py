"""Person detectors that pseudo-labels come from: ONNX files in either of two layouts.

    boxes       the TensorFlow object detection API's: uint8 [1, H, W, 3] in; detection_boxes
                [1, N, 4] as y1, x1, y2, x2 in shares of the picture, detection_scores [1, N] and
                detection_classes [1, N] (1 is a person) out
    keypoints   MoveNet MultiPose's: int32 [1, H, W, 3] in, sides multiples of 32; [1, N, 56] out:
                17 keypoints as y, x, score, then y1, x1, y2, x2 and the person's score

The second one's boxes lie round the keypoints, and it finds nobody in close-ups: it is there to
confirm what the first one finds of whole people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from caer_ros.core import Box, EngineBuildError, EngineError, InputError
from caer_ros.engines import Engine, open_engine
from caer_ros.engines.base import TensorSpec

SAME_PERSON = 0.5
# Of the smaller box inside the larger: maybe the head of somebody whose body was found, too.
_INSIDE = 0.85
_PERSON = 1
_COLUMNS = 56
# What MoveNet MultiPose was made for; larger pictures show it people that are too large.
_LONGER = 256
# Below it nobody is looked at, whatever is asked for.
_FLOOR = 0.05
_REMEDY = "Give a detector of a layout that docs/datasets.md names."


class PersonDetector(Protocol):
    """Anything that finds people.

    sure: the score, in [0, 1], from which somebody is there; unsure: from which somebody may be.
    """

    sure: float
    unsure: float

    def detect(self, bgr: np.ndarray) -> list[Box]:
        """People of a uint8 BGR picture [H, W, 3] with a score of at least `unsure`, best first.

        Boxes are in its pixels, clipped to it and distinct: of one person there may be two only
        where a part of him scores above the whole, see `may_be_one`.

        Raises:
            EngineError: the network failed, or put out what it should not.
        """
        ...


def open_person_detector(path: Path, min_score: float = 0.6, threads: int = 0) -> PersonDetector:
    """Load a detector on the CPU, of the layout that its inputs and outputs show.

    Args:
        path: ONNX file.
        min_score: from which score somebody is there; scores of the keypoint layout are lower, so
            that half of it counts there.
        threads: for one picture; 0 leaves the choice to ONNX Runtime.

    Raises:
        InputError: the file is missing, no ONNX file, or of neither layout.
    """
    if not path.is_file():
        raise InputError(f"Person detector {path} does not exist.", "Give an ONNX file.")
    try:
        engine = open_engine(path, "onnxruntime", threads)
    except (EngineBuildError, KeyError) as error:
        raise InputError(f"{path} is no network that can be run ({error}).", _REMEDY) from error
    for kind in (BoxDetector, KeypointDetector):
        if kind.fits(engine):
            return kind(engine, min_score)
    shown = ", ".join(f"{n} {s}" for n, s in (*engine.inputs.items(), *engine.outputs.items()))
    raise InputError(f"{path} is no person detector of a known layout ({shown}).", _REMEDY)


class BoxDetector:
    """The layout `boxes`; see PersonDetector."""

    def __init__(self, engine: Engine, min_score: float) -> None:
        self.sure, self.unsure = min_score, max(min_score / 2, _FLOOR)
        self._engine = engine
        ((self._input, self._spec),) = engine.inputs.items()
        self._names = {name.removesuffix(":0"): name for name in engine.outputs}

    @staticmethod
    def fits(engine: Engine) -> bool:
        """Whether a network has this layout."""
        outputs = {name.removesuffix(":0") for name in engine.outputs}
        wanted = {"detection_boxes", "detection_scores", "detection_classes"}
        return wanted <= outputs and _reads_pictures(engine, np.uint8)

    def detect(self, bgr: np.ndarray) -> list[Box]:
        """See PersonDetector."""
        height, width = bgr.shape[:2]
        rows, columns = (
            want if isinstance(want, int) else have
            for want, have in zip(self._spec.shape[1:3], (height, width), strict=True)
        )
        output = self._engine.run({self._input: _rgb(bgr, rows, columns, np.uint8)})
        boxes, scores, classes = (
            output[self._names[f"detection_{part}"]][0] for part in ("boxes", "scores", "classes")
        )
        people = (np.rint(classes) == _PERSON) & (scores >= self.unsure)
        return _boxes(boxes[people] * [height, width, height, width], scores[people], bgr)


class KeypointDetector:
    """The layout `keypoints`; see PersonDetector."""

    def __init__(self, engine: Engine, min_score: float) -> None:
        self.sure, self.unsure = min_score / 2, max(min_score / 4, _FLOOR)
        self._engine = engine
        ((self._input, self._spec),) = engine.inputs.items()
        (self._output,) = engine.outputs

    @staticmethod
    def fits(engine: Engine) -> bool:
        """Whether a network has this layout."""
        shapes = [spec.shape for spec in engine.outputs.values()]
        return (
            len(shapes) == 1
            and len(shapes[0]) == 3
            and shapes[0][2] == _COLUMNS
            and _reads_pictures(engine, np.int32)
        )

    def detect(self, bgr: np.ndarray) -> list[Box]:
        """See PersonDetector."""
        height, width = bgr.shape[:2]
        scale = _LONGER / max(height, width)
        inner = max(round(height * scale), 1), max(round(width * scale), 1)
        rows, columns = (
            want if isinstance(want, int) else -(-have // 32) * 32
            for want, have in zip(self._spec.shape[1:3], inner, strict=True)
        )
        inner = min(inner[0], rows), min(inner[1], columns)
        image = np.zeros((1, rows, columns, 3), np.int32)
        image[:, : inner[0], : inner[1]] = _rgb(bgr, *inner, np.int32)
        found = self._engine.run({self._input: image})[self._output][0]
        found = found[found[:, -1] >= self.unsure]
        across, down = columns / inner[1] * width, rows / inner[0] * height
        return _boxes(found[:, -5:-1] * [down, across, down, across], found[:, -1], bgr)


def distinct(boxes: Sequence[Box]) -> list[Box]:
    """Boxes, best first, without those of people who have an earlier one.

    That is one with an overlap of SAME_PERSON (IoU), or nearly all of the box inside. A body is
    kept although its head comes before it.
    """
    kept: list[Box] = []
    for box in boxes:
        if not any(box.iou(one) >= SAME_PERSON or _within(box, one) for one in kept):
            kept.append(box)
    return kept


def may_be_one(people: Sequence[Box]) -> bool:
    """Whether two distinct boxes may be a head and its own body.

    That is nearly all of one inside another, in its upper half: beside the chest and the legs of
    somebody near there is room for people far behind him.
    """
    return any(
        box is not other and _within(box, other) and box.y1 + box.y2 < other.y1 + other.y2
        for box in people
        for other in people
    )


def same_people(first: Sequence[Box], second: Sequence[Box]) -> bool:
    """Whether two lists hold the same people: as many, each with an overlap of SAME_PERSON."""
    left = list(second)
    for box in first:
        best = max(left, key=box.iou, default=None)
        if best is None or box.iou(best) < SAME_PERSON:
            return False
        left.remove(best)
    return not left


def _within(box: Box, other: Box) -> bool:
    w = min(box.x2, other.x2) - max(box.x1, other.x1)
    h = min(box.y2, other.y2) - max(box.y1, other.y1)
    return w > 0 and h > 0 and w * h >= _INSIDE * box.area


def _boxes(corners: np.ndarray, scores: np.ndarray, bgr: np.ndarray) -> list[Box]:
    """Rows of y1, x1, y2, x2 in pixels as distinct boxes inside the picture."""
    if not (np.isfinite(corners).all() and np.isfinite(scores).all()):
        raise EngineError("The person detector put out NaN or infinity.", _REMEDY)
    height, width = bgr.shape[:2]
    found = []
    for (y1, x1, y2, x2), score in zip(corners.tolist(), scores.tolist(), strict=True):
        if x2 > x1 and y2 > y1:
            box = Box(x1, y1, x2, y2, min(score, 1.0)).clipped(width, height)
            found += [] if box is None else [box]
    return distinct(sorted(found, key=lambda box: -box.score))


def _reads_pictures(engine: Engine, dtype: type) -> bool:
    specs: list[TensorSpec] = list(engine.inputs.values())
    return len(specs) == 1 and specs[0].dtype == dtype and len(specs[0].shape) == 4


def _rgb(bgr: np.ndarray, height: int, width: int, dtype: type) -> np.ndarray:
    """[1, height, width, 3], RGB."""
    if bgr.shape[:2] != (height, width):
        bgr = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(bgr[None, :, :, ::-1], dtype)
