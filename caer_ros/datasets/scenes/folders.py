"""Writes scenes as data sets that readers of CAER-S, CAER and EMOTIC take as their own.

    caer-s   OUT/{train,validation,test}/CLASS/NNNN.png   lists {split}.csv, face cache faces.jsonl
    caer     OUT/{train,validation,test}/CLASS/NNNN.avi   face cache faces.jsonl
    emotic   OUT/emotic/scenes/images/SPLIT_NNNNNN.png    Annotations.mat and Annotations.json

Beside them: {split}.jsonl (a line a sample: boxes, label, ambiguity, what the object says, seed),
scenes.json (controls, seeds, versions, ceilings; written last) and two pictures to look at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.face_boxes import NAME as FACES_NAME
from caer_ros.datasets.face_boxes import RATE
from caer_ros.datasets.face_boxes import SCHEMA as FACES_SCHEMA
from caer_ros.datasets.face_list import ListedFile, write_face_list
from caer_ros.datasets.samples import SPLITS
from caer_ros.datasets.scenes.draw import Scene
from caer_ros.datasets.scenes.emotic import EmoticImage, emotic_image, write_annotations
from caer_ros.datasets.scenes.facs import PAIRS
from caer_ros.datasets.scenes.media import encode_avi, encode_png
from caer_ros.datasets.scenes.sheets import sample_sheet, vocabulary_sheet
from caer_ros.datasets.scenes.spec import CLIP, FPS, SceneControls
from caer_ros.datasets.scenes.stream import SceneStream

LAYOUTS = ("caer-s", "caer", "emotic")
SCHEMA = 1
ABOUT = "scenes.json"
EMOTIC_FOLDER = "scenes/images"


@dataclass(frozen=True)
class SceneSet:
    """What to write: how many samples a split, how drawn, laid out how.

    `frames` is the length of clips; pictures have none.

    Raises:
        InputError: an unknown layout or split, no samples, or too short clips.
    """

    layout: str
    counts: Mapping[str, int]
    seed: int = 0
    controls: SceneControls = field(default_factory=SceneControls)
    frames: int = 24

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise InputError(f"Unknown layout '{self.layout}'.", f"Use {', '.join(LAYOUTS)}.")
        unknown = sorted(set(self.counts) - set(SPLITS))
        if unknown:
            raise InputError(f"Unknown split '{unknown[0]}'.", f"Use {', '.join(SPLITS)}.")
        if any(n < 0 for n in self.counts.values()) or not sum(self.counts.values()):
            raise InputError("No scenes are asked for.", "Give --train, --validation or --test.")
        if self.layout == "caer" and self.frames < CLIP:
            raise InputError(f"{self.frames} frames a clip are too few.", f"Use {CLIP} or more.")

    def stream(self, split: str) -> SceneStream:
        """The split's scenes, without files."""
        return SceneStream(self.seed, split, self.controls)

    def about(self) -> dict[str, Any]:
        """What scenes.json holds."""
        return {
            "schema": SCHEMA,
            "layout": self.layout,
            "seed": self.seed,
            "counts": dict(self.counts),
            "frames": self.frames if self.layout == "caer" else 1,
            "fps": FPS,
            "controls": self.controls.as_dict(),
            "ceilings": self.controls.ceilings().as_dict(),
            "classes": list(CAER7),
            "pairs": [list(pair) for pair in PAIRS],
            # The bytes are the same only with the same of these.
            "versions": {"numpy": np.__version__, "opencv": cv2.__version__},
        }


def write_scenes(out: Path, wanted: SceneSet) -> dict[str, int]:
    """Write a data set into `out` (new or empty) and return how many samples each split has.

    Raises:
        InputError: `out` holds something already or can not be written.
    """
    make_folder(out)
    try:
        _write_all(out, wanted)
    except OSError as error:
        raise InputError(
            f"{out} can not be written: {error.strerror or error}.",
            "Free some space or name another folder.",
        ) from error
    return {split: count for split, count in wanted.counts.items() if count}


