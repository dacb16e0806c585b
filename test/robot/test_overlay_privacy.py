"""Faces that are taken out of the overlay, and what the overlay says of many and of both models."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from caer_ros.core import CAER7, EMOTIC26, HECO8, Box, EmotionEstimate, PersonEmotion
from caer_ros.perception import Result, draw_overlay
from caer_ros.perception.heat import pixels
from caer_ros.perception.hide_faces import hide_faces, where_faces_may_be
from caer_ros.perception.palette import OTHER, emotion_color


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (240, 320, 3), np.uint8)


def caer(label: str, probability: float = 0.9) -> EmotionEstimate:
    values = np.full(7, (1 - probability) / 6, np.float32)
    values[CAER7.index(label)] = probability
    return EmotionEstimate("caer", CAER7, values, lambda_face=0.5, lambda_context=0.5)


def benet(label: str) -> EmotionEstimate:
    """Sure of one emotion; next come Esteem and Fatigue, whose colours are nobody else's here."""
    values = np.full(26, 0.05, np.float32)
    values[[EMOTIC26.index(name) for name in (label, "Esteem", "Fatigue")]] = 0.9, 0.2, 0.1
    return EmotionEstimate("benet", EMOTIC26, values, True)


def test_a_hidden_face_is_a_function_of_sixteen_colours(noise):
    """Two pictures whose 4 x 4 means agree become the same: what told them apart is gone."""
    other = noise.copy()
    face = Box(100, 60, 180, 140)
    for row in range(4):
        for column in range(4):
            cell = other[60 + 20 * row : 80 + 20 * row, 100 + 20 * column : 120 + 20 * column]
            cell[:] = cell[::-1, ::-1]
    assert not np.array_equal(noise[60:140, 100:180], other[60:140, 100:180])
    for picture in (noise, other):
        hide_faces(picture, [face])
    assert np.array_equal(noise, other)
    assert len(np.unique(noise[60:140, 100:180].reshape(-1, 3), axis=0)) > 16, "no hard edges"


def test_nothing_but_the_boxes_is_changed(noise):
    hidden = noise.copy()
    hide_faces(hidden, [Box(-30, -30, 40, 40), Box(300, 200, 500, 500), Box(400, 0, 500, 90)])
    changed = (hidden != noise).any(axis=2)
    assert changed[:40, :40].mean() > 0.9
    assert changed[200:, 300:].mean() > 0.9
    changed[:40, :40] = changed[200:, 300:] = False
    assert not changed.any()


@pytest.mark.parametrize("box", [Box(5, 5, 5.2, 5.4), Box(0, 0, 1, 240), Box(7, 3, 9, 4)])
def test_the_smallest_faces_are_hidden_too(noise, box):
    hide_faces(noise, [box])
    rows, columns = pixels(box, 320, 240)
    assert rows.stop > rows.start
    assert columns.stop > columns.start


def test_faces_are_hidden_a_little_wider_than_they_are():
    (hidden,) = where_faces_may_be([PersonEmotion(face=Box(100, 100, 200, 200))])
    assert (hidden.x1, hidden.y1, hidden.x2, hidden.y2) == (85, 85, 215, 215)
    both = PersonEmotion(face=Box(100, 100, 200, 200), body=Box(0, 0, 300, 600))
    assert where_faces_may_be([both]) == [hidden]
    assert where_faces_may_be([], [Box(100, 100, 200, 200)]) == [hidden]


@pytest.mark.parametrize(
    ("body", "height"), [(Box(0, 0, 100, 400), 120), (Box(0, 0, 200, 200), 140)]
)
def test_of_a_body_without_a_face_the_head_is_hidden(body, height):
    (hidden,) = where_faces_may_be([PersonEmotion(body=body)])
    assert (hidden.x1, hidden.x2, hidden.y1) == (body.x1, body.x2, body.y1)
    assert hidden.height == pytest.approx(height)
    assert where_faces_may_be([PersonEmotion()]) == []


def test_the_overlay_hides_faces_only_when_asked(noise):
    result = Result((PersonEmotion(face=Box(100, 60, 180, 140)),), {})
    shown, hidden = (draw_overlay(noise, "bgr8", result, blur) for blur in (False, True))
    inside = slice(70, 130), slice(110, 170)
    assert np.array_equal(shown[inside], noise[inside])
    assert hidden[inside].std() < noise[inside].std() / 5
    assert np.array_equal(hidden[:40], noise[:40])


