"""An ablation of BENet from start to benet-ablation.md."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from caer_ros.bundles import write_atomically
from caer_ros.datasets.emotic.images import Images
from caer_ros.evaluation.benet.ask import Asking
from caer_ros.evaluation.benet.judge_benet import on_device
from caer_ros.evaluation.benet.map_pictures import draw_pictures
from caer_ros.networks.checkpoint import load_benet
from caer_ros.training.ablation.jobs import cores
from caer_ros.training.ablation.ledger import check_plan, seconds_in_all
from caer_ros.training.benet.ablation.measure import RowResult, measured
from caer_ros.training.benet.ablation.plan import FULL, BenetPlan
from caer_ros.training.benet.ablation.runs import Run, planned_runs, split_scenes, train_all
from caer_ros.training.benet.ablation.tables import (
    joined_table,
    naming_table,
    table_1,
    table_2,
    table_3,
    vad_table,
)

NAME = "benet-ablation"


def run_benet_ablation(plan: BenetPlan, out: Path, command: str) -> list[RowResult]:
    """Train, measure and write benet-ablation.md, benet-ablation.json and pictures into `out`.

    Called again after a kill it goes on; runs of another plan are refused.

    Raises:
        InputError: `out` holds an ablation by another plan.
    """
    out.mkdir(parents=True, exist_ok=True)
    check_plan(plan, out)
    started = time.monotonic()
    train_all(plan, out)
    results = measured(plan, out)
    minutes = seconds_in_all(out, time.monotonic() - started) / 60
    scenes = split_scenes(plan, out, "test")
    full = load_benet(Run(FULL, plan.seeds[0]).folder(out) / "best.safetensors")
    asking = Asking(plan.recipe.data.size, decode=plan.recipe.decode)
    pictures = draw_pictures(on_device(full), scenes, asking, plan.pictures, out)
    told = {"minutes": round(minutes, 1), "rows": [asdict(result) for result in results]}
    write_atomically(out / f"{NAME}.json", json.dumps(told, indent=1).encode())
    text = report(plan, results, command, minutes, scenes, [path.name for path in pictures])
    write_atomically(out / f"{NAME}.md", text.encode())
    return results


def report(
    plan: BenetPlan,
    results: Sequence[RowResult],
    command: str,
    minutes: float,
    scenes: Images,
    pictures: Sequence[str],
) -> str:
    """benet-ablation.md."""
    full = next(result for result in results if result.name == FULL)
    with_vad = [result for result in results if "vad" in result.runs[0]]
    parts = [
        "# Ablation of BENet on synthetic scenes",
        f"`{command}`: {len(planned_runs(plan))} runs, {minutes:.1f} minutes "
        f"({platform.machine()}, {cores()} cores, {plan.jobs} runs at a time, torch "
        f"{torch.__version__}, {plan.recipe.precision}).",
        _about(plan, scenes),
        "## Table 1: emotions, true boxes\n\nmAP in percent; chance is the mean prevalence.\n\n"
        + table_1(results),
        "## Table 2: detection of people\n\nCOCO's AP and AR in percent.\n\n" + table_2(results),
        "## Table 3: emotions, found boxes\n\nmAP in percent by the IoU from which a person "
        "counts as found. In the forms literal (the paper's) and legacy_iou (the public "
        "evaluator's, which misreads boxes) who finds nobody gets the share of chance; in the form "
        "strict 0, and detections of nobody count as false.\n\n" + table_3(results),
        "## Joined heads (Table 4)\n\nEmotions with true boxes of the full network, mAP in "
        "percent; the other heads take a pass for each person and one for the background. The "
        "learned fusion was fitted on the validation scenes.\n\n" + joined_table(full),
        "## Named and calibrated emotions\n\nIn percent. Thresholds (one a category) and "
        "calibration were chosen on the validation scenes.\n\n" + naming_table(results),
    ]
    if with_vad:
        parts.append(
            "## Valence, arousal and dominance\n\n"
            f"Of {with_vad[0].name}, in units of [-1, 1].\n\n" + vad_table(with_vad[0])
        )
    shown = "\n\n".join(f"![maps]({name})" for name in pictures)
    parts.append(
        "## Maps\n\nTest scenes with what the full network (first seed) makes of them: boxes, "
        f"detection heat, strongest emotions.\n\n{shown}"
    )
    return "\n\n".join(parts) + "\n"


def _about(plan: BenetPlan, scenes: Images) -> str:
    recipe, data = plan.recipe, plan.scenes
    people = sum(len(record.people) for record in scenes.records) / len(scenes.records)
    many = sum(len(record.people) > 1 for record in scenes.records) / len(scenes.records)
    network = {name: value for name, value in recipe.network.items() if name != "name"}
    switches = ", ".join(f"{name} {value}" for name, value in network.items()) or "as published"
    forms = f" Other forms: {', '.join(plan.forms)}." if plan.forms else ""
    return (
        f"{data.train} scenes in EMOTIC's format to train, {data.validation} to choose the epoch, "
        f"thresholds, calibration and learned fusion, {data.test} to test, with {people:.2f} "
        f"people each ({many:.0%} have several); no person, room or noise is in two of the splits. "
        f"Inputs have {recipe.data.size} x {recipe.data.size} pixels, {recipe.epochs} epochs. The "
        f"network: {switches}. All rows and seeds see the same scenes; the spread over "
        f"{len(plan.seeds)} seed(s) is that of initial weights, order and augmentation. Every row "
        f"trains on as many samples: heads take them from each other.{_start(plan)}{forms}"
    )


def _start(plan: BenetPlan) -> str:
    if plan.backbone is None:
        return ""
    recipe, data = plan.backbone, plan.backbone.data
    assert data.scenes is not None
    mix = recipe.samples.mix
    return (
        f" All runs start from one backbone, trained before on {data.scenes.train} other scenes "
        f"for {recipe.epochs} epochs ({mix.extract:.0%} of the samples cut-outs of one person, of "
        f"{data.size} x {data.size} pixels); in the spread it has no share."
    )
