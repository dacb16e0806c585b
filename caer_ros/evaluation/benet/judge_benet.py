"""A BENet before annotated pictures: what `caer evaluate` says of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tqdm import tqdm

from caer_ros.core import InputError
from caer_ros.datasets.emotic.images import Images
from caer_ros.evaluation.benet.ask import Asking, ask_maps, read_people
from caer_ros.evaluation.benet.average_precision import AveragePrecision, average_precision
from caer_ros.evaluation.benet.heads import HeadAnswers, ask_heads, refined
from caer_ros.evaluation.benet.predictions import (
    AtTruth,
    GroundTruth,
    ImageDetections,
    gather_people,
)
from caer_ros.evaluation.benet.report import BenetScores, Tuning, benet_scores, tune
from caer_ros.evaluation.benet.tables import markdown, percent
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.pictures_graph import PicturesGraph


@dataclass(frozen=True, eq=False)
class SplitReading:
    """What a network says of a split, picture by picture; `detections` None without that head."""

    truths: list[GroundTruth]
    read: list[AtTruth]
    detections: list[ImageDetections] | None


@dataclass(frozen=True, eq=False)
class BenetVerdict:
    """What was found.

    Attributes:
        scores: of the maps.
        refined: emotions with true boxes, with the other heads' answers joined in, by how (Table
            4); empty where that was not asked.
    """

    scores: BenetScores
    refined: Mapping[str, AveragePrecision]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        more = {name: ap.mean for name, ap in self.refined.items()}
        return self.scores.as_dict() | ({"refined": more} if more else {})


def judge_benet(
    network: BENet,
    images: Images,
    asking: Asking,
    tuning: Tuning | None = None,
    with_heads: bool = False,
) -> BenetVerdict:
    """Score a network, on a GPU where there is one.

    Args:
        network: is put on the device and in evaluation mode.
        images: annotated pictures.
        asking: see there.
        tuning: thresholds and calibration that were chosen on another split.
        with_heads: also join the person-centric and background heads' answers with the maps'.

    Raises:
        InputError: nobody is annotated, a picture can not be read, or the heads are asked for and
            the network has no person-centric one.
    """
    if with_heads and not network.config.person:
        raise InputError(
            "This BENet has no person-centric head to join with its maps.",
            "Leave --heads out, or judge one that was trained with it.",
        )
    graph = on_device(network)
    found = read_split(graph, images, asking)
    answers = ask_heads(graph, images, asking) if with_heads else None
    return verdict_of(network, found, tuning, answers)


def verdict_of(
    network: BENet,
    found: SplitReading,
    tuning: Tuning | None = None,
    answers: Sequence[HeadAnswers] | None = None,
) -> BenetVerdict:
    """Score what a network said; `answers` are those of its other heads, in the same order."""
    scores = benet_scores(found.truths, found.read, found.detections, tuning)
    joined = {} if answers is None else refined(network, found.read, answers)
    return BenetVerdict(scores, {name: _ap(found.truths, read) for name, read in joined.items()})


def read_split(graph: PicturesGraph, images: Images, asking: Asking) -> SplitReading:
    """What the maps say of all pictures.

    Raises:
        InputError: a picture can not be read.
    """
    truths = [GroundTruth.of(record) for record in images.records]
    read, detections = [], []
    asked = tqdm(
        ask_maps(graph, images, asking), "pictures", len(truths), file=sys.stderr, disable=None
    )
    for each in asked:
        at_truth, found = read_people(each, images.records[each.index], asking.decode)
        read.append(at_truth)
        if found is not None:
            detections.append(found)
    return SplitReading(truths, read, detections if graph.network.config.detection else None)


def tune_on(graph: PicturesGraph, images: Images, asking: Asking) -> Tuning:
    """Thresholds and calibration from the validation split.

    Raises:
        InputError: nobody is annotated, or a picture can not be read.
    """
    found = read_split(graph, images, asking)
    return tune(found.truths, found.read)


def on_device(network: BENet) -> PicturesGraph:
    """The network in evaluation mode, on a GPU where there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return PicturesGraph(network).to(device).eval()


def refined_table(verdict: BenetVerdict) -> str:
    """A row a way of joining the heads, the maps alone first: mAP in percent."""
    rows = [["BU (the maps alone)", percent(verdict.scores.emotions.mean)]]
    rows += [[name, percent(ap.mean)] for name, ap in verdict.refined.items()]
    return markdown(["emotions by", "mAP"], rows)


def _ap(truths: list[GroundTruth], read: list[AtTruth]) -> AveragePrecision:
    people = gather_people(truths, read)
    return average_precision(people.emotions, people.positives, people.known)
