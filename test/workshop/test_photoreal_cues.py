"""What beside the face goes with an emotion in renders, and pictures of several people."""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.cli import data
from caer_ros.core import CAER7, EMOTIC26, Box, InputError
from caer_ros.datasets.emotic.reader import read_emotic
from caer_ros.datasets.face_boxes import NAME, read_boxes
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.photoreal import group_set
from caer_ros.datasets.photoreal.body import PLAIN, TELLING, embody, telling_posture
from caer_ros.datasets.photoreal.cues import RIGHT, Cue, draw_cue, fit_cue, furnish
from caer_ros.datasets.photoreal.dataset import write_photoreal
from caer_ros.datasets.photoreal.group import take_group
from caer_ros.datasets.photoreal.light import sample_light
from caer_ros.datasets.photoreal.moods import set_mood
from caer_ros.datasets.photoreal.person import Studio, open_studio
from caer_ros.datasets.photoreal.picture import person_of, take
from caer_ros.datasets.photoreal.plan import is_photoreal
from caer_ros.datasets.photoreal.things import place_thing
from caer_ros.datasets.photoreal.view import HEIGHT, WIDTH, sample_view
from caer_ros.datasets.scenes.objects import CUES
from caer_ros.evaluation.sample_facts import read_sample_facts

# Means of the 4 x 3 parts of pictures that were drawn before there were cues or clips.
BEFORE = {
    (0, "Anger"): [134, 79, 118, 138, 113, 110, 104, 130, 78, 76, 88, 98],
    (0, "Surprise"): [61, 70, 76, 76, 70, 75, 78, 92, 71, 61, 66, 108],
    (3, "Happy"): [99, 94, 98, 89, 86, 101, 91, 94, 83, 172, 117, 74],
}


@pytest.fixture(scope="module")
def studio(face_model: FaceModel) -> Studio:
    return open_studio(face_model)


@pytest.mark.parametrize(("number", "label"), list(BEFORE))
def test_old_seeds_still_give_their_pictures(number: int, label: str, studio: Studio) -> None:
    image = take(studio, person_of(studio, 11, number), 11, number, label).image
    parts = cv2.resize(image, (4, 3), interpolation=cv2.INTER_AREA).reshape(-1, 3).mean(axis=1)
    # Not the bytes: other versions of numpy and OpenCV round otherwise.
    assert np.abs(parts - BEFORE[number, label]).max() < 1.5


def test_cues_come_as_often_as_asked_and_are_mostly_right() -> None:
    drawn = [draw_cue("Fear", 0.6, np.random.default_rng(seed)) for seed in range(1500)]
    real = [cue for cue in drawn if cue.kind not in ("", "idle")]
    assert abs(len(real) / len(drawn) - 0.6) < 0.05
    assert abs(np.mean([cue.label == "Fear" for cue in real]) - RIGHT) < 0.04
    assert {cue.label for cue in real} == set(CAER7)
    kinds = Counter(cue.kind for cue in drawn)
    assert min(kinds[k] for k in ("thing", "mood", "posture", "company", "idle", "")) > 50
    none = [draw_cue("Fear", 0.0, np.random.default_rng(seed)) for seed in range(50)]
    assert all(cue == Cue() for cue in none)


def test_a_thing_stands_where_nobody_is() -> None:
    ground = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    taken = np.zeros((HEIGHT, WIDTH), np.float32)
    taken[80:, 120:260] = 1
    face = Box(150, 80, 230, 170)
    for seed, label in enumerate(CAER7):
        rng = np.random.default_rng(seed)
        placed = place_thing(ground, CUES[label][0], taken, [face], sample_light(rng), rng)
        assert placed is not None
        box = placed.box
        assert box.iou(face) == 0
        assert 0 <= box.x1 < box.x2 <= WIDTH
        assert 0 <= box.y1 < box.y2 <= HEIGHT
        inside = placed.ground[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)]
        assert (np.abs(inside.astype(int) - 90).max(axis=2) > 10).mean() > 0.2
    assert (ground == 90).all()
    rng = np.random.default_rng(0)
    everywhere = np.ones_like(taken)
    assert place_thing(ground, CUES["Sad"][0], everywhere, [], sample_light(rng), rng) is None
    cue = furnish(ground, Cue("thing", label="Sad"), everywhere, [], sample_light(rng), rng)[1]
    assert (cue.kind, cue.name, cue.label) == ("mood", "rain", "Sad")
    assert furnish(ground, Cue("idle"), everywhere, [], sample_light(rng), rng)[1] == Cue()


def test_large_faces_leave_no_room_for_arms_or_company() -> None:
    rng = np.random.default_rng(0)
    near = replace(sample_view("Happy", {}, rng), face=190.0, centre=(200.0, 130.0))
    far = replace(near, face=60.0)
    for kind in ("posture", "company"):
        cue = Cue(kind, label="Happy")
        assert fit_cue(cue, near, rng) == (Cue("mood", label="Happy"), None)
        kept, there = fit_cue(cue, far, rng)
        assert kept == cue
        assert (there is not None) == (kind == "company")
        if there:
            assert abs(there.centre[0] - far.centre[0]) > far.face


