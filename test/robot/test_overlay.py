"""Pictures for people."""

import math

import numpy as np
import pytest

from caer_ros.core import CAER7, EMOTIC26, Box, EmotionEstimate, PersonEmotion
from caer_ros.perception import Result, draw_overlay
from caer_ros.perception.contact_sheet import contact_sheet
from caer_ros.perception.overlay import emotion_color, to_bgr

FRAME = np.full((240, 320, 3), 100, np.uint8)


def person(box, label="Happy", lambda_face=0.7):
    probabilities = np.full(7, 0.05, np.float32)
    probabilities[CAER7.index(label)] = 0.7
    return PersonEmotion(
        face=box,
        estimates=(
            EmotionEstimate(
                "m",
                CAER7,
                probabilities,
                lambda_face=lambda_face,
                lambda_context=1 - lambda_face,
            ),
        ),
    )


def test_an_empty_result_is_the_frame_itself():
    drawn = draw_overlay(FRAME, "bgr8", Result((), {}))
    assert np.array_equal(drawn, FRAME)
    assert not np.shares_memory(drawn, FRAME)


def test_the_box_has_the_emotions_colour_and_the_frame_is_untouched():
    original = FRAME.copy()
    drawn = draw_overlay(FRAME, "bgr8", Result((person(Box(100, 60, 180, 140)),), {}))
    # Smoothed lines mix a little of the frame in.
    assert np.abs(drawn[60, 140] - np.array(emotion_color("Happy"))).max() < 30
    assert np.array_equal(FRAME, original)
    assert (drawn[:50] == 100).all()


def test_the_fusion_bar_splits_at_lambda_face():
    def face_pixels(lambda_face):
        result = Result((person(Box(60, 40, 260, 100), lambda_face=lambda_face),), {})
        drawn = draw_overlay(FRAME, "bgr8", result)
        return int((drawn == (250, 200, 90)).all(axis=2).sum())

    assert face_pixels(0.9) > 1.5 * face_pixels(0.5) > 2 * face_pixels(0.1)


@pytest.mark.parametrize("lambda_face", [0.0, 1.0, math.nan])
@pytest.mark.parametrize(
    "box", [Box(-50, -50, 20, 20), Box(300, 220, 400, 300), Box(0, 0, 320, 240), Box(5, 5, 7, 8)]
)
def test_boxes_anywhere_are_drawn(box, lambda_face):
    drawn = draw_overlay(FRAME, "bgr8", Result((person(box, "Sad", lambda_face),), {}))
    assert drawn.shape == FRAME.shape
    assert not np.array_equal(drawn, FRAME)


def test_attention_warms_what_is_attended_and_never_a_face():
    attention = np.zeros((14, 14), np.float32)
    attention[2, 12] = 1.0
    face = Box(0, 120, 80, 220)
    result = Result((person(face),), {}, attention)
    drawn = draw_overlay(FRAME, "bgr8", result).astype(int)
    assert np.abs(drawn[40, 285] - 100).max() > 30
    assert np.abs(drawn[200, 200] - 100).max() <= 1
    left = np.zeros((14, 14), np.float32)
    left[:, :4] = 1 / 56  # all of the left side, where the face is
    drawn = draw_overlay(FRAME, "bgr8", Result((person(face),), {}, left)).astype(int)
    assert np.abs(drawn[60, 40] - 100).max() > 20
    assert (drawn[125:200, 10:70] == 100).all(), "no heat on the face"


def test_attention_that_points_nowhere_is_not_drawn():
    flat = np.full((14, 14), 1 / 196, np.float32)
    flat[3, 3] += 1e-5
    drawn = draw_overlay(FRAME, "bgr8", Result((), {}, flat))
    assert np.abs(drawn.astype(int) - 100).max() <= 1


def body(box, valence=math.nan):
    probabilities = np.full(26, 0.1, np.float32)
    for label, p in (("Anger", 0.8), ("Happiness", 0.6), ("Sadness", 0.4)):
        probabilities[EMOTIC26.index(label)] = p
    estimate = EmotionEstimate("m", EMOTIC26, probabilities, True, valence=valence)
    return PersonEmotion(body=box, estimates=(estimate,))


def bar_length(drawn, label):
    """Pixels of the longest line in exactly the colour of an emotion, in the lower part."""
    match = (drawn[100:] == emotion_color(label)).all(axis=2)
    return int(match.sum(axis=1).max())


def test_a_body_has_its_strongest_emotions_with_bars_in_proportion():
    drawn = draw_overlay(FRAME, "bgr8", Result((body(Box(40, 10, 140, 230)),), {}))
    anger, happy, sad = (bar_length(drawn, name) for name in ("Anger", "Happiness", "Sadness"))
    assert happy / anger == pytest.approx(0.75, abs=0.05)
    assert sad / anger == pytest.approx(0.5, abs=0.05)
    # In the box, at its lower edge.
    assert (drawn[30:140, 60:120] == 100).all()
    assert (drawn[222:, 45:130] != 100).any()


def test_a_small_body_has_only_its_strongest_emotion():
    drawn = draw_overlay(FRAME, "bgr8", Result((body(Box(40, 150, 140, 200)),), {}))
    assert bar_length(drawn, "Anger") > 0
    assert bar_length(drawn, "Happiness") == 0


def test_valence_is_written_where_there_is_one():
    plain, with_vad = (
        draw_overlay(FRAME, "bgr8", Result((body(Box(40, 10, 140, 230), valence),), {}))
        for valence in (math.nan, 0.5)
    )
    darker = [(drawn[10:230, 45:130] < 100).any(axis=2).sum() for drawn in (plain, with_vad)]
    assert darker[1] > darker[0]


@pytest.mark.parametrize(
    "box", [Box(-50, -50, 20, 20), Box(300, 220, 400, 300), Box(0, 0, 320, 240), Box(5, 5, 7, 8)]
)
def test_bodies_anywhere_are_drawn(box):
    drawn = draw_overlay(FRAME, "bgr8", Result((body(box, 0.5),), {}))
    assert drawn.shape == FRAME.shape
    assert not np.array_equal(drawn, FRAME)


def test_the_heat_map_is_drawn_where_it_is_high():
    heat = np.zeros((12, 16), np.float32)
    heat[3, 12] = 1.0
    drawn = draw_overlay(FRAME, "bgr8", Result((), {}, heat=heat)).astype(int)
    assert np.abs(drawn[70, 250] - 100).max() > 30
    assert (drawn[:, :200] == 100).all()


@pytest.mark.parametrize("encoding", ["rgb8", "bgra8", "rgba8", "mono8"])
def test_every_encoding_becomes_bgr(encoding):
    shape = (20, 30) if encoding == "mono8" else (20, 30, 4 if "a" in encoding else 3)
    image = np.zeros(shape, np.uint8)
    if encoding == "mono8":
        image[:] = 9
        assert (to_bgr(image, encoding) == 9).all()
    else:
        image[..., encoding.index("r")] = 200
        assert tuple(to_bgr(image, encoding)[0, 0]) == (0, 0, 200)


def test_a_contact_sheet_keeps_every_frame_and_its_proportions():
    frames = [np.full((48, 64, 3), 10 * i, np.uint8) for i in range(1, 6)]
    sheet = contact_sheet(frames, columns=3, width=32)
    assert sheet.shape == (48, 96, 3)
    for i in range(5):
        row, column = divmod(i, 3)
        assert (
            sheet[row * 24 : row * 24 + 24, column * 32 : column * 32 + 32] == 10 * (i + 1)
        ).all()
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])
