"""Emotions with found boxes: matching against COCO's, and the protocol's hand-counted cases."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import InputError
from caer_ros.evaluation.benet.joint import FORMS, JointAP, joint_ap, mean_over_thresholds
from caer_ros.evaluation.benet.matching import (
    IOU_THRESHOLDS,
    as_fed,
    greedy_matches,
    pairwise_iou,
)
from caer_ros.evaluation.benet.person_ap import person_ap
from caer_ros.evaluation.benet.predictions import GroundTruth, ImageDetections
from caer_ros.evaluation.benet.published import HEADS, TABLE_3, TABLE_3_AVERAGE

PLACES = np.array([[0, 0, 10, 10], [100, 0, 110, 10], [200, 0, 210, 10]], np.float64)


def truth(labels: list[int], known: list[int] | None = None) -> GroundTruth:
    """People with one emotion or without it, at PLACES."""
    count = len(labels)
    judged = np.array([1] * count if known is None else known, bool).reshape(-1, 1)
    positives = np.array(labels, np.float32).reshape(-1, 1)
    return GroundTruth(PLACES[:count], positives, judged, np.full((count, 3), np.nan))


def found(
    places: list[int], emotions: list[float], strangers: tuple[float, ...] = ()
) -> ImageDetections:
    """Perfect boxes at PLACES, and strangers' far away."""
    far = np.array([[0, 500 + 20 * i, 10, 510 + 20 * i] for i in range(len(strangers))], float)
    boxes = np.concatenate([PLACES[places].reshape(-1, 4), far.reshape(-1, 4)])
    said = np.array([*emotions, *strangers]).reshape(-1, 1)
    return ImageDetections(boxes, np.full(len(boxes), 0.5), said)


def score(form: str, *pictures: tuple[GroundTruth, ImageDetections]) -> JointAP:
    truths, detections = zip(*pictures, strict=True)
    return joint_ap(truths, detections, form, names=("joy",))


@pytest.mark.parametrize(
    ("seen", "literal", "strict"),
    [
        ([0, 1, 2], 5 / 6, 5 / 6),
        ([0, 1], 5 / 6, 1 / 2),
        ([1, 2], 7 / 12, 1 / 4),
        ([], 2 / 3, 0),
    ],
)
def test_missed_people(seen: list[int], literal: float, strict: float) -> None:
    picture = (truth([1, 0, 1]), found(seen, [[0.9, 0.8, 0.7][i] for i in seen]))
    for form, expected in (("literal", literal), ("legacy_iou", literal), ("strict", strict)):
        scores = score(form, picture)
        assert scores.means == pytest.approx(np.full(10, 100 * expected))
        assert scores.average == pytest.approx(100 * expected)
        assert scores.found == pytest.approx(np.full(10, 100 * len(seen) / 3))


def test_strangers_count_in_the_strict_form_only() -> None:
    # Detections .9 (right), .8 (nobody), .7 (right): precision 1, then 2/3 at full recall.
    picture = (truth([1, 1]), found([0, 1], [0.9, 0.7], strangers=(0.8,)))
    assert score("literal", picture).average == pytest.approx(100)
    assert score("strict", picture).average == pytest.approx(100 * 5 / 6)
    assert score("strict", picture).unmatched.tolist() == [1] * 10
    # The order in which detections are listed says nothing of who is whose.
    image = picture[1]
    turned = ImageDetections(image.boxes[::-1], image.scores, image.emotions[::-1])
    assert score("strict", (picture[0], turned)).average == pytest.approx(100 * 5 / 6)
    # A stranger counts too in a picture without annotated people.
    pictures = [(truth([1, 1]), found([0, 1], [0.9, 0.7])), (truth([]), found([], [], (0.8,)))]
    assert score("strict", *pictures).average == pytest.approx(100 * 5 / 6)
    assert score("literal", *pictures).average == pytest.approx(100)


def test_unknown_emotions_are_not_judged() -> None:
    # The second person would be a false positive, the third a lost one.
    picture = (truth([1, 0, 1], known=[1, 0, 0]), found([0, 1], [0.7, 0.9]))
    assert score("literal", picture).average == pytest.approx(100)
    assert score("strict", picture).average == pytest.approx(100)


