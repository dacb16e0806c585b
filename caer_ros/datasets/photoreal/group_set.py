"""Writes rendered groups in EMOTIC's layout; the same seed gives the same bytes.

The categories come from the table of the drawn scenes (scenes/emotic_labels.py): two of the
emotion, one of the planted thing, Confidence or Fatigue of the arms, Esteem or Sympathy of company.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7
from caer_ros.datasets.caer_s import read_rgb
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.photoreal.cues import check_cues
from caer_ros.datasets.photoreal.dataset import people_for
from caer_ros.datasets.photoreal.group import Group, take_group
from caer_ros.datasets.photoreal.mask_files import SHOWN, read_masks, write_masks, write_sheet
from caer_ros.datasets.photoreal.person import Studio
from caer_ros.datasets.photoreal.plan import Plan, carry_out, claim
from caer_ros.datasets.photoreal.tables import CUE, MARKS, corners, cue_row, encode_csv, encode_png
from caer_ros.datasets.samples import SPLITS
from caer_ros.datasets.scenes.arrange import Actor
from caer_ros.datasets.scenes.body import Posture
from caer_ros.datasets.scenes.draw import Scene
from caer_ros.datasets.scenes.emotic import emotic_image, write_annotations
from caer_ros.datasets.scenes.folders import EMOTIC_FOLDER
from caer_ros.datasets.scenes.identity import draw_identity
from caer_ros.datasets.scenes.pen import Placement
from caer_ros.datasets.scenes.spec import Expression, SceneSpec

_FIELDS = ("file", "person", "label", "posture", "x1", "y1", "x2", "y2")
_FACE = ("face_x1", "face_y1", "face_x2", "face_y2")
# Postures that look confident or tired: how far the writer of drawn scenes takes them to slump.
_SLUMP = {"akimbo": 0.1, "arms up": 0.1, "fists": 0.1, "hands low": 0.9, "hand at the chin": 0.9}
_SHEET = 12


def write_groups(
    model: FaceModel,
    out: Path,
    count: int,
    seed: int,
    jobs: int = 1,
    cues: float = 0.0,
    masks: bool = False,
) -> dict[str, int]:
    """Write `count` pictures (rounded up to whole sevens) under `out`; how many each split has.

    out/emotic/scenes/images/NNNNNN.png with Annotations.json and, where SciPy is installed, .mat as
    EMOTIC has them. people.csv has a line a person (emotion, posture, exact boxes, landmarks, the
    picture's cue); contact_sheet.png is to look at. Nobody is in two pictures.

    Args:
        jobs: processes; the bytes do not depend on it.
        cues: probability of a thing or a mood that goes with the first person's emotion.
        masks: write masks too, see mask_files.py; other files do not depend on it.

    Raises:
        InputError: as of `write_photoreal`.
    """
    check_cues(cues)
    units = people_for(count, len(SPLITS)) * len(CAER7)
    plan = Plan(out, units, seed, "emotic", cues=cues, masks=masks)
    claim(plan)
    carry_out(model, plan, _write_group, jobs)
    return _finish(plan)


def _write_group(studio: Studio, plan: Plan, number: int) -> None:
    group = take_group(studio, plan.seed, number, plan.cues, plan.masks)
    name = f"{number:06d}.png"
    write_atomically(plan.out / _place(name), encode_png(group.image))
    write_masks(plan.out, _place(name), group.masks)
    split = plan.split(number)
    entry = emotic_image(_as_scene(group, plan.seed, number, split), name, EMOTIC_FOLDER, split)
    rows = [
        [_place(name), k, p.label, p.posture, *corners(p.body), *corners(p.face)]
        + [round(float(v), 1) for v in p.landmarks.ravel()]
        + cue_row(group.cue)
        for k, p in enumerate(group.people)
    ]
    record = [{"number": number, "entry": entry, "people": rows}]
    write_atomically(plan.record(number), json.dumps(record).encode())


def _place(name: str) -> str:
    return f"emotic/{EMOTIC_FOLDER}/{name}"


def _as_scene(group: Group, seed: int, number: int, split: str) -> Scene:
    """The group as a drawn scene would be told of, for the writer of those."""
    dice = np.random.default_rng([seed, number, 0, 9])
    expressions = tuple(Expression(p.label, p.label, 0.0) for p in group.people)
    who, nowhere = draw_identity(dice), Placement(0, 0, 1)
    actors = tuple(
        Actor(who, nowhere, Posture(_SLUMP.get(p.posture, 0.5), 0, 0), (0, 0)) for p in group.people
    )
    spec = SceneSpec(int(dice.integers(2**31)), expressions[0], split=split, index=number)
    thing = group.cue.kind == "thing"
    return Scene(
        image=group.image,
        faces=tuple(p.face for p in group.people),
        bodies=tuple(p.body for p in group.people),
        object_box=group.cue.box if thing else None,
        object_name=group.cue.name if thing else None,
        expressions=expressions,
        actors=actors,
        spec=spec,
    )


def _finish(plan: Plan) -> dict[str, int]:
    records = plan.rows()
    images: dict[str, list[Any]] = {split: [] for split in SPLITS}
    table: list[list[Any]] = [[*_FIELDS, *_FACE, *MARKS, *CUE]]
    for record in records:
        images[plan.split(record["number"])].append(record["entry"])
        table += record["people"]
    write_annotations(plan.out, images)
    write_atomically(plan.out / "people.csv", encode_csv(table))
    sheet = contact_sheet(plan.out, records[:_SHEET])
    write_atomically(plan.out / "contact_sheet.png", encode_png(sheet))
    if plan.masks:
        names = [record["people"][0][0] for record in records[:SHOWN]]
        write_sheet(plan.out, [(read_rgb(plan.out / n), read_masks(plan.out, n)) for n in names])
    return {split: len(entries) for split, entries in images.items()}


def contact_sheet(out: Path, records: list[dict[str, Any]]) -> np.ndarray:
    """Pictures with everybody's boxes and emotion, three in a row: uint8 RGB."""
    tiles = []
    for record in records:
        rows = record["people"]
        image = read_rgb(out / rows[0][0])
        for row in rows:
            _frame(image, row[4:8], (80, 220, 80))
            _frame(image, row[8:12], (255, 200, 60))
            at = (round(row[4]) + 3, max(12, round(row[5]) + 12))
            cv2.putText(image, row[2], at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
        if rows[0][-1] != "":
            _frame(image, rows[0][-4:], (60, 120, 255))
        tiles.append(image)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 3)
    return np.vstack([np.hstack(tiles[k : k + 3]) for k in range(0, len(tiles), 3)])


def _frame(image: np.ndarray, box: list[float], colour: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = (round(v) for v in box)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, 1)
