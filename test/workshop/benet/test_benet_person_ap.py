"""AP of found people: cases one can count, and COCO's pitfalls."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.evaluation.benet.person_ap import person_ap
from caer_ros.evaluation.benet.predictions import GroundTruth, ImageDetections

TRUE = [400, 300, 500, 450]


def truth(*boxes: list[float]) -> GroundTruth:
    rows = np.array(boxes, np.float64).reshape(-1, 4)
    return GroundTruth(rows, *(np.zeros((len(rows), n)) for n in (26, 26, 3)))


def found(*boxes: list[float], scores: list[float] | None = None) -> ImageDetections:
    rows = np.array(boxes, np.float64).reshape(-1, 4)
    said = np.full(len(rows), 0.9) if scores is None else np.array(scores)
    return ImageDetections(rows, said, np.zeros((len(rows), 26)))


def test_a_perfect_detection_is_perfect_and_silent(capsys: pytest.CaptureFixture) -> None:
    scores = person_ap([truth(TRUE)], [found(TRUE)])
    assert (scores.ap, scores.ap50, scores.ap75, scores.ar) == pytest.approx((100,) * 4)
    # 100 x 150 pixels is more than 96².
    assert (scores.ap_small, scores.ap_medium) == (None, None)
    assert scores.ap_large == pytest.approx(100)
    assert capsys.readouterr().out == ""


def test_sizes_are_of_the_true_area() -> None:
    small, medium = [0, 0, 30, 30], [100, 100, 150, 150]
    scores = person_ap([truth(small, medium)], [found(medium)])
    assert scores.ap_small == 0
    assert scores.ap_medium == pytest.approx(100)
    assert scores.ap_large is None


def test_thresholds() -> None:
    # IoU .8: right at .50 to .80, seven of ten.
    scores = person_ap([truth([0, 0, 100, 100])], [found([0, 0, 80, 100])])
    assert scores.ap == pytest.approx(70)
    assert (scores.ap50, scores.ap75) == pytest.approx((100, 100))
    assert scores.ar == pytest.approx(70)
    at_70 = person_ap([truth([0, 0, 100, 100])], [found([0, 0, 70, 100])])
    assert (at_70.ap50, at_70.ap75) == pytest.approx((100, 0))


def test_boxes_misread_as_the_public_evaluator_does() -> None:
    shifted = [440, 300, 540, 450]
    # True IoU .4286; as fed .7931, right at .50 to .75.
    assert person_ap([truth(TRUE)], [found(shifted)]).ap == 0
    assert person_ap([truth(TRUE)], [found(shifted)], legacy=True).ap == pytest.approx(60)


def test_false_detections_cost_by_their_score() -> None:
    far = [0, 0, 50, 50]
    before = person_ap([truth(TRUE)], [found(far, TRUE, scores=[0.9, 0.5])])
    after = person_ap([truth(TRUE)], [found(far, TRUE, scores=[0.5, 0.9])])
    assert before.ap == pytest.approx(50)
    assert after.ap == pytest.approx(100)
    # Only the best detection is looked at.
    only = person_ap([truth(TRUE)], [found(far, TRUE, scores=[0.9, 0.5])], max_detections=1)
    assert (only.ap, only.ar, only.max_detections) == (0, 0, 1)


def test_many_people_are_looked_at() -> None:
    boxes = [[20 * i, 0, 20 * i + 10, 10] for i in range(150)]
    assert person_ap([truth(*boxes)], [found(*boxes)]).ar == pytest.approx(100 * 100 / 150)
    all_of_them = person_ap([truth(*boxes)], [found(*boxes)], max_detections=200)
    assert all_of_them.ar == pytest.approx(100)


def test_pictures_without_people_or_detections() -> None:
    nothing = person_ap([truth(TRUE), truth()], [found(), found()])
    assert (nothing.ap, nothing.ar) == (0, 0)
    # A detection where nobody is counts as false: precision 1/2 up to full recall.
    false = person_ap([truth(), truth(TRUE)], [found(TRUE, scores=[0.95]), found(TRUE)])
    assert false.ap == pytest.approx(50)


def test_what_can_not_be_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="Nobody is annotated"):
        person_ap([truth()], [found(TRUE)])
    with pytest.raises(InputError, match="1 annotated pictures and 2"):
        person_ap([truth(TRUE)], [found(), found()])
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(InputError, match="pip install"):
        person_ap([truth(TRUE)], [found(TRUE)])
