"""What a BENet bundle says of annotated people whom it finds itself, in the robot's own code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from caer_ros.bundles import Bundle
from caer_ros.core import EMOTIC26, InputError
from caer_ros.datasets.emotic.images import Images
from caer_ros.evaluation.benet.matching import greedy_matches, pairwise_iou
from caer_ros.evaluation.benet.predictions import GroundTruth, ImageDetections
from caer_ros.perception import Scene
from caer_ros.perception.benet import BenetReader

IOU = 0.5


@dataclass(frozen=True, eq=False)
class FoundPeople:
    """N annotated people who were found.

    Attributes:
        emotions: float64 [N, E], the robot's probabilities.
        positives, known: bool [N, E], what is annotated.
        picture: int64 [N], which picture.
        annotated: how many people are annotated, found or not.
    """

    emotions: np.ndarray
    positives: np.ndarray
    known: np.ndarray
    picture: np.ndarray
    annotated: int


def check_labels(bundle: Bundle) -> None:
    """Refuse a bundle whose labels are not those that pictures are annotated with.

    Raises:
        InputError: it has others than EMOTIC's 26 emotions.
    """
    if bundle.labels != EMOTIC26:
        raise InputError(
            f"The {len(bundle.labels)} labels of '{bundle.name}' are not EMOTIC's 26 emotions,"
            " which people are annotated with.",
            "Name a bundle with EMOTIC's labels.",
        )


def look(reader: BenetReader, images: Images) -> tuple[list[GroundTruth], list[ImageDetections]]:
    """What is annotated in each picture, and whom the robot finds in it.

    Args:
        reader: with the bundle's least score of a person: fainter people do not count.
        images: annotated pictures.

    Raises:
        InputError: a picture can not be read.
    """
    truths = [GroundTruth.of(record) for record in images.records]
    asked = tqdm(truths, unit="picture", file=sys.stderr, disable=None)
    return truths, [
        _detections(reader, images.pixels(index), truth.categories.shape[1])
        for index, truth in enumerate(asked)
    ]


def found_people(truths: Sequence[GroundTruth], seen: Sequence[ImageDetections]) -> FoundPeople:
    """Who was found is told by boxes at an IoU of 0.5.

    Raises:
        InputError: nobody annotated is found.
    """
    emotions, positives, known, pictures = [], [], [], []
    for index, (truth, image) in enumerate(zip(truths, seen, strict=True)):
        match = greedy_matches(pairwise_iou(image.boxes, truth.boxes), image.scores, IOU)
        there = match >= 0
        emotions.append(image.emotions[match[there]])
        positives.append(truth.categories[there] > 0.5)
        known.append(truth.known[there].astype(bool))
        pictures += [index] * int(there.sum())
    annotated = sum(len(truth.boxes) for truth in truths)
    if not pictures:
        raise InputError(
            f"Of {annotated} annotated people the bundle finds nobody.",
            "Give pictures like those it learnt from; see `caer evaluate` of its checkpoint.",
        )
    return FoundPeople(
        np.concatenate(emotions),
        np.concatenate(positives),
        np.concatenate(known),
        np.array(pictures, np.int64),
        annotated,
    )


def ask_people(reader: BenetReader, images: Images) -> FoundPeople:
    """Look at all pictures; see `look` and `found_people`.

    Raises:
        InputError: a picture can not be read, or nobody annotated is found.
    """
    return found_people(*look(reader, images))


def _detections(reader: BenetReader, pixels: np.ndarray, emotions: int) -> ImageDetections:
    scene = Scene(pixels, "rgb8")
    reader.run([scene], {})
    people = [(p.body, p.estimates[0].probabilities) for p in scene.people if p.body is not None]
    boxes = [(body.x1, body.y1, body.x2, body.y2) for body, _ in people]
    return ImageDetections(
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array([body.score for body, _ in people], np.float64),
        np.array([said for _, said in people], np.float64).reshape(-1, emotions),
    )