def make_folder(out: Path) -> None:
    """Make `out`, or accept it empty.

    Raises:
        InputError: it holds something, is no folder, or can not be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        empty = not any(out.iterdir())
    except OSError as error:
        raise InputError(f"{out} can not be made: {error.strerror}.", "Name another.") from error
    if not empty:
        raise InputError(f"{out} is not empty.", "Name a new folder.")


def read_about(folder: Path) -> SceneSet:
    """The recipe of a written data set; `read_about(f).stream(split).scene(i)` draws one again.

    Raises:
        InputError: the folder holds no finished scenes, or those of another version.
    """
    path = folder / ABOUT
    try:
        about = json.loads(path.read_text())
        if about["schema"] != SCHEMA:
            raise ValueError(f"schema {about['schema']}")
        controls = SceneControls.from_dict(about["controls"])
        return SceneSet(
            about["layout"], about["counts"], about["seed"], controls, max(about["frames"], CLIP)
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not the record of a finished set of scenes ({error}).",
            "Write the set again with `caer data scenes`.",
        ) from error


def sample_name(index: int, label: str, layout: str) -> str:
    """File of sample `index` below its split: every block of seven has each class once."""
    suffix = "avi" if layout == "caer" else "png"
    return f"{label}/{index // len(CAER7):04d}.{suffix}"


def _write_all(out: Path, wanted: SceneSet) -> None:
    images: dict[str, list[EmoticImage]] = {}
    faces: list[dict[str, Any]] = []
    for split, count in wanted.counts.items():
        if not count:
            continue
        rows: list[dict[str, Any]] = []
        images[split] = []
        indices = tqdm(range(count), desc=f"scenes, {split}", unit="scene")
        for name, row, cached, scene in _write_split(out, wanted, split, indices):
            rows.append({"file": name} | row)
            faces.append(cached)
            if wanted.layout == "emotic":
                images[split].append(emotic_image(scene, Path(name).name, EMOTIC_FOLDER, split))
        write_atomically(out / f"{split}.jsonl", _lines(rows))
        if wanted.layout == "caer-s":
            write_face_list(out / f"{split}.csv", (_listed(row) for row in rows))
    if wanted.layout == "emotic":
        write_annotations(out, images)
    else:
        kind = "video" if wanted.layout == "caer" else "image"
        header = {"schema": FACES_SCHEMA, "kind": kind, "rate": RATE, "detector": "exact"}
        write_atomically(out / FACES_NAME, _lines([header, *faces]))
    write_sheets(out, wanted)
    write_atomically(out / ABOUT, json.dumps(wanted.about(), indent=2).encode() + b"\n")


def write_sheets(out: Path, wanted: SceneSet) -> None:
    """Pictures to look at: contact_sheet.png (scenes) and vocabulary.png (faces and things)."""
    split = next(split for split, count in wanted.counts.items() if count)
    scenes = wanted.stream(split).scenes(28)
    write_atomically(out / "contact_sheet.png", encode_png(sample_sheet(list(scenes))))
    write_atomically(out / "vocabulary.png", encode_png(vocabulary_sheet(wanted.seed)))


def _write_split(
    out: Path, wanted: SceneSet, split: str, indices: Iterator[int] | Any
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], Scene]]:
    """Write each sample; gives name, record, row of the face cache, and its (first) scene."""
    stream = wanted.stream(split)
    for index in indices:
        if wanted.layout == "caer":
            clip = stream.clip(index, wanted.frames)
            scenes, row = clip.scenes, clip.record()
            data = encode_avi([scene.image for scene in scenes], FPS)
        else:
            scenes = (stream.scene(index),)
            row, data = scenes[0].record(), encode_png(scenes[0].image)
        if wanted.layout == "emotic":
            name = f"emotic/{EMOTIC_FOLDER}/{split}_{index:06d}.png"
        else:
            name = f"{split}/{sample_name(index, scenes[0].label, wanted.layout)}"
        write_atomically(out / name, data)
        yield name, row, _cached(name, len(data), scenes), scenes[0]


def _listed(row: dict[str, Any]) -> ListedFile:
    # Lists name files below their split, as the public ones do.
    name = row["file"].split("/", 1)[1]
    return ListedFile(name, row["label_index"], Box(*row["faces"][0]))


def _cached(name: str, size: int, scenes: tuple[Scene, ...]) -> dict[str, Any]:
    height, width = scenes[0].image.shape[:2]
    # Readers take the face of the highest score for the subject.
    frames = [
        [
            t,
            [
                [*(round(v, 2) for v in (b.x1, b.y1, b.x2, b.y2)), 1.0 if k == 0 else 0.9]
                for k, b in enumerate(scene.faces)
            ],
        ]
        for t, scene in enumerate(scenes)
    ]
    return {"file": name, "bytes": size, "width": width, "height": height, "frames": frames}


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)
