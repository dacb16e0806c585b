"""Clips of rendered people: that faces come and go, nothing else changes, and readers take them."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.core import CAER7, InputError
from caer_ros.datasets.clip_source import ClipSource
from caer_ros.datasets.cuts import Cut
from caer_ros.datasets.face_boxes import NAME, read_boxes
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.layouts import read_dataset
from caer_ros.datasets.photoreal import clip_set
from caer_ros.datasets.photoreal.acting import Act, play
from caer_ros.datasets.photoreal.camera import develop, streak
from caer_ros.datasets.photoreal.clip import Clip, take_clip
from caer_ros.datasets.photoreal.motion import (
    MARGIN,
    Swell,
    blinks,
    camera_path,
    fixations,
    speech,
    wander,
)
from caer_ros.datasets.photoreal.person import Studio, open_studio
from caer_ros.datasets.photoreal.picture import person_of
from caer_ros.datasets.photoreal.view import HEIGHT, WIDTH, sample_view
from caer_ros.evaluation.sample_facts import people_of, read_sample_facts


@pytest.fixture(scope="module")
def studio(face_model: FaceModel) -> Studio:
    return open_studio(face_model)


def acts(model: FaceModel, label: str, count: int) -> list[Act]:
    every = []
    for seed in range(count):
        rng = np.random.default_rng([seed, 77])
        every.append(play(label, sample_view("Neutral", {}, rng), rng, model.expressions, 16))
    return every


@pytest.mark.parametrize("label", ["Happy", "Surprise"])
def test_an_expression_rises_to_its_peak_and_fades(label: str) -> None:
    for seed in range(50):
        swell = Swell(label, np.random.default_rng(seed), 40)
        strength = swell.strength()
        peak = int(strength.argmax())
        assert 0 <= strength.min() <= strength.max() <= 1.07
        assert strength.max() > 0.93
        assert strength[: max(0, int(swell.onset))].max(initial=0) == 0
        assert swell.onset < peak
        assert strength[-1] < strength.max()
        # Surprise takes two or three frames.
        assert np.abs(np.diff(strength)).max() < 0.9


def test_faces_begin_at_rest_and_pose_their_emotion_at_the_peak(face_model: FaceModel) -> None:
    for act in acts(face_model, "Happy", 20):
        smile = [w["mouthSmile_L"] + w["mouthSmile_R"] for w in act.weights]
        assert act.apex == int(act.strength.argmax())
        if act.strength[0] == 0:
            assert smile[act.apex] > 2.5 * smile[0]
    still = acts(face_model, "Neutral", 20)
    assert max(w["mouthSmile_L"] for act in still for w in act.weights) < 0.3


def test_heads_and_eyes_move_smoothly_and_lids_follow(face_model: FaceModel) -> None:
    moved = []
    for act in acts(face_model, "Sad", 20):
        yaw = np.array([view.yaw for view in act.views])
        assert np.abs(np.diff(yaw)).max() < 10
        moved.append(np.ptp(yaw))
        for weights, view in zip(act.weights, act.views, strict=True):
            assert weights["eyeLookUp_L"] == pytest.approx(max(0.0, view.gaze[1] / 22))
            assert -28 <= view.gaze[0] <= 28
            assert all(-1.2 <= weight <= 1.4 for weight in weights.values())
    assert np.median(moved) > 1
    gaze = fixations(np.random.default_rng(0), 300)
    same = (np.diff(gaze, axis=0) == 0).all(axis=1).mean()
    assert 0.6 < same < 0.95


def test_people_blink_now_and_then_and_close_their_eyes(face_model: FaceModel) -> None:
    closed = np.stack([blinks(np.random.default_rng(seed), 16) for seed in range(300)])
    assert 0.2 < (closed.max(axis=1) == 1).mean() < 0.8
    assert closed.max() == 1
    assert closed.min() == 0
    lids = [w["eyeBlink_L"] for act in acts(face_model, "Surprise", 20) for w in act.weights]
    wide = [w["eyeWide_L"] for act in acts(face_model, "Surprise", 20) for w in act.weights]
    shut = np.array(lids) == 1
    assert shut.any()
    assert np.array(wide)[shut].max() == 0
    assert max(wide) > 0.5


def test_neutral_people_often_talk(face_model: FaceModel) -> None:
    talks = [act.talks for act in acts(face_model, "Neutral", 60)]
    assert 0.25 < np.mean(talks) < 0.75
    assert np.mean([act.talks for act in acts(face_model, "Anger", 60)]) < np.mean(talks)
    silent = speech(np.random.default_rng(1), 16, 0.0, face_model.expressions)
    assert max((track.max() for track in silent.values()), default=0) == 0
    said = speech(np.random.default_rng(1), 16, 1.0, face_model.expressions)
    assert said.keys() <= face_model.expressions.keys()
    jaw = said["jawOpen"]
    assert 0.05 < np.ptp(jaw) < 1


def test_cameras_stand_drift_or_shake_within_the_margin() -> None:
    paths = [camera_path(np.random.default_rng(seed), 16) for seed in range(60)]
    still = [not path.any() for path in paths]
    assert 0.1 < np.mean(still) < 0.6
    assert max(np.abs(path).max() for path in paths) < MARGIN
    assert max(np.abs(wander(np.random.default_rng(s), 99, 3.0)).max() for s in range(20)) <= 3
    dot = np.zeros((21, 21, 3), np.uint8)
    dot[10, 10] = 255
    assert np.array_equal(streak(dot, (0.5, 0.5)), dot)
    lit = streak(dot, (6.0, 0.0))[..., 0] > 0
    assert np.ptp(np.flatnonzero(lit.any(axis=0))) >= 4
    assert np.ptp(np.flatnonzero(lit.any(axis=1))) <= 2


def test_grain_is_new_in_every_frame_and_the_camera_is_not() -> None:
    grey = np.full((60, 80, 3), 120, np.uint8)
    for seed in range(40):
        first, second = (
            develop(grey, 60, np.random.default_rng(seed), np.random.default_rng([seed, t]))
            for t in (1, 2)
        )
        assert abs(float(first.mean()) - float(second.mean())) < 1.5
        assert abs(float(first.std()) - float(second.std())) < 2.5
        same = develop(grey, 60, np.random.default_rng(seed), np.random.default_rng([seed, 1]))
        assert np.array_equal(first, same)
    one = develop(grey, 60, np.random.default_rng(3), np.random.default_rng(1))
    two = develop(grey, 60, np.random.default_rng(3), np.random.default_rng(2))
    assert not np.array_equal(one, two)


def test_a_clip_depends_on_its_arguments_alone(studio: Studio) -> None:
    person = person_of(studio, 3, 1)
    first = take_clip(studio, person, 3, 1, "Sad", 2)
    take_clip(studio, person, 3, 1, "Happy", 1)
    again = take_clip(studio, person_of(studio, 3, 1), 3, 1, "Sad", 2)
    for one, two in zip(first.pictures, again.pictures, strict=True):
        assert np.array_equal(one.image, two.image)
        assert one.box == two.box
    assert first.pictures[0].image.shape == (HEIGHT, WIDTH, 3)
    assert not np.array_equal(first.pictures[0].image, first.pictures[1].image)
    # A tenth of a second apart, the two show nearly the same.
    small = [cv2.resize(p.image, (20, 15), interpolation=cv2.INTER_AREA) for p in first.pictures]
    assert np.abs(small[0].astype(int) - small[1]).mean() < 12


def test_the_clips_read_as_caer(
    face_model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quick(*args: object) -> Clip:
        """One frame sixteen times: rendering is what takes long."""
        clip = take_clip(*args[:5], 1, args[6])  # type: ignore[arg-type]
        act = replace(clip.act, strength=np.tile(clip.act.strength, 16))
        return Clip(clip.pictures * 16, act)

    monkeypatch.setattr(clip_set, "take_clip", quick)
    out = tmp_path / "clips"
    counts = clip_set.write_clips(face_model, out, 21, 5, cues=0.5)
    assert counts == {"train": 7, "validation": 7, "test": 7}
    data = read_dataset(out)
    assert data.kind == "video"
    boxes = read_boxes(out / NAME)
    for split in counts:
        assert [sample.label for sample in data.split(split)] == list(range(7))
    samples = data.split("train")
    source = ClipSource(out, samples, Cut(face=32, context=48), boxes)
    example = source.draw(3, np.random.default_rng(0))
    assert example.face.shape == (16, 32, 32, 3)
    assert source.present.all()
    facts = read_sample_facts(out)
    people, known = people_of(facts, out, samples)
    assert (set(people), known) == ({"2"}, "manifest")
    frames = list(csv.DictReader((out / "frames.csv").open()))
    assert len(frames) == 21 * 16
    for row in frames[::16]:
        box = boxes[row["file"]].subject(int(row["frame"]))
        assert box is not None
        assert box.x1 == pytest.approx(max(0.0, float(row["x1"])))
        assert float(row["nose_tip_x"]) < float(row["x2"])
    sheet = cv2.imread(str(out / "contact_sheet.png"))
    assert sheet is not None
    assert sheet.shape[0] % len(CAER7) == 0
    assert sheet.shape[1] % 16 == 0


def test_too_short_clips_and_too_few_people_are_refused(
    face_model: FaceModel, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="too few"):
        clip_set.write_clips(face_model, tmp_path / "a", 21, 0, frames=8)
    with pytest.raises(InputError, match="too small"):
        clip_set.write_clips(face_model, tmp_path / "a", 14, 0)
    with pytest.raises(InputError, match="no share"):
        clip_set.write_clips(face_model, tmp_path / "a", 21, 0, cues=1.5)
