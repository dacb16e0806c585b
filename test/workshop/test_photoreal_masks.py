"""Masks of rendered people: whose every pixel is, that boxes and landmarks agree, and old bytes."""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.cli import data
from caer_ros.core import Box, InputError
from caer_ros.datasets.caer_s import read_rgb
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.layouts import read_dataset
from caer_ros.datasets.photoreal import clip_set, group_set
from caer_ros.datasets.photoreal.clip import take_clip
from caer_ros.datasets.photoreal.cues import Cue, furnish
from caer_ros.datasets.photoreal.dataset import write_photoreal
from caer_ros.datasets.photoreal.ground import occlude
from caer_ros.datasets.photoreal.group import take_group
from caer_ros.datasets.photoreal.light import sample_light
from caer_ros.datasets.photoreal.mask_files import (
    PARTS,
    PEOPLE,
    SHEET,
    mask_names,
    paint_masks,
    read_masks,
)
from caer_ros.datasets.photoreal.masks import Masks, merge_masks
from caer_ros.datasets.photoreal.parts import Part
from caer_ros.datasets.photoreal.person import Studio, open_studio
from caer_ros.datasets.photoreal.picture import person_of, take
from caer_ros.datasets.photoreal.render import Shot
from caer_ros.datasets.photoreal.surfaces import shrink_parts
from caer_ros.datasets.photoreal.view import HEIGHT, WIDTH

# What a landmark of the face may lie on; hair and rims come before brows and temples.
HEAD = (Part.FACE, Part.HEAD, Part.HAIR, Part.GLASSES, Part.HAT)


@pytest.fixture(scope="module")
def studio(face_model: FaceModel) -> Studio:
    return open_studio(face_model)


def flat_shot(alpha: np.ndarray, part: Part) -> Shot:
    alpha = alpha.astype(np.float32)
    parts = np.where(alpha > 0, part, 0).astype(np.uint8)
    rgb, marks = np.zeros((*alpha.shape, 3), np.float32), np.zeros((16, 2), np.float32)
    return Shot(rgb, alpha, Box(0, 0, 1, 1), marks, parts)


