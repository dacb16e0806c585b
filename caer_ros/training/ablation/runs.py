"""Trains the runs of an ablation, some at a time, and picks up those that a kill left over."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from caer_ros.datasets.cuts import Cut
from caer_ros.datasets.scenes.ceilings import Range
from caer_ros.training.ablation.jobs import run_all
from caer_ros.training.ablation.plan import FULL, AblationPlan
from caer_ros.training.ablation.scene_set import SceneSet, scene_set


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        row: of Table 3.
        seed: of weights, order and dropout.
        hide_faces: in the context.
        ambiguity: of the scenes, instead of the plan's.
        form: another form of the full network, by name.
    """

    row: str
    seed: int
    hide_faces: bool = True
    ambiguity: Range | None = None
    form: str | None = None

    def folder(self, out: Path) -> Path:
        """Where its checkpoints lie."""
        shown = "" if self.hide_faces else "-faces-visible"
        level = "" if self.ambiguity is None else f"-ambiguity{_named(self.ambiguity)}"
        form = "" if self.form is None else "-" + re.sub(r"\W+", "_", self.form)
        return out / "runs" / f"{self.row}{form}{shown}{level}-seed{self.seed}"


def planned_runs(plan: AblationPlan) -> list[Run]:
    """All runs, the slow ones first, so that no core idles long at the end."""
    runs = [Run(row, seed) for row in plan.rows for seed in plan.seeds]
    runs += [Run(FULL, seed, form=form) for form in plan.forms for seed in plan.seeds]
    if plan.without_hiding:
        runs += [Run(FULL, seed, hide_faces=False) for seed in plan.seeds]
    runs += [Run(FULL, seed, ambiguity=plan.weighed) for seed in plan.seeds]
    return sorted(runs, key=lambda run: -len(run.row))


def split_scenes(
    plan: AblationPlan, out: Path, split: str, ambiguity: Range | None = None
) -> SceneSet:
    """The scenes of `train`, `validation` or `test`, drawn on the first call."""
    scenes, controls, name = plan.scenes, plan.scenes.controls, split
    if ambiguity is not None:
        controls = replace(controls, ambiguity=ambiguity)
        name = f"{split}-{_named(ambiguity)}"
    count = getattr(scenes, split)
    return scene_set(out / "scenes" / name, scenes.seed, split, controls, count, cut_of(plan))


def cut_of(plan: AblationPlan) -> Cut:
    """Sizes of faces and contexts."""
    data = plan.recipe.data
    return Cut(face=data.face_size or 96, context=data.context_size or 224)


def train_all(plan: AblationPlan, out: Path) -> None:
    """Draw the scenes and train what is not trained yet."""
    runs = planned_runs(plan)
    for ambiguity in sorted({run.ambiguity for run in runs}, key=str):
        for split in ("train", "validation"):
            split_scenes(plan, out, split, ambiguity)
    run_all(runs, partial(_train, plan, out), plan.jobs)


def _named(ambiguity: Range) -> str:
    return f"{ambiguity[0]:g}-{ambiguity[1]:g}"


def _train(plan: AblationPlan, out: Path, run: Run) -> None:
    from caer_ros.training.supervised import train_supervised

    train, validation = (
        split_scenes(plan, out, split, run.ambiguity) for split in ("train", "validation")
    )
    train_supervised(
        plan.run_recipe(run.row, run.seed, run.hide_faces, run.form),
        run.folder(out),
        resume=True,
        sources=(train.source(run.hide_faces), validation.source(run.hide_faces)),
        show=False,
    )
