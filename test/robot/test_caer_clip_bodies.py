"""BENet and CAER-Net together, through the pipeline's own stages: engines and finder are fakes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from caer_ros.bundles import Bundle
from caer_ros.core import CAER7, Box
from caer_ros.perception import Pipeline, PipelineConfig, Scene
from caer_ros.perception.benet import TASK as BODIES
from caer_ros.perception.benet import BenetReader
from caer_ros.perception.caer_clip import TASK as CLIPS
from caer_ros.perception.caer_clip import CaerClipStage
from caer_ros.perception.face_reader import FaceReader
from caer_ros.perception.follow import SmoothStage, TrackStage
from caer_ros.perception.rated import Rated, Recall

pytest.importorskip("norfair")

SIDE = 64
IMAGE = np.full((SIDE, SIDE, 3), 90, np.uint8)
LABELS = ("Peace", "Esteem")
BODY, FACE = Box(10, 4, 40, 60), Box(20, 8, 30, 18)


def bundle(name: str, task: str, labels, inputs, outputs, decode) -> Bundle:
    shapes = {name: {"shape": shape} for name, shape in outputs.items()}
    return Bundle(
        *(Path("somewhere"), name, "1", task, "", "", tuple(labels), task == BODIES),
        *(inputs, shapes, decode, {}),
    )


class BodyEngine:
    """One body, always the same; counts its runs."""

    def __init__(self):
        self.runs = 0

    def run(self, arrays, outputs=None):
        self.runs += 1
        corners = [BODY.x1, BODY.y1, BODY.x2, BODY.y2]
        return {
            "boxes": np.array([[corners]], np.float32),
            "scores": np.array([[0.9]], np.float32),
            "emotions": np.array([[[0.25, 0.75]]], np.float32),
            "peaks": np.array([1]),
        }

    def close(self):
        pass


class ClipEngine:
    """Everybody is happy."""

    def run(self, arrays, outputs=None):
        people = len(arrays["face"])
        logits = np.zeros((people, 7), np.float32)
        logits[:, CAER7.index("Happy")] = 3
        return {"logits": logits, "fusion": np.full((people, 2), 0.5, np.float32)}

    def close(self):
        pass


class Finder:
    """Finds the faces that the test says."""

    threshold = min_face = 0.0

    def __init__(self):
        self.faces = [FACE]

    def detect(self, image, encoding):
        return list(self.faces)

    def run_bare(self):
        pass

    def close(self):
        pass


def opened(rate: float, cameras=("",)) -> SimpleNamespace:
    """A pipeline as assembled for model and body_model, and what is fake in it."""
    config = PipelineConfig(body_rate_hz=rate, tracking="always", smoothing_s=0.0, cameras=cameras)
    finder, engine = Finder(), BodyEngine()
    bodies = bundle(
        *("bodies", BODIES, LABELS, {"images": {"short_side": SIDE, "multiple_of": SIDE}}),
        {"emotions": ["images", 1, 2]},
        {"top_k": 1, "threshold": 0.3},
    )
    clips = bundle(
        *("clips", CLIPS, CAER7),
        {
            "face": {"shape": ["people", 16, 8, 8, 3], "margin": 0.1},
            "context": {"shape": ["scenes", 16, 8, 8, 3], "fill": 0, "frame": [8, 12]},
        },
        {"logits": ["people", 7]},
        {"rate": 10.0, "hop": 8},
    )
    clip = CaerClipStage(clips, ClipEngine(), 4)
    stages = [
        FaceReader(finder, 4, "fake"),
        Rated(BenetReader(bodies, engine), config),
        TrackStage(),
        Recall("bodies"),
        clip,
        SmoothStage(),
    ]
    pipeline = Pipeline(config, stages, clip.clip_config)
    return SimpleNamespace(pipeline=pipeline, finder=finder, bodies=engine)


def models(person) -> dict[str, float]:
    return {e.model: round(e.lag, 2) for e in person.estimates}


def test_one_person_has_body_face_and_what_both_models_say():
    line = opened(0.0)
    for frame in range(20):
        (person,) = line.pipeline.process(IMAGE, "bgr8", stamp=frame / 10).people
        assert (person.face, person.body.x1) == (FACE, BODY.x1)
    # Known from the second frame on, and so for 16 frames with frame 16, three before this one.
    assert models(person) == {"bodies": 0.0, "clips": 0.75 + 0.3}
    assert person.track_id
    tops = {e.model: e.top_label for e in person.estimates}
    assert tops == {"bodies": "Esteem", "clips": "Happy"}
    assert line.bodies.runs == 20


def test_between_looks_for_bodies_people_keep_what_was_said_of_theirs():
    line = opened(2.0)
    ids, said = set(), {}
    for frame in range(40):
        (person,) = line.pipeline.process(IMAGE, "bgr8", stamp=frame / 10).people
        ids.add(person.track_id)
        said[frame] = models(person)
        # A body is a find of the frame itself, or there is none.
        assert (person.body is not None) == (frame == 0 or frame % 5 == 3)
    assert line.bodies.runs == 1 + 8
    assert ids - {""} == {person.track_id}
    assert [said[f]["bodies"] for f in (23, 24, 27, 28)] == [0.0, 0.1, 0.4, 0.0]
    assert set(said[39]) == {"bodies", "clips"}


def test_somebody_whose_face_is_hidden_keeps_both_estimates_by_his_body():
    line = opened(0.0)
    for frame in range(20):
        if frame == 18:
            line.finder.faces = []
        (person,) = line.pipeline.process(IMAGE, "bgr8", stamp=frame / 10).people
    assert person.face is None
    assert models(person) == {"bodies": 0.0, "clips": 0.75 + 0.3}


def test_a_face_elsewhere_is_another_person():
    line = opened(0.0)
    line.finder.faces = [Box(50, 40, 60, 50)]
    for frame in range(4):
        people = line.pipeline.process(IMAGE, "bgr8", stamp=frame / 10).people
    assert [(p.body is not None, p.face is not None) for p in people] == [
        (True, False),
        (False, True),
    ]
    assert len({p.track_id for p in people}) == 2


def test_two_cameras_keep_their_own_time():
    line = opened(5.0, ("a", "b"))
    for frame in range(20):
        scenes = [Scene(IMAGE, "bgr8", frame / 10, "a")]
        if frame % 2:
            scenes.append(Scene(IMAGE, "bgr8", 1000 + frame / 10, "b"))
        results = line.pipeline.process_many(scenes)
    assert [set(models(r.people[0])) for r in results] == [{"bodies", "clips"}] * 2
    # "a", at 10 Hz, at its first frame and every second one; "b", at 5 Hz, at every frame.
    assert line.bodies.runs == 11 + 10
