"""Writes rendered people as a CAER-S-like data set; the same seed gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, InputError
from caer_ros.datasets.caer_s import read_rgb
from caer_ros.datasets.face_boxes import NAME as FACES
from caer_ros.datasets.face_boxes import cache_header
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.photoreal.cues import check_cues
from caer_ros.datasets.photoreal.mask_files import SHOWN, read_masks, write_masks, write_sheet
from caer_ros.datasets.photoreal.person import Studio
from caer_ros.datasets.photoreal.picture import person_of, take
from caer_ros.datasets.photoreal.plan import Plan, carry_out, claim
from caer_ros.datasets.photoreal.tables import (
    CUE,
    MARKS,
    cue_row,
    cut_face,
    encode_csv,
    encode_png,
    face_row,
    picture_row,
)

_SHEET_PEOPLE = 12
_FACE = 128
_FIELDS = ("file", "person", "label", "ita", "yaw", "pitch", "roll", "face")


def people_for(count: int, least: int = 2) -> int:
    """How many people make `count` pictures or clips of seven emotions each, rounded up.

    Raises:
        InputError: fewer than `least`, the number of splits.
    """
    people = -(-count // len(CAER7))
    if people < least:
        more = (least - 1) * len(CAER7)
        raise InputError(f"--count {count} is too small.", f"Use more than {more}.")
    return people


def write_photoreal(
    model: FaceModel,
    out: Path,
    count: int,
    seed: int,
    jobs: int = 1,
    cues: float = 0.0,
    masks: bool = False,
) -> dict[str, int]:
    """Write `count` pictures (rounded up to whole people) under `out`; how many each split has.

    A run that was cut off goes on where it was, if called with the same arguments. Beside
    {train,test}/CLASS/NNNNN.png and {train,test}.csv there are people.csv (pose, skin tone as ITA,
    landmarks), contact_sheet.png and plan.json; where there are cues, people.csv names them and
    faces.jsonl has the faces of all people.

    Args:
        jobs: processes; the bytes do not depend on it.
        cues: probability of a cue, see cues.py.
        masks: write masks too, see mask_files.py; other files do not depend on it.

    Raises:
        InputError: `out` holds something else, count is too small for both splits, or cues is no
            share.
    """
    check_cues(cues)
    plan = Plan(out, people_for(count), seed, cues=cues, masks=masks)
    claim(plan)
    carry_out(model, plan, _write_person, jobs)
    return _finish(plan)


def _write_person(studio: Studio, plan: Plan, number: int) -> None:
    person = person_of(studio, plan.seed, number)
    rows = []
    for label in CAER7:
        picture = take(studio, person, plan.seed, number, label, plan.cues, plan.masks)
        name = f"{plan.split(number)}/{label}/{number:05d}.png"
        data = encode_png(picture.image)
        write_atomically(plan.out / name, data)
        write_masks(plan.out, name, picture.masks)
        row: dict[str, Any] = {"file": name, "person": number, "label": label}
        row |= picture_row(picture)
        if plan.cues:
            row |= {"cue": cue_row(picture.cue), "faces": face_row(name, len(data), [picture])}
        rows.append(row)
    # The record comes last: a person without one is written again.
    write_atomically(plan.record(number), json.dumps(rows).encode())


def _finish(plan: Plan) -> dict[str, int]:
    rows = plan.rows()
    lists: dict[str, list[list[Any]]] = {"train": [], "test": []}
    table: list[list[Any]] = [[*_FIELDS, *MARKS, *(CUE if plan.cues else ())]]
    for row in rows:
        split, name = row["file"].split("/", 1)
        lists[split].append([name, CAER7.index(row["label"]), *(f"{v:.1f}" for v in row["box"])])
        table.append([row[k] for k in _FIELDS] + row["landmarks"] + row.get("cue", []))
    for split, lines in lists.items():
        write_atomically(plan.out / f"{split}.csv", encode_csv(lines))
    write_atomically(plan.out / "people.csv", encode_csv(table))
    if plan.cues:
        write_faces(plan.out, "image", [row["faces"] for row in rows])
    write_atomically(plan.out / "contact_sheet.png", encode_png(contact_sheet(plan.out, rows)))
    if plan.masks:
        names = [row["file"] for row in rows[:SHOWN]]
        write_sheet(plan.out, [(read_rgb(plan.out / n), read_masks(plan.out, n)) for n in names])
    return {split: len(lines) for split, lines in lists.items()}


def write_faces(out: Path, kind: str, rows: list[dict[str, Any]]) -> None:
    """The cache of exact face boxes; `kind` is `image` or `video`."""
    lines = [cache_header(kind, {"detector": "exact"}), *rows]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    write_atomically(out / FACES, text.encode())


def contact_sheet(out: Path, rows: list[dict[str, Any]]) -> np.ndarray:
    """Faces with some surroundings, a row for each emotion, a column a person: uint8 RGB."""
    columns = []
    for start in range(0, min(len(rows), _SHEET_PEOPLE * len(CAER7)), len(CAER7)):
        tiles = [
            cut_face(read_rgb(out / row["file"]), row["box"], _FACE)
            for row in rows[start : start + len(CAER7)]
        ]
        columns.append(np.vstack(tiles))
    return np.hstack(columns)
