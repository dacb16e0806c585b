"""What BENet is judged by: people found in a picture, and the people who are annotated in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.emotic.records import AnnotatedImage


@dataclass(frozen=True, eq=False)
class ImageDetections:
    """K people found in one picture without help of its annotation; K may be 0.

    Attributes:
        boxes: float [K, 4], x1, y1, x2, y2 in pixels of the source picture.
        scores: float [K], confidence that somebody is there, in [0, 1].
        emotions: float [K, E], probabilities read at the found centres.
        vad: float [K, 3] in [-1, 1], or None where the network has none.

    Raises:
        InputError: the arrays do not fit each other or hold values that are not finite.
    """

    boxes: np.ndarray
    scores: np.ndarray
    emotions: np.ndarray
    vad: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(self.scores)
        _check("boxes", self.boxes, (count, 4))
        _check("scores", self.scores, (count,))
        _check("emotions", self.emotions, (count, self.emotions.shape[-1]))
        if self.vad is not None:
            _check("vad", self.vad, (count, 3))


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """N annotated people of one picture; N may be 0. Fields as in AnnotatedPerson.

    Attributes:
        boxes: float64 [N, 4], x1, y1, x2, y2 in pixels of the source picture.
        categories: float [N, E], 1 where the emotion is annotated, else 0.
        known: bool [N, E], whose absence means something; the rest is not judged.
        vad: float [N, 3] in [-1, 1], NaN where it is not annotated.

    Raises:
        InputError: the arrays do not fit each other.
    """

    boxes: np.ndarray
    categories: np.ndarray
    known: np.ndarray
    vad: np.ndarray

    def __post_init__(self) -> None:
        count, emotions = len(self.boxes), self.categories.shape[-1]
        _check("boxes", self.boxes, (count, 4))
        _check("categories", self.categories, (count, emotions))
        _check("known", self.known, (count, emotions))
        _check("vad", self.vad, (count, 3), finite=False)

    @classmethod
    def of(cls, image: AnnotatedImage) -> GroundTruth:
        """Of an annotated picture."""
        people = image.people
        boxes = [(p.box.x1, p.box.y1, p.box.x2, p.box.y2) for p in people]
        return cls(
            np.array(boxes, np.float64),
            np.stack([p.categories for p in people]),
            np.stack([p.known for p in people]),
            np.stack([p.vad for p in people]),
        )


@dataclass(frozen=True, eq=False)
class AtTruth:
    """What BENet says of N annotated people of one picture, read at the centres of their true
    boxes (section 4.2, first protocol).

    Attributes:
        emotions: float [N, E], probabilities.
        vad: float [N, 3] in [-1, 1], or None where the network has none.

    Raises:
        InputError: the arrays do not fit each other or hold values that are not finite.
    """

    emotions: np.ndarray
    vad: np.ndarray | None = None

    def __post_init__(self) -> None:
        _check("emotions", self.emotions, (len(self.emotions), self.emotions.shape[-1]))
        if self.vad is not None:
            _check("vad", self.vad, (len(self.emotions), 3))


@dataclass(frozen=True, eq=False)
class People:
    """All annotated people of a split, N of them, as rows.

    Attributes:
        positives: bool [N, E], the annotated emotions.
        known: bool [N, E].
        emotions: float [N, E], what was read at their centres.
        vad: float [N, 3], as annotated.
        vad_read: float [N, 3] as read, or None.
    """

    positives: np.ndarray
    known: np.ndarray
    emotions: np.ndarray
    vad: np.ndarray
    vad_read: np.ndarray | None


def gather_people(truths: Sequence[GroundTruth], read: Sequence[AtTruth]) -> People:
    """The people of all pictures.

    Raises:
        InputError: there is nobody, or `read` does not fit `truths` picture by picture.
    """
    check_pictures(truths, read)
    for index, (truth, said) in enumerate(zip(truths, read, strict=True)):
        if said.emotions.shape != truth.categories.shape:
            raise InputError(
                f"Picture {index} has annotations {truth.categories.shape} and predictions "
                f"{said.emotions.shape}.",
                "Give one row a person and one column an emotion, in the annotation's order.",
            )
    vads = [said.vad for said in read if said.vad is not None]
    if vads and len(vads) != len(read):
        raise InputError(
            f"{len(vads)} of {len(read)} pictures have valence, arousal and dominance.",
            "Read them in all pictures, or in none.",
        )
    return People(
        np.concatenate([truth.categories for truth in truths]) > 0.5,
        np.concatenate([truth.known for truth in truths]).astype(bool),
        np.concatenate([said.emotions for said in read]).astype(np.float64),
        np.concatenate([truth.vad for truth in truths]).astype(np.float64),
        np.concatenate(vads).astype(np.float64) if vads else None,
    )


def any_emotion(truths: Sequence[GroundTruth]) -> bool:
    """Whether anybody has an emotion for certain; without, detection alone can be judged."""
    return any(((truth.categories > 0.5) & truth.known.astype(bool)).any() for truth in truths)


def check_pictures(truths: Sequence[GroundTruth], predictions: Sequence[object]) -> None:
    """Refuse what can not be judged.

    Raises:
        InputError: there is no annotated person, or not one prediction a picture.
    """
    if len(truths) != len(predictions):
        raise InputError(
            f"There are {len(truths)} annotated pictures and {len(predictions)} predicted ones.",
            "Give one of each a picture, in the same order.",
        )
    if not any(len(truth.boxes) for truth in truths):
        raise InputError("Nobody is annotated in these pictures.", "Choose another split.")


def _check(name: str, array: np.ndarray, shape: tuple[int, ...], finite: bool = True) -> None:
    if array.shape != shape:
        raise InputError(
            f"'{name}' has the shape {array.shape}, not {shape}.", "Give one row a person."
        )
    if finite and not np.isfinite(array).all():
        raise InputError(
            f"'{name}' has values that are not finite.",
            "Look for a network that has diverged, or a box without area.",
        )
