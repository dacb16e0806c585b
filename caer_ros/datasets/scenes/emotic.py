"""EMOTIC's annotation file for drawn scenes: the nested records of its Annotations.mat.

As in the published file, a training person has one annotator, a validation person five, a test
person three, whose categories are joined (not voted on) in `combined_categories` and whose numbers
are averaged in `combined_continuous`.
"""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import EMOTIC26
from caer_ros.datasets.scenes.draw import Scene, corners
from caer_ros.datasets.scenes.emotic_labels import VAD, categories_of

EmoticImage = dict[str, Any]

ANNOTATORS: Mapping[str, int] = {"train": 1, "validation": 5, "test": 3}
# EMOTIC's own name of the validation split.
_NAMES = {"train": "train", "validation": "val", "test": "test"}
# An annotator misses a category now and then, and numbers scatter.
_NOTICED, _SCATTER = 0.8, 0.8


def emotic_image(scene: Scene, filename: str, folder: str, split: str) -> EmoticImage:
    """One entry of the annotation file, of plain lists, strings and numbers.

    Args:
        scene: all its people are annotated.
        filename, folder: where the picture lies below `emotic/`.
        split: `train`, `validation` or `test`.
    """
    height, width = scene.image.shape[:2]
    rng = np.random.default_rng([scene.spec.seed, 10])
    people = [_person(scene, k, split, rng) for k in range(len(scene.faces))]
    return {
        "filename": filename,
        "folder": folder,
        "image_size": {"n_col": width, "n_row": height},
        "original_database": {
            "name": "scenes",
            "info": {"image_id": scene.spec.index, "annotations_id": scene.spec.index},
        },
        "person": people,
    }


def write_annotations(out: Path, images: Mapping[str, Sequence[EmoticImage]]) -> Path | None:
    """Write Annotations.json, and Annotations.mat where SciPy is installed (else None)."""
    named: dict[str, list[EmoticImage]] = {name: [] for name in _NAMES.values()}
    for split, entries in images.items():
        named[_NAMES[split]] = list(entries)
    write_atomically(out / "Annotations.json", json.dumps(named).encode() + b"\n")
    try:
        # Comes with scikit-learn in the `train` extra; JSON says the same without it.
        savemat = importlib.import_module("scipy.io").savemat
    except ModuleNotFoundError:
        return None
    buffer = io.BytesIO()
    savemat(buffer, {split: _structs(entries) for split, entries in named.items() if entries})
    path = out / "Annotations.mat"
    write_atomically(path, _without_date(buffer.getvalue()))
    return path


def _person(scene: Scene, k: int, split: str, rng: np.random.Generator) -> dict[str, Any]:
    label = scene.expressions[k].label
    truth = categories_of(scene, k)
    answers = [_answer(truth, label, rng) for _ in range(ANNOTATORS[split])]
    person: dict[str, Any] = {"body_bbox": corners(scene.bodies[k])}
    categories = [{"categories": list(names)} for names, _ in answers]
    numbers = [_continuous(values) for _, values in answers]
    if split == "train":
        person |= {"annotations_categories": categories[0], "annotations_continuous": numbers[0]}
    else:
        united = {name for names, _ in answers for name in names}
        mean = np.mean([values for _, values in answers], axis=0)
        person |= {
            "annotations_categories": categories,
            "combined_categories": [name for name in EMOTIC26 if name in united],
            "annotations_continuous": numbers,
            "combined_continuous": _continuous(mean),
        }
    # Asked for by the format; a drawing has neither.
    return person | {"gender": "Unknown", "age": "Adult"}


def _answer(
    truth: tuple[str, ...], label: str, rng: np.random.Generator
) -> tuple[tuple[str, ...], np.ndarray]:
    noticed = rng.random(len(truth)) < _NOTICED
    noticed[int(rng.integers(len(truth)))] = True
    names = tuple(name for name, seen in zip(truth, noticed, strict=True) if seen)
    return names, np.clip(np.rint(rng.normal(VAD[label], _SCATTER)), 1, 10)


def _continuous(values: np.ndarray) -> dict[str, float]:
    valence, arousal, dominance = (round(float(v), 3) for v in values)
    return {"valence": valence, "arousal": arousal, "dominance": dominance}


def _structs(records: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Records as a MATLAB struct array [1, n]; lists of strings become cells."""
    fields = [(name, object) for name in records[0]]
    array = np.empty((1, len(records)), dtype=fields)
    for place, record in enumerate(records):
        for name, value in record.items():
            array[name][0, place] = _matlab(value)
    return array


def _matlab(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _structs([value])
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return _structs(value)
    if isinstance(value, list) and value and isinstance(value[0], str):
        cells = np.empty((1, len(value)), dtype=object)
        cells[0, :] = value
        return cells
    if isinstance(value, list):
        return np.array([value], np.float64)
    return value


def _without_date(data: bytes) -> bytes:
    """The file with a fixed text in its free header (116 bytes), where SciPy puts the time."""
    text = b"MATLAB 5.0 MAT-file, EMOTIC annotations of drawn scenes"
    return text.ljust(116) + data[116:]
