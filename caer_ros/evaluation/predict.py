"""Probabilities of a network for people, run by the engine that the robot would use."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from caer_ros.datasets.people import People
from caer_ros.engines import open_engine

BATCH = 8


def softmax(logits: np.ndarray) -> np.ndarray:
    """Rows of float logits [N, K] as probabilities, float64."""
    exp = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


def onnx_probabilities(
    onnx_file: Path, backend: str, people: People, temperature: float = 1.0
) -> np.ndarray:
    """float64 [N, K] of all people, by an ONNX file with inputs face, context and scene."""
    return softmax(onnx_logits(onnx_file, backend, people) / temperature)


def onnx_logits(onnx_file: Path, backend: str, people: People) -> np.ndarray:
    """float64 [N, K] of all people, by an ONNX file with inputs face, context and scene."""
    parts = []
    with open_engine(onnx_file, backend) as engine:
        for start in range(0, len(people), BATCH):
            arrays = people.take(np.arange(start, min(start + BATCH, len(people))))
            # A copy: the engine owns its outputs.
            parts.append(engine.run(arrays, ["logits"])["logits"].astype(np.float64))
    return np.concatenate(parts)
