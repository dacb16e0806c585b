"""People to calibrate and measure on, cut as the robot cuts them, from either kind of folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.caer_s import list_samples, read_rgb
from caer_ros.datasets.patches import CONTEXT, FACE, cut_context, cut_face
from caer_ros.datasets.real_faces import frame_of, list_faces, list_scenes, named
from caer_ros.datasets.rendered import faces_in


@dataclass(frozen=True)
class People:
    """faces uint8 [N, 96, 96, 3]; contexts uint8 [M, 224, 224, 3]; scene int64 [N] in [0, M).

    labels int64 [N] are places in CAER7, or -1 where nothing is known.
    """

    faces: np.ndarray
    contexts: np.ndarray
    scene: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.faces)

    def take(self, index: np.ndarray) -> dict[str, np.ndarray]:
        """The people of `index` as the network's three inputs, each scene given once."""
        used, scene = np.unique(self.scene[index], return_inverse=True)
        return {
            "face": self.faces[index],
            "context": self.contexts[used],
            "scene": scene.astype(np.int64),
        }


def load_people(folder: Path, held_out: Sequence[str], want_held_out: bool, limit: int) -> People:
    """Up to `limit` people of a folder, evenly spread over it.

    A CAER-S-like folder gives its test split when `want_held_out`, else its train split; a folder
    of `caer data faces` gives the sources named in `held_out` (also by patterns), or all others.

    Raises:
        InputError: the folder is neither kind, or nobody is left.
    """
    if (folder / "faces.csv").is_file():
        return _photographed(folder, held_out, want_held_out, limit)
    return _labelled(folder, "test" if want_held_out else "train", limit)


def load_all(
    folders: Sequence[Path], held_out: Sequence[str], want_held_out: bool, limit: int
) -> People:
    """`load_people` of several folders in one, with the limit shared; empty folders are skipped.

    Raises:
        InputError: nobody is left in any of them.
    """
    parts = [load_people(f, held_out, want_held_out, limit // len(folders)) for f in folders]
    parts = [part for part in parts if len(part)]
    if not parts:
        raise InputError("Nobody is left in the folders.", "Check --data and --hold-out.")
    offsets = np.cumsum([0] + [len(part.contexts) for part in parts[:-1]])
    return People(
        np.concatenate([part.faces for part in parts]),
        np.concatenate([part.contexts for part in parts]),
        np.concatenate([part.scene + o for part, o in zip(parts, offsets, strict=True)]),
        np.concatenate([part.labels for part in parts]),
    )


def _spread(count: int, limit: int) -> np.ndarray:
    return (
        np.unique(np.linspace(0, count - 1, min(count, limit)).astype(int))
        if count
        else np.arange(0)
    )


def _photographed(folder: Path, held_out: Sequence[str], want_held_out: bool, limit: int) -> People:
    rows = [row for row in list_faces(folder) if named(row[1], held_out) == want_held_out]
    scenes = {frame_of(path): path for path, _ in list_scenes(folder)}
    faces, contexts, scene, place = [], [], [], {}
    for index in _spread(len(rows), limit):
        path, _, box = rows[index]
        key = frame_of(path)
        if key not in place:
            place[key] = len(contexts)
            contexts.append(read_rgb(scenes[key]))
        faces.append(cut_face(read_rgb(path), box, "rgb8"))
        scene.append(place[key])
    return _people(faces, contexts, scene, [-1] * len(faces))


def _labelled(folder: Path, split: str, limit: int) -> People:
    listed = list_samples(folder, split)
    samples = [listed[index] for index in _spread(len(listed), limit)]
    faces, contexts, labels = [], [], []
    for sample, everybody in zip(samples, faces_in(folder, samples), strict=True):
        image = read_rgb(sample.path)
        faces.append(cut_face(image, sample.box, "rgb8"))
        contexts.append(cut_context(image, everybody, "rgb8"))
        labels.append(sample.label)
    return _people(faces, contexts, list(range(len(faces))), labels)


def _people(
    faces: list[np.ndarray], contexts: list[np.ndarray], scene: list[int], labels: list[int]
) -> People:
    return People(
        np.array(faces, np.uint8).reshape(-1, FACE, FACE, 3),
        np.array(contexts, np.uint8).reshape(-1, CONTEXT, CONTEXT, 3),
        np.array(scene, np.int64),
        np.array(labels, np.int64),
    )