def test_each_threshold_has_its_own_matches() -> None:
    # IoU .8: found at .50 to .80, missed from .85 on, where the floor is the prevalence of 1/2.
    people = truth([1, 0])
    boxes = np.array([[0, 0, 8, 10], [100, 0, 110, 10]], np.float64)
    image = ImageDetections(boxes, np.ones(2), np.array([[0.3], [0.2]]))
    literal, strict = (score(form, (people, image)) for form in ("literal", "strict"))
    assert literal.means == pytest.approx([100] * 7 + [50] * 3)
    assert literal.average == pytest.approx(85)
    assert strict.means == pytest.approx([100] * 7 + [0] * 3)
    assert strict.found.tolist() == [100] * 7 + [50] * 3
    assert strict.unmatched.tolist() == [0] * 7 + [1] * 3


def test_emotions_follow_the_match() -> None:
    """Detections in another order than people, so that a mixed-up index would show."""
    image = found([2, 0, 1], [0.9, 0.2, 0.1])
    assert score("literal", (truth([0, 0, 1]), image)).average == pytest.approx(100)
    assert score("literal", (truth([1, 0, 0]), image)).average == pytest.approx(50)


def test_means_are_over_annotated_emotions_only() -> None:
    people = GroundTruth(
        PLACES[:2], np.array([[1, 0], [0, 0]]), np.ones((2, 2), bool), np.zeros((2, 3))
    )
    image = ImageDetections(PLACES[:1], np.ones(1), np.ones((1, 2)))
    scores = joint_ap([people], [image], "strict", names=("a", "b"))
    assert scores.average == pytest.approx(100)
    assert np.isnan(scores.categories[:, 1]).all()
    assert scores.as_dict()["means"] == pytest.approx([100] * 10)


def test_iou_and_how_it_is_misread() -> None:
    true = np.array([[400, 300, 500, 450]], np.float64)
    near, far = np.array([[440, 300, 540, 450]]), np.array([[520, 300, 620, 450]])
    assert pairwise_iou(near, true)[0, 0] == pytest.approx(0.428571, abs=1e-6)
    assert pairwise_iou(far, true)[0, 0] == 0
    assert pairwise_iou(as_fed(near), as_fed(true))[0, 0] == pytest.approx(0.7931, abs=1e-4)
    assert pairwise_iou(as_fed(far), as_fed(true))[0, 0] == pytest.approx(0.5135, abs=1e-4)
    assert pairwise_iou(np.zeros((1, 4)), np.zeros((2, 4))).tolist() == [[0, 0]]
    # Both corners on the wrong side give a negative width and height, not an area.
    assert pairwise_iou(np.array([[9, 9, 1, 1]]), np.array([[0, 0, 10, 10]]))[0, 0] == 0

    people = GroundTruth(true, np.ones((1, 1)), np.ones((1, 1), bool), np.zeros((1, 3)))
    image = ImageDetections(far, np.ones(1), np.ones((1, 1)))
    assert score("literal", (people, image)).found.tolist() == [0] * 10
    assert score("legacy_iou", (people, image)).found.tolist() == [100] + [0] * 9


def test_a_threshold_of_one_allows_for_rounding() -> None:
    assert greedy_matches(np.array([[1 - 1e-12]]), np.ones(1), 1.0).tolist() == [0]
    assert greedy_matches(np.array([[0.999]]), np.ones(1), 1.0).tolist() == [-1]


def test_published_averages() -> None:
    recomputed = {name: round(mean_over_thresholds(row), 2) for name, row in TABLE_3.items()}
    assert recomputed == dict(zip(HEADS[1:], (23.67, 24.15, 24.10, 24.73), strict=True))
    assert recomputed == TABLE_3_AVERAGE


