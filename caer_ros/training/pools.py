"""What training draws from, in memory: face patches and scenes, split so that no person leaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from caer_ros.core import Box, InputError
from caer_ros.datasets.caer_s import list_samples, read_rgb
from caer_ros.datasets.patches import cut_context, cut_face, cut_patch
from caer_ros.datasets.real_faces import list_faces, list_scenes
from caer_ros.datasets.rendered import faces_in, planted_in
from caer_ros.datasets.samples import Sample
from caer_ros.training.recipe import Data

NO_LABEL = -1
Ask = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class FacePool:
    """patches uint8 [N, 192, 192, 3]; boxes in them; labels int64 [N] (-1: none); scene int64 [N].

    `scene` is the row of the pool's scenes that the face stands in, -1 where none was kept.
    `weights` float64 [N] sum to 1: how often each face is drawn.
    """

    patches: np.ndarray
    boxes: list[Box]
    labels: np.ndarray
    scene: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.patches)

    def crops(self) -> np.ndarray:
        """Every face as the robot would cut it: uint8 [N, 96, 96, 3]."""
        pairs = zip(self.patches, self.boxes, strict=True)
        return np.stack([cut_face(patch, box, "rgb8") for patch, box in pairs])


@dataclass(frozen=True)
class Pool:
    """Faces, and the scenes uint8 [M, 224, 224, 3] that they point to.

    `planted` bool [M]: which scenes may hold a cue that tells something of the label.
    """

    faces: FacePool
    scenes: np.ndarray
    planted: np.ndarray


def load_renders(data: Data, split: str, share: slice = slice(None)) -> Pool:
    """Rendered faces with their pose's label and their own scene, in which all faces are hidden.

    `share` picks a part of each folder's pictures in the order of its list, which goes person by
    person.
    """
    samples: list[Sample] = []
    planted: list[bool] = []
    hidden: list[list[Box]] = []
    for folder in data.renders:
        listed = list_samples(folder, split)[share]
        samples += listed
        planted += planted_in(folder, listed)
        hidden += faces_in(folder, listed)
    patches, boxes, scenes = [], [], []
    pairs = list(zip(samples, hidden, strict=True))
    for sample, faces in tqdm(pairs, desc=f"renders {split}", unit="picture"):
        assert sample.box is not None
        image = read_rgb(sample.path)
        patch, box = cut_patch(image, sample.box, "rgb8")
        patches.append(patch)
        boxes.append(box)
        scenes.append(cut_context(image, faces, "rgb8"))
    count = len(samples)
    labels = np.array([sample.label for sample in samples])
    even = np.full(count, 1 / count)
    pool = FacePool(np.stack(patches), boxes, labels, np.arange(count), even)
    return Pool(pool, np.stack(scenes), np.array(planted))


def load_photographs(data: Data, ask: Ask, keep: Callable[[str], bool]) -> Pool:
    """Photographed faces (no labels) of the sources that `keep` says yes to, and their scenes.

    `ask` gives the teacher's probabilities [N, 7] for crops: faces are drawn so that what the
    teacher rarely sees (most photographed people look neutral) comes up more often.

    Raises:
        InputError: no face is left.
    """
    patches, boxes, scenes = [], [], []
    for folder in data.faces:
        chosen = [row for row in list_faces(folder) if keep(row[1])]
        for path, _, box in tqdm(chosen, desc=folder.name, unit="face"):
            patches.append(read_rgb(path))
            boxes.append(box)
        scenes += [read_rgb(path) for path, source in list_scenes(folder) if keep(source)]
    if not patches:
        raise InputError("No photographed face is left for this split.", "Check held_out.")
    count = len(patches)
    unlabelled = np.full(count, NO_LABEL)
    even = np.full(count, 1 / count)
    faces = FacePool(np.stack(patches), boxes, unlabelled, unlabelled, even)
    top = ask(faces.crops()).argmax(axis=1)
    weights = 1 / np.sqrt(np.bincount(top, minlength=7)[top])
    faces = FacePool(faces.patches, boxes, unlabelled, unlabelled, weights / weights.sum())
    return Pool(faces, np.stack(scenes), np.zeros(len(scenes), bool))
