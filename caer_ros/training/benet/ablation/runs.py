"""Trains and judges the runs of an ablation, some at a time; picks up what a kill left over."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from caer_ros.bundles import write_atomically
from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.datasets.scenes import SceneStream
from caer_ros.training.ablation.jobs import run_all
from caer_ros.training.benet.ablation.backbone import BACKBONE, train_backbone
from caer_ros.training.benet.ablation.plan import FULL, BenetPlan
from caer_ros.training.benet.ablation.scene_files import scene_files

RESULT = "test.json"


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        row: of Table 1.
        seed: of weights, order and augmentation.
        form: another form of the full network, by name.
    """

    row: str
    seed: int
    form: str | None = None

    @property
    def name(self) -> str:
        """Of its row, or of its form."""
        return self.row if self.form is None else self.form

    def folder(self, out: Path) -> Path:
        """Where its checkpoints lie."""
        form = "" if self.form is None else "-" + re.sub(r"\W+", "_", self.form)
        return out / "runs" / f"{self.row}{form}-seed{self.seed}"


def planned_runs(plan: BenetPlan) -> list[Run]:
    """All runs, those with most heads first."""
    runs = [Run(FULL, seed, form) for form in plan.forms for seed in plan.seeds]
    runs += [Run(row, seed) for row in plan.rows for seed in plan.seeds]
    return sorted(runs, key=lambda run: -len(run.row))


def split_scenes(plan: BenetPlan, out: Path, split: str) -> MemoryImages:
    """The scenes of `train`, `validation` or `test`, drawn on the first call."""
    scenes = plan.scenes
    stream = SceneStream(scenes.seed, split, scenes.controls)
    return scene_files(out / "scenes" / split, stream, getattr(scenes, split))


def train_all(plan: BenetPlan, out: Path) -> None:
    """Draw the scenes, and train and judge what is not done yet."""
    runs = planned_runs(plan)
    if plan.backbone is not None:
        train_backbone(plan.backbone, out)
    for split in ("train", "validation", "test"):
        split_scenes(plan, out, split)
    run_all(runs, partial(_train, plan, out), plan.jobs)


def _train(plan: BenetPlan, out: Path, run: Run) -> None:
    from caer_ros.training.benet.ablation.measure import judge_run
    from caer_ros.training.benet.run import train_benet

    folder = run.folder(out)
    if (folder / RESULT).is_file():
        return
    recipe = plan.run_recipe(run.row, run.seed, run.form)
    if plan.backbone is not None:
        recipe = replace(recipe, initial=out / BACKBONE)
    pictures = (split_scenes(plan, out, "train"), split_scenes(plan, out, "validation"))
    train_benet(recipe, folder, resume=True, images=pictures, show=False)
    found = judge_run(folder, recipe, split_scenes(plan, out, "test"))
    write_atomically(folder / RESULT, json.dumps(found, indent=1).encode())
