"""A checkpoint or a bundle before labelled samples: what `caer evaluate` says.

A checkpoint runs in torch on what training would have read. A bundle runs in the robot's own code
(`CaerStatic`), in any precision it has, on whole pictures with the boxes of the data set.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from tqdm import tqdm

from caer_ros.bundles import Bundle
from caer_ros.core import CAER7, Box, CaerError, InputError
from caer_ros.datasets.examples import Source
from caer_ros.evaluation.predictions import predict
from caer_ros.evaluation.scores import Scores, score
from caer_ros.networks.interface import EmotionNetwork, check_reads_people
from caer_ros.networks.people_graph import PeopleGraph
from caer_ros.perception.caer_static import CaerStatic


class Pictures(Protocol):
    """Labelled whole pictures; `labels` int64 [N]."""

    labels: np.ndarray

    def __len__(self) -> int: ...

    def picture(self, index: int) -> tuple[np.ndarray, Box | None, list[Box]]:
        """uint8 BGR [H, W, 3], the subject's face or None, all faces."""
        ...


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes:
        scores: of the samples that were judged.
        probabilities: float64 [N, 7] of the same.
        labels: int64 [N].
        face_weight: mean λ_face over them.
        without_face: samples without a face: left out where the target needs one, else judged by
            their context.
        left_out: how many of them were left out.
    """

    scores: Scores
    probabilities: np.ndarray
    labels: np.ndarray
    face_weight: float
    without_face: int
    left_out: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the probabilities."""
        plain = {n: getattr(self, n) for n in ("face_weight", "without_face", "left_out")}
        return self.scores.as_dict() | plain


def judge_network(network: EmotionNetwork, source: Source, workers: int = 0) -> Verdict:
    """Score a network, on a GPU where there is one. Views of a video are averaged.

    Raises:
        InputError: there is nothing to judge, or the network reads no people (BENet).
    """
    check_reads_people(network)
    chosen = np.arange(len(source)) if network.reads_context else np.flatnonzero(source.present)
    _check_some(len(chosen))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    graph = PeopleGraph(network).to(device).eval()
    found = predict(graph, source, chosen, workers)
    labels = source.labels[chosen]
    return Verdict(
        score(found.probabilities, labels, CAER7),
        found.probabilities,
        labels,
        float(found.fusion[:, 0].mean()),
        int((~source.present).sum()),
        len(source) - len(chosen),
    )


def judge_bundle(
    bundle: Bundle,
    pictures: Pictures,
    precision: str,
    backend: str,
    on_bad: Callable[[CaerError], None] | None = None,
) -> Verdict:
    """Score a CAER-Net-S bundle picture by picture, as the robot would run it.

    Args:
        bundle, precision, backend: see CaerStatic.
        pictures: what it is asked about.
        on_bad: told of each unreadable picture, which is then left out; without it, that raises.

    Raises:
        InputError: the bundle's labels are not CAER's seven, a picture can not be read, or nobody
            has a face.
        BundleError: it is of another task, or has no such precision.
    """
    if bundle.labels != CAER7:
        raise InputError(
            f"Bundle '{bundle.name}' has the labels {', '.join(bundle.labels)}.",
            "Only bundles with CAER's seven labels can be scored on CAER's layouts.",
        )
    model = CaerStatic(bundle, precision, backend, max_people=1)
    rows, weights, labels, without_face = [], [], [], 0
    try:
        for index in tqdm(range(len(pictures)), unit="picture", file=sys.stderr, disable=None):
            try:
                image, subject, faces = pictures.picture(index)
            except CaerError as error:
                if on_bad is None:
                    raise
                on_bad(error)
                continue
            if subject is None:
                without_face += 1
                continue
            model.prepare(image, "bgr8", [subject], faces)
            (estimate,) = model.decode(model.infer(1, want_attention=False)).estimates
            rows.append(estimate.probabilities.astype(np.float64))
            weights.append(estimate.lambda_face)
            labels.append(int(pictures.labels[index]))
    finally:
        model.close()
    _check_some(len(rows))
    probabilities, truth = np.stack(rows), np.array(labels)
    return Verdict(
        score(probabilities, truth, CAER7),
        probabilities,
        truth,
        float(np.mean(weights)),
        without_face,
        without_face,
    )


def _check_some(count: int) -> None:
    if not count:
        raise InputError(
            "No sample has a face, and the target reads nothing else.",
            "Give face boxes (`caer data boxes`), or another split.",
        )
