"""How good a BENet is in the middle of its training: loss, emotions, detection, both together.

On whole pictures, of which nothing is drawn by chance. (The public code validates on its random
training samples, so that its "best model" is partly the luckiest one.)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from caer_ros.datasets.emotic.examples import MAPS, EmoticBatch
from caer_ros.datasets.emotic.source import EmoticSource
from caer_ros.evaluation.benet.ask import Asked, map_pairs, read_people
from caer_ros.evaluation.benet.average_precision import average_precision
from caer_ros.evaluation.benet.joint import joint_ap
from caer_ros.evaluation.benet.person_ap import person_ap
from caer_ros.evaluation.benet.predictions import (
    AtTruth,
    GroundTruth,
    ImageDetections,
    gather_people,
)
from caer_ros.networks.benet.maps import BenetOutput
from caer_ros.networks.benet.pictures_graph import PicturesGraph
from caer_ros.networks.benet.tasks import TASKS
from caer_ros.perception.benet_decode import BenetDecode
from caer_ros.perception.fit_frame import fit_letterbox
from caer_ros.training.benet.batches import of_task, with_targets
from caer_ros.training.benet.feed import view_batches
from caer_ros.training.benet.losses import LossParts, LossWeights, benet_loss

_BATCH = 16
_LOSSES = {"loss": "total", "detection_loss": "detection", "category_loss": "categories"}


@dataclass(frozen=True)
class Validator:
    """Scores a network on the validation pictures.

    Attributes:
        source: a sample a picture (`validation_source`).
        decode: how people are found.
        weights: of the loss.
        workers: processes that load.
        autocast: the context in which the network runs.
    """

    source: EmoticSource
    decode: BenetDecode
    weights: LossWeights
    workers: int = 0
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext

    @torch.no_grad()
    def scores(self, graph: PicturesGraph) -> dict[str, float]:
        """`loss`, `detection_loss`, `category_loss`, `map`; with detection `person_ap` and `joint`.

        Each part of the loss is the mean over all pictures (people, backgrounds) that have a say in
        it. The others are in percent; `joint` is the strict form's average.

        Args:
            graph: in evaluation mode, on any device.

        Raises:
            InputError: a picture can not be read, or nobody is annotated.
        """
        losses, judged = _Losses(), _Judged(self.source, self.decode)
        for batch in view_batches(self.source, _BATCH, self.workers):
            for part in (of_task(batch, task) for task in TASKS):
                if part is None:
                    continue
                output, parts = self._run(graph, part)
                task = int(part.task[0])
                losses.add(task, len(part.task), parts)
                if task == MAPS:
                    judged.add(part, output)
        return losses.means() | judged.scores()

    def _run(self, graph: PicturesGraph, part: EmoticBatch) -> tuple[BenetOutput, LossParts]:
        batch = with_targets(part).to(graph.normalize.scale.device)
        with self.autocast():
            output = graph(batch.images, batch.task)
        return output, benet_loss(output, batch.targets, self.weights)


class _Losses:
    """Parts of the loss, of one task at a time: means over rows, then their sum over tasks."""

    def __init__(self) -> None:
        self._sums = {task: np.zeros(len(_LOSSES)) for task in TASKS}
        self._rows = dict.fromkeys(TASKS, 0)

    def add(self, task: int, rows: int, parts: LossParts) -> None:
        values = [float(getattr(parts, field)) for field in _LOSSES.values()]
        self._sums[task] += rows * np.array(values)
        self._rows[task] += rows

    def means(self) -> dict[str, float]:
        total = sum(self._sums[task] / max(self._rows[task], 1) for task in TASKS)
        return dict(zip(_LOSSES, np.asarray(total).tolist(), strict=True))


class _Judged:
    """What the maps said of the pictures so far."""

    def __init__(self, source: EmoticSource, config: BenetDecode) -> None:
        self._records, self._size = source.images.records, source.choice.size
        self._config = config
        self._truths: list[GroundTruth] = []
        self._read: list[AtTruth] = []
        self._found: list[ImageDetections] = []

    def add(self, part: EmoticBatch, output: BenetOutput) -> None:
        for index, maps in zip(
            part.sample.tolist(), map_pairs(output.maps, len(part.task)), strict=True
        ):
            record = self._records[index]
            fit = fit_letterbox(record.width, record.height, self._size)
            read, found = read_people(Asked(index, fit, maps, None), record, self._config)
            self._truths.append(GroundTruth.of(record))
            self._read.append(read)
            if found is not None:
                self._found.append(found)

    def scores(self) -> dict[str, float]:
        people = gather_people(self._truths, self._read)
        scores = {"map": average_precision(people.emotions, people.positives, people.known).mean}
        if self._found:
            scores["person_ap"] = person_ap(self._truths, self._found).ap
            scores["joint"] = joint_ap(self._truths, self._found, "strict").average
        return scores
