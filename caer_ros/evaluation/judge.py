"""A checkpoint or a bundle before labelled samples: what `caer evaluate` says.

A checkpoint runs in torch on what training would have read. A bundle runs in the robot's own code,
in any precision it has, on whole pictures or videos with the boxes of the data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from caer_ros.bundles import Bundle
from caer_ros.core import CAER7, InputError
from caer_ros.datasets.examples import Source
from caer_ros.evaluation.answers import Answers, OnBad, Pictures
from caer_ros.evaluation.clip_answers import Videos, ask_bundle
from caer_ros.evaluation.predictions import predict
from caer_ros.evaluation.scores import Scores, score
from caer_ros.networks.interface import EmotionNetwork, check_reads_people
from caer_ros.networks.people_graph import PeopleGraph


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
        answers: of a bundle, one a sample that was judged.
    """

    scores: Scores
    probabilities: np.ndarray
    labels: np.ndarray
    face_weight: float
    without_face: int
    left_out: int
    answers: Answers | None = None

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
    samples: Pictures | Videos,
    precision: str,
    backend: str,
    on_bad: OnBad | None = None,
) -> Verdict:
    """Score a CAER-Net-S bundle on pictures or a CAER-Net bundle on videos, as the robot would run
    it. Probabilities of a video's clips are averaged.

    Args and errors: see `ask_pictures` and `ask_videos`.
    """
    found = ask_bundle(bundle, samples, precision, backend, on_bad).by_sample()
    labels = samples.labels[found.sample]
    return Verdict(
        score(found.probabilities, labels, CAER7),
        found.probabilities,
        labels,
        float(found.face_weight.mean()),
        found.silent,
        found.silent,
        found,
    )


def _check_some(count: int) -> None:
    if not count:
        raise InputError(
            "No sample has a face, and the target reads nothing else.",
            "Give face boxes (`caer data boxes`), or another split.",
        )
