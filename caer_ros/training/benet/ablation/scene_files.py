"""The scenes of an ablation, drawn once, in files that all its runs map into memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import Box
from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.datasets.emotic.records import AnnotatedImage, AnnotatedPerson
from caer_ros.datasets.emotic.scene_images import scene_images
from caer_ros.datasets.scenes import SceneStream

_DATASET = "emotic"


def scene_files(folder: Path, stream: SceneStream, count: int) -> MemoryImages:
    """The first `count` scenes of a stream, from `folder` where they lie there already.

    Raises:
        InputError: there is no scene.
    """
    about = json.dumps([stream.seed, stream.split, stream.controls.as_dict(), count])
    written = folder / "about.json"
    if not written.is_file() or written.read_text() != about:
        drawn = scene_images(stream, count)
        folder.mkdir(parents=True, exist_ok=True)
        written.unlink(missing_ok=True)
        np.save(folder / "pixels.npy", np.stack(drawn.arrays))
        for name, array in _people(drawn.records).items():
            np.save(folder / f"{name}.npy", array)
        # Last: its presence says that the arrays are whole.
        write_atomically(written, about.encode())
    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    return MemoryImages(_records(folder, pixels.shape, stream.split), pixels)


def _people(records: Sequence[AnnotatedImage]) -> dict[str, np.ndarray]:
    """Rows of everybody: whose picture, box, categories, known, vad."""
    everybody = [(row, person) for row, record in enumerate(records) for person in record.people]
    boxes = [(p.box.x1, p.box.y1, p.box.x2, p.box.y2) for _, p in everybody]
    return {
        "row": np.array([row for row, _ in everybody], np.int64),
        "boxes": np.array(boxes, np.float64),
        "categories": np.stack([p.categories for _, p in everybody]),
        "known": np.stack([p.known for _, p in everybody]),
        "vad": np.stack([p.vad for _, p in everybody]),
    }


def _records(folder: Path, shape: tuple[int, ...], split: str) -> list[AnnotatedImage]:
    names = ("row", "boxes", "categories", "known", "vad")
    row, boxes, categories, known, vad = (np.load(folder / f"{name}.npy") for name in names)
    people: list[list[AnnotatedPerson]] = [[] for _ in range(shape[0])]
    for k, place in enumerate(row):
        box = Box(*map(float, boxes[k]))
        people[place].append(AnnotatedPerson(box, categories[k], known[k], vad[k]))
    return [
        AnnotatedImage(
            Path(f"{split}_{k:06d}.png"), shape[2], shape[1], tuple(mine), split, _DATASET
        )
        for k, mine in enumerate(people)
    ]
