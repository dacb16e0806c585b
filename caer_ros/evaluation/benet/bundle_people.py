"""What a BENet bundle says of annotated people whom it finds itself, in the robot's own code."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from caer_ros.core import InputError
from caer_ros.datasets.emotic.images import Images
from caer_ros.evaluation.benet.matching import greedy_matches, pairwise_iou
from caer_ros.evaluation.benet.predictions import GroundTruth
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


def ask_people(reader: BenetReader, images: Images) -> FoundPeople:
    """Look at all pictures; who was found is told by boxes at an IoU of 0.5.

    Raises:
        InputError: a picture can not be read, or nobody annotated is found.
    """
    emotions, positives, known, pictures, annotated = [], [], [], [], 0
    for index in tqdm(range(len(images.records)), unit="picture", file=sys.stderr, disable=None):
        truth = GroundTruth.of(images.records[index])
        annotated += len(truth.boxes)
        scene = Scene(images.pixels(index), "rgb8")
        reader.run([scene], {})
        bodies = [person.body for person in scene.people if person.body is not None]
        boxes = np.array([(b.x1, b.y1, b.x2, b.y2) for b in bodies]).reshape(-1, 4)
        scores = np.array([body.score for body in bodies])
        taken_by = greedy_matches(pairwise_iou(boxes, truth.boxes), scores, IOU)
        for person in np.flatnonzero(taken_by >= 0):
            emotions.append(scene.people[taken_by[person]].estimates[0].probabilities)
            positives.append(truth.categories[person] > 0.5)
            known.append(truth.known[person].astype(bool))
            pictures.append(index)
    if not emotions:
        raise InputError(
            f"Of {annotated} annotated people the bundle finds nobody.",
            "Give pictures like those it learnt from; see `caer evaluate` of its checkpoint.",
        )
    return FoundPeople(
        np.stack(emotions).astype(np.float64),
        np.stack(positives),
        np.stack(known),
        np.array(pictures, np.int64),
        annotated,
    )
