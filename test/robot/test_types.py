"""Boxes and estimates."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caer_ros.core import CAER7, EMOTIC26, HECO8, Box, EmotionEstimate

coordinates = st.floats(-1000, 1000, allow_nan=False)
sides = st.floats(0.5, 500)


@st.composite
def boxes(draw):
    x, y = draw(coordinates), draw(coordinates)
    return Box(x, y, x + draw(sides), y + draw(sides))


def test_vocabularies_have_the_published_sizes_and_no_doubles():
    for labels, size in ((CAER7, 7), (EMOTIC26, 26), (HECO8, 8)):
        assert len(labels) == len(set(labels)) == size
    assert CAER7 == ("Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")


def test_iou_of_the_hand_computed_case():
    # Ground truth 100x150 shifted by 40 pixels: 60 * 150 / (2 * 15000 - 9000) = 0.428571.
    assert Box(400, 300, 500, 450).iou(Box(440, 300, 540, 450)) == pytest.approx(3 / 7)
    assert Box(400, 300, 500, 450).iou(Box(520, 300, 620, 450)) == 0


@given(boxes(), boxes())
def test_iou_is_symmetric_and_between_0_and_1(a, b):
    assert a.iou(b) == pytest.approx(b.iou(a))
    assert 0 <= a.iou(b) <= 1 + 1e-9
    assert a.iou(a) == pytest.approx(1)


@given(boxes(), st.floats(0, 1))
def test_squared_is_a_square_round_the_same_centre(box, margin):
    square = box.squared(margin)
    assert square.width == pytest.approx(square.height)
    assert square.width == pytest.approx(max(box.width, box.height) * (1 + 2 * margin))
    assert square.x1 + square.x2 == pytest.approx(box.x1 + box.x2, abs=1e-6)
    assert square.y1 + square.y2 == pytest.approx(box.y1 + box.y2, abs=1e-6)


@given(boxes())
def test_clipped_lies_inside_or_is_none(box):
    inside = box.clipped(640, 480)
    if inside is None:
        assert box.x2 <= 0 or box.y2 <= 0 or box.x1 >= 640 or box.y1 >= 480
    else:
        assert 0 <= inside.x1 < inside.x2 <= 640
        assert 0 <= inside.y1 < inside.y2 <= 480


@pytest.mark.parametrize(
    "corners", [(0, 0, 0, 5), (5, 0, 1, 5), (0, 0, math.nan, 5), (0, 0, math.inf, 5)]
)
def test_a_box_without_area_or_with_nan_is_refused(corners):
    with pytest.raises(ValueError, match="box with"):
        Box(*corners)


def test_estimate_names_its_top_label():
    estimate = EmotionEstimate("m", CAER7, np.array([0, 0.1, 0, 0.6, 0.3, 0, 0], np.float32))
    assert (estimate.top_label, estimate.confidence) == ("Happy", pytest.approx(0.6))
    assert math.isnan(estimate.valence)
    assert math.isnan(estimate.lambda_face)
