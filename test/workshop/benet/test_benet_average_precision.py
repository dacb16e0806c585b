"""AP of emotions with true boxes, against hand-counted cases and a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import Box, InputError
from caer_ros.datasets.emotic.records import AnnotatedImage, AnnotatedPerson
from caer_ros.evaluation.benet.average_precision import area_under_curve, average_precision
from caer_ros.evaluation.benet.predictions import (
    AtTruth,
    GroundTruth,
    ImageDetections,
    gather_people,
)


def test_three_people_by_hand() -> None:
    # Thresholds .9, .8, .7: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
    positives = np.array([True, False, True])
    assert area_under_curve(positives, np.array([0.9, 0.8, 0.7])) == pytest.approx(5 / 6)
    # With equal scores there is one threshold: recall 1 at the prevalence.
    assert area_under_curve(positives, np.full(3, 0.4)) == pytest.approx(2 / 3)


def test_lost_positives_are_in_the_denominator_only() -> None:
    scores = np.array([0.9, 0.8])
    assert area_under_curve(np.array([True, False]), scores, lost=1) == pytest.approx(0.5)
    assert area_under_curve(np.array([False, True]), scores, lost=1) == pytest.approx(0.25)
    assert area_under_curve(np.array([False, False]), scores, lost=2) == 0
    assert area_under_curve(np.array([False, False]), scores) is None


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=12),
    st.integers(0, 3),
)
def test_as_the_definition_says(rows: list[tuple[bool, int]], lost: int) -> None:
    positives = np.array([row[0] for row in rows])
    scores = np.array([row[1] / 5 for row in rows])
    total = positives.sum() + lost
    area, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        reached = scores >= threshold
        recall = positives[reached].sum() / total if total else 0
        area += (recall - before) * positives[reached].mean()
        before = recall
    found = area_under_curve(positives, scores, lost)
    assert found is None if not total else found == pytest.approx(area)


def test_means_leave_out_what_nobody_has() -> None:
    positives = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 0]], bool)
    emotions = np.array([[0.9, 0.9, 0.5], [0.8, 0.1, 0.5], [0.7, 0.2, 0.5]])
    scores = average_precision(emotions, positives, np.ones((3, 3), bool), ("a", "b", "c"))
    assert [row.support for row in scores.categories] == [2, 0, 2]
    assert scores.categories[0].ap == pytest.approx(500 / 6)
    assert scores.categories[1].ap is None
    assert scores.left_out == ("b",)
    assert scores.mean == pytest.approx((500 / 6 + 200 / 3) / 2)
    assert scores.chance == pytest.approx(200 / 3)
    assert scores.as_dict()["categories"][1]["prevalence"] == 0


def test_unknown_emotions_are_not_judged() -> None:
    positives = np.array([[1, 1], [0, 1], [0, 0]], bool)
    emotions = np.array([[0.2, 0.5], [0.9, 0.5], [0.1, 0.5]])
    known = np.array([[1, 0], [0, 0], [1, 0]], bool)
    scores = average_precision(emotions, positives, known, ("a", "b"))
    # Of `a` the second person, who would be ranked wrongly, is not judged; of `b` nobody is.
    assert scores.categories[0].ap == pytest.approx(100)
    assert (scores.categories[0].people, scores.categories[0].prevalence) == (2, 50)
    assert (scores.categories[1].people, scores.categories[1].support) == (0, 0)
    assert scores.categories[1].prevalence is None
    assert scores.mean == pytest.approx(100)


def test_nothing_to_score() -> None:
    one = np.ones((1, 2), bool)
    with pytest.raises(InputError, match="Nobody is annotated"):
        average_precision(np.ones((1, 2)), ~one, one, ("a", "b"))
    with pytest.raises(InputError, match="can not be scored"):
        average_precision(np.ones((1, 3)), one, one, ("a", "b"))
    with pytest.raises(InputError, match="can not be scored"):
        average_precision(np.ones((0, 2)), one[:0], one[:0], ("a", "b"))


def _truth(people: int) -> GroundTruth:
    rows = [
        AnnotatedPerson(
            Box(i, 1, i + 2, 4),
            np.eye(26, dtype=np.float32)[i],
            np.arange(26) != 5,
            np.array([0.1 * i, np.nan, 0], np.float32),
        )
        for i in range(people)
    ]
    return GroundTruth.of(AnnotatedImage("x.png", 640, 480, tuple(rows), "test"))


def test_people_of_all_pictures() -> None:
    truth = _truth(2)
    assert truth.boxes.tolist() == [[0, 1, 2, 4], [1, 1, 3, 4]]
    nobody = GroundTruth(np.zeros((0, 4)), *(np.zeros((0, n)) for n in (26, 26, 3)))
    read = [AtTruth(np.full((n, 26), n / 10), np.full((n, 3), 0.5)) for n in (2, 0, 1)]
    people = gather_people([truth, nobody, _truth(1)], read)
    assert people.emotions[:, 0].tolist() == [0.2, 0.2, 0.1]
    assert people.positives.argmax(axis=1).tolist() == [0, 1, 0]
    assert people.known.sum() == 75
    assert np.isnan(people.vad[:, 1]).all()
    assert people.vad_read is not None
    assert people.vad_read.shape == (3, 3)


def test_what_does_not_fit() -> None:
    read = AtTruth(np.zeros((2, 26)))
    with pytest.raises(InputError, match="2 annotated pictures and 1"):
        gather_people([_truth(2), _truth(2)], [read])
    with pytest.raises(InputError, match="Picture 0"):
        gather_people([_truth(3)], [read])
    with pytest.raises(InputError, match="1 of 2 pictures"):
        gather_people([_truth(2), _truth(2)], [read, AtTruth(np.zeros((2, 26)), np.zeros((2, 3)))])
    with pytest.raises(InputError, match="not finite"):
        AtTruth(np.full((1, 26), np.nan))
    with pytest.raises(InputError, match="'boxes' has the shape"):
        ImageDetections(np.zeros((2, 4)), np.zeros(1), np.zeros((1, 26)))
    with pytest.raises(InputError, match="'vad' has the shape"):
        ImageDetections(np.zeros((1, 4)), np.zeros(1), np.zeros((1, 26)), np.zeros((2, 3)))
