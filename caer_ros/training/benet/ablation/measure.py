"""What an ablation's networks say of scenes that none of them was trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.core import EMOTIC26
from caer_ros.datasets.emotic.images import Images
from caer_ros.evaluation.benet.ask import Asking
from caer_ros.evaluation.benet.heads import ask_heads
from caer_ros.evaluation.benet.judge_benet import on_device, read_split, verdict_of
from caer_ros.evaluation.benet.predictions import gather_people
from caer_ros.evaluation.benet.thresholds import Thresholds, named_scores
from caer_ros.evaluation.benet.tuning_record import tuning_of
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.checkpoint import load_benet, read_meta
from caer_ros.training.benet.ablation.plan import FULL, BenetPlan
from caer_ros.training.benet.ablation.runs import RESULT, Run
from caer_ros.training.benet.recipe import BenetRecipe

HALF = "named_at_half"


@dataclass(frozen=True)
class RowResult:
    """A row of Table 1, or another form of the full network: what `judge_run` found, by seed."""

    name: str
    runs: tuple[dict[str, Any], ...]

    @property
    def detects(self) -> bool:
        """Whether it finds people itself."""
        return "person" in self.runs[0]

    def values(self, pick: Callable[[dict[str, Any]], Any]) -> np.ndarray:
        """float64 [seeds, ...]: what `pick` takes of each run."""
        return np.array([pick(run) for run in self.runs], np.float64)

    def mean_map(self) -> float:
        """Mean over the seeds of the mAP with true boxes, in percent."""
        return float(self.values(lambda run: run["emotions"]["mean"]).mean())


def judge_run(folder: Path, recipe: BenetRecipe, images: Images) -> dict[str, Any]:
    """All scores of a run's best checkpoint: a verdict's, joined heads where it has them, and
    `named_at_half`, those of emotions named from a probability of 0.5."""
    path = folder / "best.safetensors"
    network = load_benet(path)
    tuning = tuning_of(read_meta(path, BENet.architecture)["extra"]["tuning"])
    asking = Asking(recipe.data.size, decode=recipe.decode)
    graph = on_device(network)
    found = read_split(graph, images, asking)
    answers = ask_heads(graph, images, asking) if network.config.person else None
    people = gather_people(found.truths, found.read)
    half = Thresholds(EMOTIC26, np.full(26, 0.5), np.ones(26, bool))
    named = named_scores(people.emotions, people.positives, people.known, half)
    return verdict_of(network, found, tuning, answers).as_dict() | {HALF: named.as_dict()}


def measured(plan: BenetPlan, out: Path) -> list[RowResult]:
    """The rows of Table 1, then the other forms."""
    kinds = [*((row, None) for row in plan.rows), *((FULL, form) for form in plan.forms)]
    results = []
    for row, form in kinds:
        runs = [Run(row, seed, form) for seed in plan.seeds]
        found = [json.loads((run.folder(out) / RESULT).read_text()) for run in runs]
        results.append(RowResult(runs[0].name, tuple(found)))
    return results
