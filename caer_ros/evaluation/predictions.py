"""What a network says of a source's samples, views averaged (section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from caer_ros.datasets.examples import Source
from caer_ros.datasets.loader import view_batches
from caer_ros.networks.people_graph import PeopleGraph

BATCH = 64


@dataclass(frozen=True)
class Predictions:
    """Of N samples, means over their views.

    Attributes:
        probabilities: float64 [N, K], rows sum to 1.
        fusion: float64 [N, 2], weights of face and context.
        attention: float64 [N, h, w], of clips also the mean over time; each map sums to 1. Without
            rows where the network has no context stream.
    """

    probabilities: np.ndarray
    fusion: np.ndarray
    attention: np.ndarray


@torch.no_grad()
def predict(
    graph: PeopleGraph,
    source: Source,
    indices: Sequence[int] | np.ndarray | None = None,
    workers: int = 0,
    batch: int = BATCH,
    autocast: Callable[[], AbstractContextManager] = nullcontext,
) -> Predictions:
    """Run a network over samples of a source.

    Probabilities, not logits, of a video's windows are averaged, see `datasets.clips`.

    Args:
        graph: in evaluation mode; runs where it is.
        source: what it reads.
        indices: which samples, in which order; by default all.
        workers: processes that load.
        batch: samples a run.
        autocast: precision to run in.
    """
    chosen = np.arange(len(source)) if indices is None else np.asarray(indices)
    device = next(graph.parameters()).device
    rows = []
    for part in view_batches(source, [int(i) for i in chosen], batch, workers):
        there = part.to(device)
        with autocast():
            output = graph(there.face, there.context, there.scene, there.present)
        attention = output.attention.double()
        if attention.ndim == 4:
            attention = attention.mean(dim=1)
        views = (output.logits.double().softmax(dim=1), output.fusion.double(), attention)
        rows.append(_mean_by_sample(part.sample.numpy(), [v.cpu().numpy() for v in views]))
    return Predictions(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _mean_by_sample(sample: np.ndarray, values: list[np.ndarray]) -> list[np.ndarray]:
    """Means over the rows of each sample, whose views stand together; no rows stay no rows."""
    starts = np.flatnonzero(np.diff(sample, prepend=-1))
    counts = np.diff(starts, append=len(sample))
    return [
        np.add.reduceat(value, starts) / counts.reshape(-1, *[1] * (value.ndim - 1))
        if len(value)
        else value
        for value in values
    ]
