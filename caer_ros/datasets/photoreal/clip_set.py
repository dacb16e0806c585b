"""Writes rendered people's clips as a CAER-like data set; the same seed gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, InputError
from caer_ros.datasets.clips import LENGTH, RATE
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.media import read_video_frames
from caer_ros.datasets.photoreal.clip import Clip, take_clip
from caer_ros.datasets.photoreal.cues import check_cues
from caer_ros.datasets.photoreal.dataset import people_for, write_faces
from caer_ros.datasets.photoreal.mask_files import SHOWN, read_masks, write_masks, write_sheet
from caer_ros.datasets.photoreal.masks import Masks
from caer_ros.datasets.photoreal.person import Studio
from caer_ros.datasets.photoreal.picture import person_of
from caer_ros.datasets.photoreal.plan import Plan, carry_out, claim
from caer_ros.datasets.photoreal.tables import (
    CUE,
    MARKS,
    corners,
    cue_row,
    cut_face,
    encode_csv,
    encode_png,
    face_row,
    picture_row,
)
from caer_ros.datasets.samples import SPLITS
from caer_ros.datasets.scenes.media import encode_avi

_FIELDS = ("file", "person", "label", "ita", "yaw", "pitch", "roll", "face", "apex", "talks")
_FRAME_FIELDS = ("file", "frame", "strength", "yaw", "pitch", "roll", "gaze_x", "gaze_y")
_CORNERS = ("x1", "y1", "x2", "y2")
_TILE = 80


def write_clips(
    model: FaceModel,
    out: Path,
    count: int,
    seed: int,
    jobs: int = 1,
    cues: float = 0.0,
    frames: int = LENGTH,
    masks: bool = False,
) -> dict[str, int]:
    """Write `count` clips (rounded up to whole people) under `out`; how many each split has.

    Beside {train,validation,test}/CLASS/NNNNN.avi, 10 frames a second, there are faces.jsonl (exact
    boxes), people.csv (a line a clip: as of pictures, at the expression's peak), frames.csv (a line
    a frame), contact_sheet.png and plan.json. The people are those of `write_photoreal`.

    Args:
        jobs: processes; the bytes do not depend on it.
        cues: probability of a cue, see cues.py.
        frames: of a clip, at least 16.
        masks: write masks of every frame too, see mask_files.py; other files do not depend on it.

    Raises:
        InputError: as of `write_photoreal`, or too few frames.
    """
    check_cues(cues)
    if frames < LENGTH:
        raise InputError(f"{frames} frames a clip are too few.", f"Use {LENGTH} or more.")
    plan = Plan(out, people_for(count, len(SPLITS)), seed, "caer", frames, cues, masks)
    claim(plan)
    carry_out(model, plan, _write_person, jobs)
    return _finish(plan)


def _write_person(studio: Studio, plan: Plan, number: int) -> None:
    person = person_of(studio, plan.seed, number)
    rows = []
    for label in CAER7:
        clip = take_clip(
            studio, person, plan.seed, number, label, plan.frames, plan.cues, plan.masks
        )
        name = f"{plan.split(number)}/{label}/{number:05d}.avi"
        images = [np.ascontiguousarray(p.image[..., ::-1]) for p in clip.pictures]
        data = encode_avi(images, RATE)
        write_atomically(plan.out / name, data)
        for t, picture in enumerate(clip.pictures):
            write_masks(plan.out, name, picture.masks, t)
        rows.append(
            {"file": name, "person": number, "label": label}
            | picture_row(clip.peak)
            | {
                "apex": clip.act.apex,
                "talks": int(clip.act.talks),
                "cue": cue_row(clip.peak.cue),
                "faces": face_row(name, len(data), clip.pictures),
                "frames": _frame_rows(name, clip),
            }
        )
    write_atomically(plan.record(number), json.dumps(rows).encode())


def _frame_rows(name: str, clip: Clip) -> list[list[Any]]:
    rows = []
    for t, picture in enumerate(clip.pictures):
        view = picture.view
        angles = (view.yaw, view.pitch, view.roll, *view.gaze)
        rows.append(
            [name, t, round(float(clip.act.strength[t]), 3), *(round(v, 1) for v in angles)]
            + corners(picture.box)
            + [round(float(v), 1) for v in picture.landmarks.ravel()]
            + cue_row(picture.cue)[-4:]
        )
    return rows


def _finish(plan: Plan) -> dict[str, int]:
    rows = plan.rows()
    table: list[list[Any]] = [[*_FIELDS, *MARKS, *CUE]]
    table += [[row[k] for k in _FIELDS] + row["landmarks"] + row["cue"] for row in rows]
    frames: list[list[Any]] = [[*_FRAME_FIELDS, *_CORNERS, *MARKS, *CUE[-4:]]]
    for row in rows:
        frames += row["frames"]
    write_atomically(plan.out / "people.csv", encode_csv(table))
    write_atomically(plan.out / "frames.csv", encode_csv(frames))
    write_faces(plan.out, "video", [row["faces"] for row in rows])
    sheet = contact_sheet(plan.out, rows, plan.frames)
    write_atomically(plan.out / "contact_sheet.png", encode_png(sheet))
    if plan.masks:
        write_sheet(plan.out, [_masked(plan.out, row) for row in rows[:SHOWN]])
    splits = [plan.split(row["person"]) for row in rows]
    return {split: splits.count(split) for split in SPLITS}


def _masked(out: Path, row: dict[str, Any]) -> tuple[np.ndarray, Masks]:
    """A clip's frame at its peak."""
    (image,) = read_video_frames(out / row["file"], [row["apex"]])
    return image[..., ::-1], read_masks(out, row["file"], row["apex"])


def contact_sheet(out: Path, rows: list[dict[str, Any]], frames: int) -> np.ndarray:
    """Faces, a row for each emotion (of one person after another), a column a frame: uint8 RGB.

    All frames of a row are cut alike, so that it is seen how the head moves.
    """
    sheet = []
    people = max(row["person"] for row in rows) + 1
    for k, label in enumerate(CAER7):
        row = next(r for r in rows if r["label"] == label and r["person"] == k % people)
        pictures = read_video_frames(out / row["file"], range(frames))
        tiles = [cut_face(image[..., ::-1], row["box"], _TILE) for image in pictures]
        sheet.append(np.hstack(tiles))
    return np.vstack(sheet)
