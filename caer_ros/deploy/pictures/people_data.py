"""People for CAER-Net-S: from data sets with known faces, or found in pictures by a detector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.patches import CONTEXT, FACE, cut_context, cut_face
from caer_ros.datasets.people import People, load_people
from caer_ros.deploy.pictures.frames import split_frames
from caer_ros.deploy.pictures.samples import PeopleSamples
from caer_ros.perception.face_detector import FaceDetector

if TYPE_CHECKING:
    from caer_ros.deploy.pictures.open_data import DataOptions

_SPLITS = ("train", "test", "val", "validation")
# Faces of one frame: all share its context, of which no more is to be learnt.
_MOST_FACES = 8


def people_of(
    options: DataOptions, most: int, judged: int, detector: Callable[[], FaceDetector]
) -> tuple[PeopleSamples, PeopleSamples, int]:
    """People to choose calibration samples from, people to measure on, and pictures left out.

    Args:
        most, judged: people of either, shared evenly among the targets.
        detector: opens the face detector; called only where nothing says where faces are.

    Raises:
        InputError: a target does not exist or can not be read, or nobody is there.
    """
    seen: list[People] = []
    unseen: list[People] = []
    bad = 0
    share = len(options.targets)
    for target in options.targets:
        if _is_dataset(target):
            seen.append(load_people(target, options.held_out, False, most // share))
            unseen.append(load_people(target, options.held_out, True, judged // share))
        else:
            found = _found(target, options, (most + judged) // share, detector())
            seen.append(_thinned(found[0], most // share))
            unseen.append(_thinned(found[1], judged // share))
            bad += found[2]
    return PeopleSamples(_joined(seen)), PeopleSamples(_joined(unseen)), bad


def _is_dataset(target: Path) -> bool:
    """Whether `load_people` knows the folder: cuts of faces, or splits with classes below."""
    if not target.is_dir():
        return False
    if (target / "faces.csv").is_file():
        return True
    return any(p.is_dir() and p.name.lower() in _SPLITS for p in target.iterdir())


def _found(
    target: Path, options: DataOptions, most: int, detector: FaceDetector
) -> tuple[People, People, int]:
    def cut(image: np.ndarray) -> People | None:
        faces = detector.detect(image, "rgb8")
        if not faces:
            return None
        rows = [cut_face(image, face, "rgb8") for face in faces[:_MOST_FACES]]
        context = cut_context(image, faces, "rgb8")
        none = np.full(len(rows), -1)
        return People(np.stack(rows), context[None], np.zeros(len(rows), np.int64), none)

    split = split_frames(target, cut, options.held_out, max(most, 2), options.topic)
    return _joined(split.seen), _joined(split.held_out), split.bad


def _joined(parts: Sequence[People]) -> People:
    if not parts:
        return People(
            np.zeros((0, FACE, FACE, 3), np.uint8),
            np.zeros((0, CONTEXT, CONTEXT, 3), np.uint8),
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
        )
    offsets = np.cumsum([0] + [len(part.contexts) for part in parts[:-1]])
    return People(
        np.concatenate([part.faces for part in parts]),
        np.concatenate([part.contexts for part in parts]),
        np.concatenate([part.scene + o for part, o in zip(parts, offsets, strict=True)]),
        np.concatenate([part.labels for part in parts]),
    )


def _thinned(people: People, most: int) -> People:
    if most < 1:
        raise InputError("There are more --data than people to be used.", "Raise --limit.")
    if len(people) <= most:
        return people
    rows = np.linspace(0, len(people) - 1, most).astype(int)
    return People(people.faces[rows], people.contexts, people.scene[rows], people.labels[rows])