def box_of(seen: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def corners(box: Box) -> np.ndarray:
    return np.array([box.x1, box.y1, box.x2, box.y2])


def on_head(masks: Masks, number: int, marks: np.ndarray) -> list[bool]:
    """Of each landmark within the picture, whether it lies on that person's head."""
    inside = marks[((marks >= 0) & (marks < (WIDTH, HEIGHT))).all(axis=1)].astype(int)
    return [
        bool(masks.people[y, x] == number and masks.parts[y, x] in HEAD) for x, y in inside.tolist()
    ]


def digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_nearer_hides_and_half_a_pixel_counts() -> None:
    back = flat_shot(np.array([[1, 1, 1, 0.6, 0.4, 0]]), Part.HAIR)
    front = flat_shot(np.array([[0, 0.45, 0.7, 0, 0, 0]]), Part.HAND)
    thing = np.array([[1, 1, 1, 1, 1, 0.2]], np.float32)
    masks = merge_masks([back, front], thing)
    assert masks.people.tolist() == [[2, 2, 1, 2, 0, 0]]
    assert masks.parts.tolist() == [
        [Part.HAIR, Part.HAIR, Part.HAND, Part.HAIR, Part.THING, Part.BACKGROUND]
    ]
    held = np.array([[255, 0, 255, 100, 0, 0]], np.uint8)
    masks = merge_masks([back, front], None, held, [7, 3])
    assert masks.people.tolist() == [[0, 7, 0, 0, 0, 0]]
    assert masks.parts[0, [0, 2]].tolist() == [Part.HELD, Part.HELD]
    assert masks.people.dtype == masks.parts.dtype == np.uint8


def test_a_pixel_goes_to_the_part_that_covers_most_of_it() -> None:
    drawn = np.zeros((4, 6), np.uint8)
    drawn[:, :3] = Part.FACE
    drawn[:2, 0:2] = Part.HAIR
    drawn[0, 4] = Part.HAND
    small = shrink_parts(drawn, (3, 2))
    assert small.tolist() == [[Part.HAIR, Part.FACE, Part.HAND], [Part.FACE, Part.FACE, 0]]


def test_what_is_held_before_a_face_is_where_the_picture_changes() -> None:
    for seed in range(12):
        image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        cover = occlude(
            image, Box(120, 60, 220, 180), np.full(3, 200.0), np.random.default_rng(seed)
        )
        changed = np.abs(image.astype(int) - 90).max(axis=2) > 3
        assert cover.max() == 255
        # Its edge is soft.
        near = cv2.dilate((cover > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        assert not (changed & ~near).any()
        assert (image[cover == 255] != 90).any(axis=1).mean() > 0.9


def test_a_thing_covers_what_its_box_says() -> None:
    ground, taken = np.full((HEIGHT, WIDTH, 3), 90, np.uint8), np.zeros((HEIGHT, WIDTH))
    nobody = flat_shot(taken, Part.FACE)
    for seed, label in enumerate(("Happy", "Fear", "Sad")):
        rng = np.random.default_rng(seed)
        _, cue, alpha = furnish(
            ground, Cue("thing", label=label), taken, [], sample_light(rng), rng
        )
        assert cue.box is not None
        masks = merge_masks([nobody], alpha)
        assert box_of(masks.parts == Part.THING) == pytest.approx(corners(cue.box))
        assert masks.people.max() == 0


def test_masks_change_no_picture_and_follow_the_boxes(studio: Studio) -> None:
    kinds, found = set(), []
    for number, label in ((0, "Happy"), (1, "Sad"), (4, "Anger"), (5, "Fear")):
        person = person_of(studio, 2, number)
        plain = take(studio, person, 2, number, label, 1.0)
        picture = take(studio, person, 2, number, label, 1.0, masks=True)
        assert plain.masks is None
        assert np.array_equal(plain.image, picture.image)
        assert (plain.box, plain.cue) == (picture.box, picture.cue)
        masks, cue = picture.masks, picture.cue
        assert masks is not None
        assert ((masks.people > 0) == np.isin(masks.parts, range(1, Part.THING))).all()
        kinds.add(cue.kind)
        whose = {"company": masks.people == 2, "posture": masks.people == 1}
        if cue.kind in whose:
            assert cue.box is not None
            assert np.abs(box_of(whose[cue.kind]) - corners(cue.box)).max() <= 1
        if cue.kind == "thing":
            # Strands of hair before it take the pixels of which they cover most.
            assert cue.box is not None
            seen = Box(*(float(v) for v in box_of(masks.parts == Part.THING)))
            assert seen.clipped(WIDTH, HEIGHT).iou(cue.box) > 0.85
        assert masks.people.max() == (2 if cue.kind == "company" else 1)
        found += on_head(masks, 1, picture.landmarks)
        face = masks.parts == Part.FACE
        assert face.sum() > 0.2 * picture.box.width * picture.box.height
    assert np.mean(found) > 0.9
    assert len(kinds & {"company", "thing", "posture"}) > 1


def test_masks_of_groups_have_the_boxes_that_are_written(studio: Studio) -> None:
    found, crowds = [], 0
    for number in range(12):
        group = take_group(studio, 6, number, 0.5, True)
        masks = group.masks
        assert masks is not None
        assert masks.people.max() == len(group.people)
        for k, somebody in enumerate(group.people):
            seen = masks.people == k + 1
            assert np.abs(box_of(seen) - corners(somebody.body)).max() <= 1
            assert {Part.FACE, Part.CLOTHES, Part.ARM} <= set(masks.parts[seen].tolist())
            found += on_head(masks, k + 1, somebody.landmarks)
        crowds += len(group.people) > 1
    assert crowds > 2
    assert np.mean(found) > 0.9


def test_masks_of_clips_move_with_their_camera(studio: Studio) -> None:
    person = person_of(studio, 3, 1)
    plain = take_clip(studio, person, 3, 1, "Sad", 2, 1.0)
    clip = take_clip(studio, person, 3, 1, "Sad", 2, 1.0, True)
    found = []
    for before, picture in zip(plain.pictures, clip.pictures, strict=True):
        assert np.array_equal(before.image, picture.image)
        assert picture.masks is not None
        found += on_head(picture.masks, 1, picture.landmarks)
    assert np.mean(found) > 0.9


def test_the_data_set_has_masks_beside_it_and_else_the_same_bytes(
    studio: Studio, face_model: FaceModel, tmp_path: Path
) -> None:
    plain, masked = tmp_path / "plain", tmp_path / "masked"
    write_photoreal(face_model, plain, 14, 5, cues=0.7)
    write_photoreal(face_model, masked, 14, 5, jobs=2, cues=0.7, masks=True)
    with_masks, without = digest(masked), digest(plain)
    trees = {name for name in with_masks if name.split("/")[0] in (PEOPLE, PARTS, SHEET)}
    assert len(trees) == 2 * 14 + 1
    assert "masks" not in json.loads((plain / "plan.json").read_text())
    for digests in (with_masks, without):
        del digests["plan.json"]
    assert {k: v for k, v in with_masks.items() if k not in trees} == without
    named = json.loads((masked / "plan.json").read_text())["parts"]
    assert named == {part.name.lower(): part.value for part in Part}
    for sample in read_dataset(masked).samples:
        masks = read_masks(masked, sample.path.relative_to(masked).as_posix())
        assert masks.people.shape == read_rgb(sample.path).shape[:2]
        assert 1 in masks.people
    # Another process gave the same.
    drawn = take(studio, person_of(studio, 5, 1), 5, 1, "Sad", 0.7, True).masks
    written = read_masks(masked, "train/Sad/00001.png")
    assert drawn is not None
    assert np.array_equal(drawn.people, written.people)
    assert np.array_equal(drawn.parts, written.parts)
    with pytest.raises(InputError, match="other arguments"):
        write_photoreal(face_model, masked, 14, 5, cues=0.7)
    with pytest.raises(InputError, match="no mask"):
        read_masks(plain, "test/Sad/00000.png")


def test_groups_and_clips_write_their_masks(
    studio: Studio, face_model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = take_group(studio, 6, 1, 1.0, True)
    monkeypatch.setattr(group_set, "take_group", lambda *_: group)
    group_set.write_groups(face_model, tmp_path / "groups", 21, 6, cues=1.0, masks=True)
    written = read_masks(tmp_path / "groups", "emotic/scenes/images/000020.png")
    assert group.masks is not None
    assert np.array_equal(written.people, group.masks.people)
    assert np.array_equal(written.parts, group.masks.parts)

    clip = take_clip(studio, person_of(studio, 5, 0), 5, 0, "Happy", 1, 0.5, True)
    # Of sixteen frames two have masks here: disks take their time over many small files.
    (first,) = clip.pictures
    pictures = (first, *[replace(first, masks=None)] * 14, first)
    act = replace(clip.act, strength=np.tile(clip.act.strength, 16))
    many = replace(clip, pictures=pictures, act=act)
    monkeypatch.setattr(clip_set, "take_clip", lambda *_: many)
    out = tmp_path / "clips"
    clip_set.write_clips(face_model, out, 21, 5, masks=True)
    files = sorted(path.name for path in (out / "masks/test/Happy/00000").iterdir())
    assert files == ["00000.png", "00015.png"]
    written = read_masks(out, "test/Happy/00000.avi", 15)
    assert first.masks is not None
    assert np.array_equal(written.parts, first.masks.parts)
    assert read_dataset(out).kind == "video"
    assert (out / SHEET).is_file()


def test_masks_are_painted_over_their_picture() -> None:
    assert mask_names("test/Sad/00001.png") == (
        "masks/test/Sad/00001.png", "parts/test/Sad/00001.png",
    )  # fmt: skip
    assert mask_names("a/b.avi", 7)[0] == "masks/a/b/00007.png"
    values = np.zeros((20, 20), np.uint8)
    values[5:15, 5:15] = 1
    painted = paint_masks(np.full((20, 20, 3), 100, np.uint8), Masks(values, values * Part.HAIR))
    assert painted[0, 0].tolist() == [60, 60, 60]
    assert painted[5, 5].tolist() == [255, 255, 255]
    assert painted[10, 10].tolist() not in ([60, 60, 60], [100, 100, 100])


def test_masks_need_photoreal(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    data.add_parser(parser.add_subparsers())
    line = ["data", "synth", str(tmp_path / "x"), "--face-model", "none.npz", "--masks"]
    args = parser.parse_args(line)
    with pytest.raises(InputError, match="--photoreal"):
        args.run(args)
