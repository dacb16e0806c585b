"""Several cameras at once, people over time, and a pipeline that takes over from another."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.perception import Pipeline, PipelineConfig, Scene, draw_overlay
from caer_ros.perception.static_stage import StaticStage

pytest.importorskip("norfair")


@pytest.fixture(scope="module")
def two():
    config = PipelineConfig(
        backend="onnxruntime", detector_size=320, cameras=("front", "rear"), tracking="always"
    )
    with Pipeline.open(config) as opened:
        yield opened


def open_one(**changes) -> Pipeline:
    changes = {"backend": "onnxruntime", "detector_size": 320, "tracking": "always", **changes}
    return Pipeline.open(PipelineConfig(**changes))


def shifted(image: np.ndarray, pixels: int) -> np.ndarray:
    return np.roll(image, pixels, axis=1)


def test_frames_of_two_cameras_get_what_each_gets_alone(two, astronaut, crowd):
    alone = [
        two.process(astronaut, "bgr8", want_maps=True, stamp=100.0, camera="front"),
        two.process(crowd, "bgr8", want_maps=True, stamp=100.0, camera="rear"),
    ]
    both = two.process_many(
        [
            Scene(astronaut, "bgr8", 200.0, "front", want_maps=True),
            Scene(crowd, "bgr8", 200.0, "rear", want_maps=True),
        ]
    )
    for one, other in zip(alone, both, strict=True):
        assert len(one.people) == len(other.people) > 0
        for a, b in zip(one.people, other.people, strict=True):
            assert a.face == b.face
            np.testing.assert_allclose(
                a.estimates[0].probabilities, b.estimates[0].probabilities, atol=1e-4
            )
        np.testing.assert_allclose(one.attention, other.attention, atol=1e-5)
    # Their pictures differ, so a mix-up would show.
    assert np.abs(both[0].attention - both[1].attention).max() > 1e-3


def test_a_bad_frame_fails_alone(two, astronaut):
    good, bad = two.process_many(
        [
            Scene(astronaut, "bgr8", 300.0, "front"),
            Scene(astronaut[:, :, 0], "bgr8", 300.0, "rear"),
        ]
    )
    assert len(good.people) == 1
    assert isinstance(bad, InputError)
    assert "bgr8" in str(bad)


def test_only_cameras_that_were_named_are_known(two, astronaut):
    with pytest.raises(InputError, match="camera 'side'"):
        two.process(astronaut, "bgr8", camera="side")
    with pytest.raises(InputError, match="stamp is nan"):
        two.process(astronaut, "bgr8", stamp=float("nan"), camera="front")
    with pytest.raises(InputError, match="a name of its own"):
        PipelineConfig(cameras=("a", "a"))


def test_a_person_gets_an_id_that_stays_and_cameras_do_not_share_ids(astronaut):
    config = {"cameras": ("front", "rear")}
    with open_one(**config) as pipeline:
        ids = {"front": [], "rear": []}
        for step in range(4):
            for camera in ids:
                frame = shifted(astronaut, 4 * step)
                (person,) = pipeline.process(
                    frame, "bgr8", stamp=10 + step / 10, camera=camera
                ).people
                ids[camera].append(person.track_id)
    assert ids["front"] == ["", "p1", "p1", "p1"]  # the second sighting gives an id
    assert ids["rear"] == ["", "pb1", "pb1", "pb1"]


def test_estimates_are_smoothed_and_say_how_far_they_lie_behind(astronaut):
    # The mirrored face is read a little differently; smoothed, the change comes slowly.
    with open_one(smoothing_s=1.0, track_min_hits=1) as pipeline:
        first = pipeline.process(astronaut, "bgr8", stamp=1.0).people[0].estimates[0]
        dark = cv2.convertScaleAbs(astronaut, alpha=0.5)
        second = pipeline.process(dark, "bgr8", stamp=1.1).people[0].estimates[0]
        pipeline.update(smoothing_s=0.0)
        third = pipeline.process(dark, "bgr8", stamp=1.2).people[0].estimates[0]
    assert first.lag == 0
    # After 0.1 s with a time constant of 1 s: exp(-0.1) of the weight lies 0.1 s back.
    assert second.lag == pytest.approx(0.1 * np.exp(-0.1), abs=1e-6)
    assert third.lag == 0
    part = 1 - np.exp(-0.1)
    np.testing.assert_allclose(
        second.probabilities,
        (1 - part) * first.probabilities + part * third.probabilities,
        atol=1e-4,
    )


def test_a_new_pipeline_takes_over_who_is_who(astronaut):
    with open_one() as old, open_one(precision="int8") as new:
        for step in range(2):
            before = old.process(astronaut, "bgr8", stamp=1 + step / 10)
        assert before.people[0].track_id == "p1"
        new.adopt(old)
        after = new.process(astronaut, "bgr8", stamp=1.2)
    assert after.people[0].track_id == "p1"


def test_what_can_not_change_is_refused_and_nothing_changes(two):
    config = two.config
    with pytest.raises(InputError, match="model can not change"):
        two.update(model="other", min_face=20.0)
    with pytest.raises(InputError, match="label_margin is 2"):
        two.update(label_margin=2.0)
    assert two.config == config


def test_a_body_model_must_be_a_benet_and_needs_a_model_of_faces():
    with pytest.raises(Exception, match="task caer_static, not person_emotion_maps"):
        open_one(body_model="caer_net_s")


def test_more_people_and_frames_than_fit_are_run_in_turns(two, astronaut, crowd):
    (stage,) = [each for each in two._stages if isinstance(each, StaticStage)]
    at_once = two.process_many(
        [Scene(astronaut, "bgr8", 400.0, "front"), Scene(crowd, "bgr8", 400.0, "rear")]
    )
    kept = stage._max_people, stage._max_frames
    try:
        # Ten people of one frame and one of another: in two runs.
        stage._max_people = 10
        in_turns = two.process_many(
            [Scene(astronaut, "bgr8", 500.0, "front"), Scene(crowd, "bgr8", 500.0, "rear")]
        )
    finally:
        stage._max_people, stage._max_frames = kept
    for one, other in zip(at_once, in_turns, strict=True):
        assert len(one.people) == len(other.people)
        for a, b in zip(one.people, other.people, strict=True):
            np.testing.assert_allclose(
                a.estimates[0].probabilities, b.estimates[0].probabilities, atol=1e-4
            )


def test_faces_of_people_who_are_left_out_are_told_so_that_they_can_be_hidden(crowd):
    with open_one(max_people=3, tracking="never") as pipeline:
        result = pipeline.process(crowd, "bgr8")
    assert len(result.people) == 3
    assert len(result.faces) > 3
    hidden = draw_overlay(crowd, "bgr8", result, blur_faces=True)
    plain = draw_overlay(crowd, "bgr8", result)
    for face in result.faces[3:]:
        rows, cols = slice(round(face.y1), round(face.y2)), slice(round(face.x1), round(face.x2))
        assert np.abs(hidden[rows, cols].astype(int) - plain[rows, cols]).mean() > 5
