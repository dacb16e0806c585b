"""Drawn scenes: what is where, what gives the label away, and what does not."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.scenes import (
    Expression,
    SceneControls,
    SceneStream,
    coverage,
    cut_batch,
    cut_clip,
    cut_scene,
    draw_clip,
    draw_scene,
)
from caer_ros.datasets.scenes.clip import TURNS
from caer_ros.datasets.scenes.face import HEAD_REACH, draw_face
from caer_ros.datasets.scenes.facs import PROTOTYPES
from caer_ros.datasets.scenes.objects import CUES, DISTRACTORS, Thing
from caer_ros.datasets.scenes.pen import Placement, pen_on

CROWD = SceneControls(ambiguity=0.8, reliability=0.8, companions=3)


def test_same_seed_same_pixels_in_any_order() -> None:
    stream = SceneStream(3, "train", CROWD)
    first = [scene.image for scene in stream.scenes(5)]
    again = pickle.loads(pickle.dumps(stream))
    for index in (4, 0, 2):
        np.testing.assert_array_equal(again.scene(index).image, first[index])
    assert not np.array_equal(SceneStream(4, "train", CROWD).scene(0).image, first[0])
    assert not np.array_equal(SceneStream(3, "test", CROWD).scene(0).image, first[0])


def test_every_seven_scenes_show_every_label_once() -> None:
    stream = SceneStream(0)
    for block in range(5):
        labels = [stream.spec(7 * block + k).label for k in range(7)]
        assert Counter(labels) == dict.fromkeys(CAER7, 1)
    # In another order each time: a batch of neighbours tells nothing.
    assert len({tuple(stream.spec(7 * b + k).label for k in range(7)) for b in range(20)}) > 15


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from([(320, 240), (160, 120), (240, 320), (480, 200), (640, 480)]),
)
def test_nothing_covers_a_face(index: int, size: tuple[int, int]) -> None:
    width, height = size
    controls = replace(CROWD, width=width, height=height)
    scene = SceneStream(1, "train", controls).scene(index)
    assert scene.image.shape == (height, width, 3)
    assert scene.image.dtype == np.uint8
    assert len(scene.faces) == len(scene.bodies) == len(scene.expressions)
    for face in scene.faces:
        assert face.x1 >= 1
        assert face.y1 >= 1
        assert face.x2 <= width - 1
        assert face.y2 <= height - 1
    for k, face in enumerate(scene.faces):
        assert all(face.iou(other) == 0 for other in scene.faces[k + 1 :])
        if scene.object_box is not None:
            assert face.iou(scene.object_box) == 0
    assert (scene.object_box is None) == (scene.spec.planted is None)
    if scene.object_box is not None:
        assert scene.object_box.clipped(width, height) == scene.object_box
        assert scene.object_box.area > 0.01 * width * height * min(1, height / width)


def _with_label(scene_spec, label: str):
    return replace(scene_spec, subject=Expression(label, "Neutral", 0.0))


@pytest.mark.parametrize("index", range(6))
def test_an_expression_changes_pixels_of_its_face_only(index: int) -> None:
    spec = SceneStream(7, "train", CROWD).spec(index)
    spec = replace(spec, planted="Happy")
    neutral = draw_scene(_with_label(spec, "Neutral"))
    changed = np.zeros(neutral.image.shape[:2], bool)
    for label in CAER7:
        scene = draw_scene(_with_label(spec, label))
        assert scene.faces == neutral.faces
        changed |= (scene.image != neutral.image).any(axis=2)
        # Hidden, nothing of the label is left: not one byte of the context differs.
        np.testing.assert_array_equal(cut_scene(scene)[1], cut_scene(neutral)[1])
    rows, columns = np.nonzero(changed)
    face = neutral.faces[0]
    assert columns.min() >= math.floor(face.x1)
    assert columns.max() < math.ceil(face.x2)
    assert rows.min() >= math.floor(face.y1)
    assert rows.max() < math.ceil(face.y2)
    # Tight: features reach over more than half of the box.
    assert np.ptp(columns) > 0.5 * face.width
    assert np.ptp(rows) > 0.5 * face.height


@pytest.mark.parametrize("label", ["Neutral", "Surprise", "Happy"])
def test_face_boxes_are_the_faces_edge(label: str) -> None:
    for index in range(5):
        actor = SceneStream(2).scene(index).actors[0]
        image = np.full((240, 320, 3), 7, np.uint8)
        with pen_on(image, actor.placement, HEAD_REACH) as pen:
            draw_face(pen, actor.who, PROTOTYPES[label], actor.turn)
        rows, columns = np.nonzero((image != 7).any(axis=2))
        found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        face = actor.face
        # cv2's smoothing leaves a trace of skin up to a pixel beyond the edge.
        np.testing.assert_allclose(found, (face.x1, face.y1, face.x2, face.y2), atol=1.6)


def test_without_hiding_the_context_shows_the_face() -> None:
    scene = SceneStream(1).scene(3)
    assert not np.array_equal(cut_scene(scene)[1], cut_scene(scene, hide=False)[1])


def test_the_layout_does_not_depend_on_the_object() -> None:
    spec = SceneStream(5, "train", CROWD).spec(1)
    scenes = [draw_scene(replace(spec, planted=name)) for name in (None, *CAER7)]
    assert all(scene.faces == scenes[0].faces for scene in scenes)
    box = scenes[1].object_box
    assert box is not None
    changed = (scenes[1].image != scenes[0].image).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert columns.min() >= box.x1 - 1
    assert columns.max() <= box.x2
    assert rows.min() >= box.y1 - 1
    assert rows.max() <= box.y2


def test_things_fill_their_place_and_say_their_box() -> None:
    drawings = [d for cues in CUES.values() for d in cues] + list(DISTRACTORS)
    assert len({d.__name__ for d in drawings}) == len(drawings) == 29
    assert all(len(cues) == 3 for cues in CUES.values())
    for drawing in drawings:
        image = np.full((100, 120, 3), 7, np.uint8)
        box = Thing(drawing, Placement(60, 50, 40), (200, 100, 50), 1).draw(image)
        assert box is not None
        assert 10 <= box.x1 < box.x2 <= 110
        assert max(box.width, box.height) > 60
        rows, columns = np.nonzero((image != 7).any(axis=2))
        assert (columns.min(), rows.min()) == (box.x1, box.y1)
        assert (columns.max() + 1, rows.max() + 1) == (box.x2, box.y2)


def test_batches_carry_what_training_and_attention_need() -> None:
    controls = SceneControls(ambiguity=(0, 1), reliability=0.5, absent=0.5)
    batch = cut_batch(SceneStream(0, "train", controls).scenes(14), 48, 64)
    assert batch.faces.shape == (14, 48, 48, 3)
    assert batch.contexts.shape == (14, 64, 64, 3)
    assert sorted(batch.labels.tolist()) == sorted(list(range(7)) * 2)
    assert np.isnan(batch.object_boxes[:, 0]).sum() not in (0, 14)
    assert not batch.right[np.isnan(batch.object_boxes[:, 0])].any()
    assert np.nanmax(batch.object_boxes) <= 64
    assert len(np.unique(batch.ambiguity)) == 14
    with pytest.raises(ValueError, match="at least one"):
        cut_batch([])


def test_coverage_of_a_box() -> None:
    grid = coverage(Box(0, 0, 2, 4), 8, 8, 4, 4)
    np.testing.assert_allclose(grid, [[1, 0, 0, 0], [1, 0, 0, 0], [0] * 4, [0] * 4])
    assert coverage(Box(1, 1, 3, 3), 8, 8, 4, 4)[:2, :2].tolist() == [[0.25] * 2] * 2


SMALL = SceneControls(ambiguity=1.0, companions=1, width=160, height=120, motion=True)


def test_clips_rise_from_rest_and_stay_inside() -> None:
    clip = SceneStream(2, "train", SMALL).clip(4, 20)
    assert clip.frames.shape == (20, 120, 160, 3)
    for scene in clip.scenes:
        for face in scene.faces:
            assert face.clipped(160, 120) == face
            assert scene.object_box is None or face.iou(scene.object_box) == 0
        # The camera moves, so do the boxes.
    assert clip.scenes[0].faces != clip.scenes[9].faces
    again = SceneStream(2, "train", SMALL).clip(4, 20)
    np.testing.assert_array_equal(clip.frames, again.frames)
    faces, contexts = cut_clip(clip, 32, 40)
    assert faces.shape == (20, 32, 32, 3)
    assert contexts.shape == (20, 40, 40, 3)
    record = clip.record()
    assert len(record["faces"]) == len(record["object_box"]) == record["frames"] == 20


def test_motion_is_in_the_order_of_frames_alone() -> None:
    spec = SceneStream(2, "train", SMALL).spec(0)
    ways = {}
    for label in ("Fear", "Surprise", "Anger"):
        clip = draw_clip(_with_label(spec, label), 24)
        assert clip.turns[0] == TURNS[label]
        ways[label] = np.array([scene.actors[0].turn[0] for scene in clip.scenes])
    for start in (0, 5, 8):
        window = slice(start, start + 16)
        for label in ("Surprise", "Anger"):
            np.testing.assert_allclose(
                np.sort(ways[label][window]), np.sort(ways["Fear"][window]), atol=1e-9
            )
    assert not np.allclose(ways["Fear"], ways["Surprise"])


def test_without_the_cue_motion_says_nothing() -> None:
    controls = replace(SMALL, motion=False)
    spec = SceneStream(2, "train", controls).spec(0)
    turns = {draw_clip(_with_label(spec, label)).turns for label in ("Fear", "Surprise", "Anger")}
    assert len(turns) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 100}, "Width 100 is not within"),
        ({"height": 60}, "Height 60 is not within"),
        ({"companions": 9}, "Companions 9"),
        ({"noise": -1}, "Noise -1"),
        ({"agreement": 2}, "Agreement 2"),
    ],
)
def test_controls_out_of_range(wrong: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SceneControls(**wrong)


def test_bad_indices_and_lengths() -> None:
    with pytest.raises(InputError, match="Indices start at 0"):
        SceneStream(0).spec(-1)
    with pytest.raises(InputError, match="too short"):
        SceneStream(0).clip(0, 15)