def test_what_can_not_be_scored() -> None:
    picture = (truth([1]), found([0], [0.5]))
    with pytest.raises(InputError, match="no form 'lenient'"):
        score("lenient", picture)
    for form in FORMS:
        with pytest.raises(InputError, match="any emotion"):
            score(form, (truth([0]), found([0], [0.5])))
        with pytest.raises(InputError, match="Nobody is annotated"):
            score(form, (truth([]), found([], [])))
    with pytest.raises(InputError, match="not 26"):
        joint_ap([picture[0]], [picture[1]])


_COORDINATE = st.integers(0, 24)
_SIDE = st.integers(1, 12)
_BOXES = st.lists(st.tuples(_COORDINATE, _COORDINATE, _SIDE, _SIDE), max_size=6)


def _corners(boxes: list[tuple[int, int, int, int]]) -> np.ndarray:
    rows = np.array(boxes, np.float64).reshape(-1, 4)
    return np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], axis=1)


def coco_matches(
    true: np.ndarray, detected: np.ndarray, scores: np.ndarray, thresholds: list[float]
) -> np.ndarray:
    """Detection of each true box by pycocotools, int [T, N], -1 where there is none."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def index(boxes: np.ndarray, said: np.ndarray) -> COCO:
        coco = COCO()
        rows = [
            {"id": i, "image_id": 1, "category_id": 1, "iscrowd": 0, "score": float(s)}
            | {"bbox": [b[0], b[1], b[2] - b[0], b[3] - b[1]]}
            | {"area": (b[2] - b[0]) * (b[3] - b[1])}
            for i, (b, s) in enumerate(zip(boxes.tolist(), said, strict=True), 1)
        ]
        categories = [{"id": 1, "name": "person"}]
        coco.dataset = {"images": [{"id": 1}], "categories": categories, "annotations": rows}
        coco.createIndex()
        return coco

    with contextlib.redirect_stdout(io.StringIO()):
        evaluator = COCOeval(index(true, np.ones(len(true))), index(detected, scores), "bbox")
        evaluator.params.iouThrs = np.array(thresholds)
        evaluator.evaluate()
    picture = evaluator.evalImgs[0]  # area "all"
    return picture["gtMatches"].astype(int) - 1


@settings(deadline=None, max_examples=150)
@given(_BOXES, st.data())
def test_matches_are_cocos(true: list, data: st.DataObject) -> None:
    true_boxes = _corners(true)
    # Detections near people, so that many of them compete, and some anywhere.
    near = st.sampled_from(true or [(0, 0, 1, 1)]).flatmap(
        lambda box: st.tuples(
            *(st.integers(v, v + 2) for v in box[:2]), *(st.integers(v, v + 2) for v in box[2:])
        )
    )
    detected = data.draw(st.lists(near, max_size=8)) + data.draw(_BOXES)
    boxes = _corners(detected)
    # Few different scores, so that some are equal.
    scores = np.array(
        data.draw(st.lists(st.integers(1, 4), min_size=len(boxes), max_size=len(boxes))), float
    )
    if not len(true_boxes) and not len(boxes):
        return
    thresholds = [0.3, *IOU_THRESHOLDS, 1.0]
    iou = pairwise_iou(boxes, true_boxes)
    ours = [greedy_matches(iou, scores, float(t)).tolist() for t in thresholds]
    assert ours == coco_matches(true_boxes, boxes, scores, thresholds).tolist()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31))
def test_found_people_are_cocos_recall(seed: int) -> None:
    """Several pictures through the whole protocol: COCO's average recall is our share of found."""
    rng = np.random.default_rng(seed)
    truths, detections = [], []
    for count in rng.integers(1, 5, 4):
        corner, side = rng.uniform(0, 60, (count, 2)), rng.uniform(10, 50, (count, 2))
        boxes = np.concatenate([corner, corner + side], axis=1)
        truths.append(
            GroundTruth(boxes, np.ones((count, 1)), np.ones((count, 1), bool), np.zeros((count, 3)))
        )
        moved = np.repeat(boxes, 2, axis=0) + rng.normal(0, 3, (2 * count, 4))
        detections.append(ImageDetections(moved, rng.random(2 * count), rng.random((2 * count, 1))))
    recall = joint_ap(truths, detections, "strict", names=("joy",)).found.mean()
    assert recall == pytest.approx(person_ap(truths, detections).ar)
