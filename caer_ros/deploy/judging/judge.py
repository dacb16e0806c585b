"""One way of reading a bundle's answers, for each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import BundleError
from caer_ros.deploy.judging.comparison import Comparison
from caer_ros.deploy.judging.found import MapsJudge
from caer_ros.deploy.judging.labels import LabelsJudge
from caer_ros.deploy.pictures.samples import Samples, batches
from caer_ros.engines import Engine

Arrays = Mapping[str, np.ndarray]


class Judge(Protocol):
    """Reads answers out of a network's outputs and compares them.

    Attributes:
        outputs: the outputs that answers are read from.
    """

    outputs: tuple[str, ...]

    def read(self, outputs: Arrays) -> list[Any]:
        """The answers of one batch, one a sample; copies, for engines own their outputs."""
        ...

    def distance(self, wanted: Sequence[Any], got: Sequence[Any]) -> float:
        """Mean |Δ probability| of answers, in [0, 1]; who was lost counts as 1."""
        ...

    def compare(self, wanted: Sequence[Any], got: Sequence[Any], samples: Samples) -> Comparison:
        """Of the answers for all `samples`."""
        ...


def judge_of(bundle: Bundle) -> Judge:
    """The judge of a bundle's task.

    Raises:
        BundleError: there is none.
    """
    if bundle.task == "caer_static":
        return LabelsJudge(float(bundle.decode.get("temperature", 1.0)))
    if bundle.task == "person_emotion_maps":
        return MapsJudge(bundle)
    raise BundleError(
        f"Bundle '{bundle.name}' has task {bundle.task}, which stays FP32.",
        "Calibrate an emotion model: caer_static or person_emotion_maps.",
    )


def answers(judge: Judge, engine: Engine, samples: Samples) -> list[Any]:
    """An engine's answers for all samples.

    Raises:
        EngineError: the engine failed.
    """
    found: list[Any] = []
    for rows in batches(samples, range(len(samples))):
        found += judge.read(engine.run(samples.feed(rows), list(judge.outputs)))
    return found
