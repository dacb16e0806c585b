"""Answers of networks that find people themselves (BENet): boxes first, then what they feel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.deploy.judging.comparison import Comparison
from caer_ros.deploy.pictures.samples import PictureSamples, Samples
from caer_ros.evaluation.benet.joint import joint_ap
from caer_ros.evaluation.benet.matching import greedy_matches, pairwise_iou
from caer_ros.evaluation.benet.person_ap import person_ap
from caer_ros.evaluation.benet.predictions import GroundTruth, ImageDetections, any_emotion
from caer_ros.perception.benet_decode import rows_above

IOU = 0.5
# Two independent emotions whose probabilities differ by less are equally strong to anybody.
TIE = 0.02


class Found(NamedTuple):
    """One picture: boxes float [K, 4] in pixels of the input, scores float [K], emotions float
    [K, E]; best first.
    """

    boxes: np.ndarray
    scores: np.ndarray
    emotions: np.ndarray


class MapsJudge:
    """See Judge; BENet's people, above the bundle's threshold."""

    outputs = ("boxes", "scores", "emotions", "peaks")

    def __init__(self, bundle: Bundle) -> None:
        self._threshold = float(bundle.decode["threshold"])
        self._labels = bundle.labels

    def read(self, outputs: Mapping[str, np.ndarray]) -> list[Found]:
        """See Judge."""
        found = []
        for row in range(len(outputs["scores"])):
            parts = (outputs[name][row] for name in ("boxes", "scores", "emotions"))
            rows = rows_above(*parts, None, int(outputs["peaks"][row]), self._threshold)
            found.append(Found(rows.boxes, rows.scores, rows.emotions))
        return found

    def distance(self, wanted: Sequence[Found], got: Sequence[Found]) -> float:
        """See Judge."""
        total, count = 0.0, 0
        for want, have in zip(wanted, got, strict=True):
            rows, others = _pairs(want, have)
            lost = len(want.scores) + len(have.scores) - 2 * len(rows)
            delta = np.abs(want.emotions[rows] - have.emotions[others]).mean(axis=1)
            total += lost + float(delta.sum())
            count += lost + len(rows)
        return total / count if count else 0.0

    def compare(
        self, wanted: Sequence[Found], got: Sequence[Found], samples: Samples
    ) -> Comparison:
        """See Judge."""
        plain = _compare(wanted, got)
        if not isinstance(samples, PictureSamples) or samples.truths is None:
            return plain
        truths = samples.truths
        before, after = (
            [
                ImageDetections(fit.to_source(f.boxes), f.scores, f.emotions)
                for fit, f in zip(samples.fits, side, strict=True)
            ]
            for side in (wanted, got)
        )
        return plain.with_scores(
            (self._mean_ap(truths, before), self._mean_ap(truths, after))
            if any_emotion(truths)
            else None,
            (person_ap(truths, before).ap, person_ap(truths, after).ap),
        )

    def _mean_ap(self, truths: Sequence[GroundTruth], placed: Sequence[ImageDetections]) -> float:
        scores = joint_ap(truths, placed, "strict", np.array([IOU]), self._labels)
        return float(scores.means[0])


def _pairs(wanted: Found, got: Found) -> tuple[np.ndarray, np.ndarray]:
    """Rows of `wanted` and of `got` that are the same person."""
    taken = greedy_matches(pairwise_iou(got.boxes, wanted.boxes), got.scores, IOU)
    rows = np.nonzero(taken >= 0)[0]
    return rows, taken[rows]


def _compare(wanted: Sequence[Found], got: Sequence[Found]) -> Comparison:
    total = matched = people = 0
    deltas, same = [], []
    for want, have in zip(wanted, got, strict=True):
        rows, others = _pairs(want, have)
        people += len(want.scores)
        total += len(want.scores) + len(have.scores)
        matched += 2 * len(rows)
        before, after = want.emotions[rows], have.emotions[others]
        deltas.append(np.abs(before - after).ravel())
        if len(rows):
            chosen = np.take_along_axis(before, after.argmax(axis=1)[:, None], axis=1)[:, 0]
            same.append(before.max(axis=1) - chosen < TIE)
    delta = np.concatenate(deltas) if deltas else np.zeros(0)
    return Comparison(
        people,
        float(np.concatenate(same).mean()) if same else None,
        float(delta.mean()) if len(delta) else 0.0,
        float(delta.max()) if len(delta) else 0.0,
        boxes=matched / total if total else None,
    )
