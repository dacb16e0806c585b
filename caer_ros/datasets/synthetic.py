"""A small CAER-S-like data set of rendered people; the same seed gives the same bytes."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.backdrop import draw_room, plant_cue
from caer_ros.datasets.head import render_head
from caer_ros.datasets.ict_face import FaceModel

WIDTH, HEIGHT = 400, 300
TEST_SHARE = 0.2
# How many pictures show one person; train and test never share a person.
PICTURES_PER_PERSON = 7
# A planted cue is in 60 % of the scenes and names the right emotion in 80 % of those.
CUE_SHARE, CUE_TRUTH = 0.6, 0.8


@dataclass(frozen=True)
class Scene:
    """image uint8 RGB [HEIGHT, WIDTH, 3], the face's box, and the planted cue or None."""

    image: np.ndarray
    box: Box
    cue: str | None


def render_scene(model: FaceModel, seed: int, person: int, label: str) -> Scene:
    """The picture of `person` posing `label` under `seed`: a pure function of its arguments."""
    which = CAER7.index(label)
    rng = np.random.default_rng([seed, person, which, 1])
    identity = np.random.default_rng([seed, person, 0])
    head = render_head(model, label, identity, rng, WIDTH, HEIGHT)
    image = draw_room(rng, WIDTH, HEIGHT)
    cue = None
    if rng.random() < CUE_SHARE:
        cue = label if rng.random() < CUE_TRUTH else str(rng.choice(CAER7))
        plant_cue(image, cue, rng)
    alpha = head.alpha[..., None]
    image = image * (1 - alpha) + head.rgb * alpha
    return Scene(np.clip(image + 0.5, 0, 255).astype(np.uint8), head.box, cue)


def write_dataset(model: FaceModel, out: Path, count: int, seed: int) -> dict[str, int]:
    """Write `count` pictures under `out` (new or empty) and return how many each split has.

    Beside {train,test}/CLASS/NNNN.png and {train,test}.csv there is contact_sheet.png to look at.

    Raises:
        InputError: `out` holds something already, or count is too small for both splits.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty.", "Name a new folder.")
    people = -(-count // PICTURES_PER_PERSON)
    test_people = max(1, round(people * TEST_SHARE))
    if people < 2:
        raise InputError(f"--count {count} is too small.", f"Use more than {PICTURES_PER_PERSON}.")
    rows: dict[str, list[list[str]]] = {"train": [], "test": []}
    thumbnails: list[np.ndarray] = []
    for index in tqdm(range(count), desc="render", unit="picture"):
        person, which = divmod(index, PICTURES_PER_PERSON)
        split = "test" if person < test_people else "train"
        scene = render_scene(model, seed, person, CAER7[which])
        name = f"{CAER7[which]}/{person:04d}.png"
        _write_png(out / split / name, scene.image)
        box = scene.box
        corners = (f"{v:.1f}" for v in (box.x1, box.y1, box.x2, box.y2))
        rows[split].append([name, str(which), *corners])
        if index < 8 * PICTURES_PER_PERSON:
            thumbnails.append(cv2.resize(scene.image, (200, 150), interpolation=cv2.INTER_AREA))
    for split, lines in rows.items():
        _write_csv(out / f"{split}.csv", lines)
    _write_png(out / "contact_sheet.png", _contact_sheet(thumbnails))
    return {split: len(lines) for split, lines in rows.items()}


def _contact_sheet(thumbnails: list[np.ndarray]) -> np.ndarray:
    missing = -len(thumbnails) % PICTURES_PER_PERSON
    tiles = thumbnails + [np.zeros_like(thumbnails[0])] * missing
    rows = range(0, len(tiles), PICTURES_PER_PERSON)
    return np.vstack([np.hstack(tiles[i : i + PICTURES_PER_PERSON]) for i in rows])


def _write_png(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.stem + ".tmp.png")
    cv2.imwrite(str(temporary), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    os.replace(temporary, path)


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    os.replace(temporary, path)