def test_each_mood_is_its_own_and_repeats() -> None:
    ground = np.full((60, 80, 3), 128, np.uint8)
    painted = [set_mood(ground, label, np.random.default_rng(1)) for label in CAER7]
    assert np.array_equal(painted[0], set_mood(ground, CAER7[0], np.random.default_rng(1)))
    mean = {label: image.mean(axis=(0, 1)) for label, image in zip(CAER7, painted, strict=True)}
    assert mean["Anger"][0] > 1.5 * mean["Anger"][2]
    assert mean["Fear"].mean() < 0.6 * mean["Happy"].mean()
    assert mean["Sad"][2] > mean["Sad"][0]
    assert mean["Disgust"][2] < 0.8 * mean["Disgust"][1]


def test_arms_go_where_the_posture_says(studio: Studio) -> None:
    person = person_of(studio, 0, 0)
    up = next(p for p in TELLING["Happy"] if p.name == "arms up")
    raised = embody(person, up, np.random.default_rng(0)).limbs
    hanging = embody(person, PLAIN[0], np.random.default_rng(0)).limbs
    assert raised is not None
    assert hanging is not None
    # The head is 0 to 12 cm high, the ground some 155 below.
    assert raised.points[:, 1].max() > 15
    assert hanging.points[:, 1].max() < -15
    assert hanging.points[:, 1].min() < -140
    assert person.limbs is None
    names = {telling_posture("Sad", np.random.default_rng(s)).name for s in range(20)}
    assert names == {p.name for p in TELLING["Sad"]}


def test_a_picture_tells_its_cue(studio: Studio) -> None:
    found: Counter[str] = Counter()
    for number in range(6):
        person = person_of(studio, 2, number)
        picture = take(studio, person, 2, number, "Happy", 1.0)
        cue = picture.cue
        found[cue.kind] += 1
        if cue.kind:
            assert cue.name
            assert cue.label in CAER7
            assert cue.box is not None
            assert cue.box.clipped(WIDTH, HEIGHT) == cue.box
        assert (cue.kind == "company") == bool(picture.others)
    assert len(found) > 1


def test_the_data_set_tells_its_cues(face_model: FaceModel, tmp_path: Path) -> None:
    out = tmp_path / "cued"
    assert write_photoreal(face_model, out, 14, 5, cues=0.7) == {"train": 7, "test": 7}
    assert not is_photoreal(out)
    facts = read_sample_facts(out)
    kinds = {name: row.get("cue_kind") for name, row in facts.items()}
    assert len(kinds) == 14
    assert sum(kind not in (None, "idle") for kind in kinds.values()) >= 4
    for row in facts.values():
        if row.get("cue_kind") not in (None, "idle"):
            assert row["cue_label"] in CAER7
            assert 0 <= float(row["cue_x1"]) < float(row["cue_x2"]) <= WIDTH
    boxes = read_boxes(out / NAME)
    assert boxes.keys() == facts.keys()
    for name, kind in kinds.items():
        assert len(boxes[name].frames[0]) == (2 if kind == "company" else 1)


def test_people_of_a_group_have_boxes_apart(studio: Studio) -> None:
    crowds = []
    for number in (0, 1, 4):
        group = take_group(studio, 6, number, 1.0)
        assert group.image.shape == (HEIGHT, WIDTH, 3)
        assert group.people[0].label == CAER7[number]
        for k, one in enumerate(group.people):
            assert one.body.clipped(WIDTH, HEIGHT) == one.body
            middle = (one.face.x1 + one.face.x2) / 2
            assert one.body.x1 < middle < one.body.x2
            assert all(one.face.iou(two.face) == 0 for two in group.people[k + 1 :])
        crowds.append(len(group.people))
    assert max(crowds) > 1


def test_groups_read_as_emotic(
    studio: Studio, face_model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take_group(studio, 6, 1, 1.0)
    monkeypatch.setattr(group_set, "take_group", lambda *_: first)
    out = tmp_path / "groups"
    counts = group_set.write_groups(face_model, out, 21, 6, cues=1.0)
    assert counts == {"train": 17, "validation": 2, "test": 2}
    splits = read_emotic(out)
    assert {split: len(images) for split, images in splits.items()} == counts
    annotated = splits["train"][0]
    assert len(annotated.people) == len(first.people)
    entry = json.loads((out / "Annotations.json").read_text())["test"][0]
    for person, told in zip(entry["person"], first.people, strict=True):
        assert person["body_bbox"] == pytest.approx(
            [told.body.x1, told.body.y1, told.body.x2, told.body.y2], abs=0.01
        )
        assert set(person["combined_categories"]) <= set(EMOTIC26)
    rows = list(csv.DictReader((out / "people.csv").open()))
    assert len(rows) == 21 * len(first.people)
    assert rows[0]["label"] == first.people[0].label


def test_layouts_and_cues_need_photoreal(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    data.add_parser(parser.add_subparsers())
    for option in (["--layout", "caer"], ["--cues", "0.5"]):
        args = parser.parse_args(
            ["data", "synth", str(tmp_path / "x"), "--face-model", "none.npz", *option]
        )
        with pytest.raises(InputError, match="--photoreal"):
            args.run(args)
    args = parser.parse_args(["data", "synth", "x", "--face-model", "y", "--photoreal"])
    assert (args.layout, args.cues, args.frames, args.jobs) == ("caer-s", 0.0, 16, 1)