def test_no_detector_finds_a_hidden_face(pipeline, astronaut):
    result = pipeline.process(astronaut, "bgr8")
    assert len(result.people) == 1
    hidden = astronaut.copy()
    hide_faces(hidden, where_faces_may_be(result.people))
    assert pipeline.process(hidden, "bgr8").people == ()


def test_the_id_is_on_a_tag_in_the_emotions_colour():
    frame = np.full((240, 320, 3), 100, np.uint8)
    for face in (Box(100, 60, 180, 140), Box(100, 0, 180, 80), Box(300, 200, 340, 260)):
        plain, tagged = (
            draw_overlay(
                frame,
                "bgr8",
                Result((PersonEmotion(face=face, estimates=(caer("Sad"),), track_id=name),), {}),
            )
            for name in ("", "p12")
        )
        differs = (plain != tagged).any(axis=2)
        assert differs.any(), face
        assert (tagged[differs] == emotion_color("Sad")).all(axis=1).mean() > 0.4


def test_two_models_are_a_card_at_the_face_and_a_list_in_the_body():
    frame = np.full((480, 640, 3), 100, np.uint8)
    person = PersonEmotion(
        face=Box(250, 60, 330, 150),
        body=Box(200, 30, 400, 470),
        estimates=(caer("Happy"), benet("Sadness")),
    )
    drawn = draw_overlay(frame, "bgr8", Result((person,), {}))
    happy = (drawn == emotion_color("Happy")).all(axis=2)
    sad = (drawn == emotion_color("Sadness")).all(axis=2)
    # Bars: solid, unlike letters and smoothed lines.
    assert happy[155:220, 250:400].sum() > 100
    assert sad[380:, 210:390].sum() > 100
    assert not happy[300:].any()


def test_small_faces_of_a_crowd_have_labels_that_leave_room():
    frame = np.full((720, 1280, 3), 100, np.uint8)
    faces = [Box(x, y, x + 34, y + 40) for y in range(40, 700, 115) for x in range(8, 1240, 128)]
    people = tuple(
        PersonEmotion(face=face, estimates=(caer("Surprise"),), track_id=f"p{i}")
        for i, face in enumerate(faces)
    )
    assert len(people) == 60
    drawn = draw_overlay(frame, "bgr8", Result(people, {}))
    for face in faces:
        right = drawn[round(face.y1) : round(face.y2) + 20, round(face.x1) + 118]
        assert (right == 100).all(), "a label reaches into the neighbour"
        inside = drawn[
            round(face.y1) + 4 : round(face.y2) - 4, round(face.x1) + 4 : round(face.x2) - 4
        ]
        assert (inside == 100).all(), "a label hides a face"


def test_every_label_has_a_colour_and_one_emotion_one_colour():
    for label in (*CAER7, *EMOTIC26, *HECO8):
        assert len(emotion_color(label)) == 3
    assert emotion_color("Happy") == emotion_color("Happiness")
    assert emotion_color("Sad") == emotion_color("Sadness")
    assert len({emotion_color(label) for label in CAER7}) == 7
    assert OTHER not in {emotion_color(label) for label in CAER7}


def test_heat_is_stronger_where_there_is_more_of_it():
    frame = np.full((120, 160, 3), 100, np.uint8)
    heat = np.tile(np.linspace(0, 1, 16, dtype=np.float32), (12, 1))
    drawn = draw_overlay(frame, "bgr8", Result((), {}, heat=heat)).astype(int)
    away = np.abs(drawn - 100).max(axis=(0, 2))
    assert (np.diff(away) >= -1).all()
    assert away[0] == 0
    assert away[-1] > 60


def test_a_frame_whose_memory_is_in_parts_is_drawn(noise):
    padded = cv2.copyMakeBorder(noise, 0, 0, 0, 12, cv2.BORDER_CONSTANT)[:, :320]
    result = Result(
        (PersonEmotion(face=Box(10, 10, 90, 90)),), {}, heat=np.ones((3, 4), np.float32)
    )
    assert np.array_equal(
        draw_overlay(padded, "bgr8", result, True), draw_overlay(noise, "bgr8", result, True)
    )
