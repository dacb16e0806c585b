"""Drawn copies of EMOTIC and HECO in the layouts of their archives; see archives.py."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.datasets.scenes.draw import Scene
from caer_ros.datasets.scenes.emotic import EmoticImage, emotic_image, write_annotations
from caer_ros.datasets.scenes.emotic_labels import VAD
from caer_ros.datasets.scenes.media import encode_jpeg

# Where EMOTIC has its pictures from, and what files are called there.
_SOURCES: tuple[tuple[str, str], ...] = (
    ("mscoco", "COCO_val2014_{:012d}.jpg"),
    ("framesdb", "frame_{:016d}.jpg"),
    ("emodb_small", "{:016d}.jpg"),
    ("ade20k", "{:016d}.jpg"),
)
_SPLIT_NUMBERS = {"train": 0, "validation": 1_000_000, "test": 2_000_000}

_HECO_COLUMNS = (
    *("Image", "xmin", "ymin", "xmax", "ymax", "Category"),
    *("Valence", "Arousal", "Dominance", "Label_SA", "Label_CA"),
)
_HECO_OF: Mapping[str, tuple[str, str]] = {
    "Happy": ("Happiness", "Excitement"),
    "Neutral": ("Peace", "Peace"),
    "Sad": ("Sadness", "Sadness"),
}


def write_emotic(out: Path, scenes: Mapping[str, Sequence[Scene]]) -> None:
    """EMOTIC: pictures in the folders of its four sources, annotations without a number here and
    there, in Annotations/Annotations.mat (without SciPy: Annotations.json).

    Args:
        scenes: split -> scenes, all of whose people are annotated.
    """
    images: dict[str, list[EmoticImage]] = {}
    for split, drawn in scenes.items():
        images[split] = [_emotic_entry(out, scene, k, split) for k, scene in enumerate(drawn)]
    if write_annotations(out / "Annotations", images) is not None:
        # The archive has none, and a reader must do with the other.
        (out / "Annotations" / "Annotations.json").unlink()


def write_heco(out: Path, scenes: Sequence[Scene]) -> None:
    """HECO: a line a person with his own box; one Happiness is spelt as in the published table."""
    lines: list[list[object]] = []
    happy = 0  # people so far
    for number, scene in enumerate(scenes):
        name = f"{number:05d}.jpg"
        write_atomically(out / "Data" / name, encode_jpeg(scene.image))
        for k, box in enumerate(scene.bodies):
            label = scene.expressions[k].label
            category = _HECO_OF.get(label, (label, label))[happy % 2]
            if label == "Happy":
                category, happy = category if happy else "Happinesst", happy + 1
            # Label_SA and Label_CA, of how people are with each other, are read by nobody here.
            corners = [int(v) for v in (box.x1, box.y1, box.x2, box.y2)]
            lines.append([name, *corners, category, *VAD[label], 5, 5])
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerows([_HECO_COLUMNS, *lines])
    write_atomically(out / "Labels" / "HECO_Labels.csv", stream.getvalue().encode())


def _emotic_entry(out: Path, scene: Scene, place: int, split: str) -> EmoticImage:
    source, pattern = _SOURCES[place % len(_SOURCES)]
    name = pattern.format(_SPLIT_NUMBERS[split] + place)
    write_atomically(out / "emotic" / source / "images" / name, encode_jpeg(scene.image))
    entry = emotic_image(scene, name, f"{source}/images", split)
    entry["original_database"]["name"] = source
    if split == "train" and place == 0:
        # As where an annotator left a dimension out.
        entry["person"][0]["annotations_continuous"]["dominance"] = float(np.nan)
    return entry
