"""A run of BENet from its recipe to its checkpoints, log, pictures and card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from caer_ros.bundles import write_atomically
from caer_ros.core import EMOTIC26
from caer_ros.datasets.emotic.images import Images
from caer_ros.datasets.emotic.source import EmoticSource
from caer_ros.evaluation.benet.ask import Asking
from caer_ros.evaluation.benet.heads import ask_heads
from caer_ros.evaluation.benet.judge_benet import on_device, read_split, verdict_of
from caer_ros.evaluation.benet.report import tune
from caer_ros.evaluation.benet.tuning_record import tuning_record
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.pictures_graph import PicturesGraph
from caer_ros.networks.benet.published import load_backbone
from caer_ros.networks.checkpoint import load_benet, read_meta, save_checkpoint
from caer_ros.training.benet.batches import BenetBatch, BenetFeed
from caer_ros.training.benet.card import benet_card
from caer_ros.training.benet.data import open_images, validation_source
from caer_ros.training.benet.feed import EmoticFeed
from caer_ros.training.benet.fuse import fit_fusion
from caer_ros.training.benet.losses import benet_loss
from caer_ros.training.benet.recipe import BenetRecipe
from caer_ros.training.benet.start import make_optimizer, start_emotions, start_sizes
from caer_ros.training.benet.validate import Validator
from caer_ros.training.fit import Fit
from caer_ros.training.run_folder import METRICS, as_json, as_written, finished_run
from caer_ros.training.run_report import draw_curves
from caer_ros.training.run_state import remove_state
from caer_ros.training.supervised import launch
from caer_ros.training.work import Work

_CURVES = {
    "map": "mAP, true boxes",
    "person_ap": "AP of people",
    "joint": "mAP, found boxes, strict",
}


def train_benet(
    recipe: BenetRecipe,
    out: Path,
    resume: bool = False,
    images: tuple[Images, Images] | None = None,
    show: bool = True,
) -> dict[str, Any]:
    """Train by a recipe.

    Writes into `out`: best and last .safetensors with their .json (that of `best` holds thresholds
    and calibration, chosen on the validation pictures), log.csv, tensorboard/, curves.png,
    metrics.json and README.md.

    Args:
        recipe: every choice.
        out: folder; refused where it holds a run, unless `resume`.
        resume: go on after a kill; of a finished run, only say how it ended.
        images: training and validation pictures, instead of the recipe's own.
        show: progress bars on stderr, where that is a terminal.

    Returns:
        what metrics.json holds; in processes other than the first, an empty dictionary.

    Raises:
        InputError: the recipe asks for what is not there, or `out` holds another run.
    """
    finished = finished_run(out, resume, recipe)
    if finished is not None:
        return finished
    fabric = launch(_with_strategy(recipe))
    torch.manual_seed(recipe.seed)
    network = BENet(recipe.config)
    if recipe.initial is not None:
        load_backbone(network, recipe.initial)
    network.to(memory_format=torch.channels_last)
    train, validation = images or (
        open_images(recipe.data, "train"),
        open_images(recipe.data, "validation"),
    )
    if recipe.size_start != "zero":
        start_sizes(network, train, recipe.data.size, apart=recipe.size_start == "spread")
    if recipe.emotion_start == "shares":
        start_emotions(network, train)
    out.mkdir(parents=True, exist_ok=True)
    run = BenetRun(fabric, recipe, network, train, validation, out)
    # The state stays until all is written: what comes after the last epoch takes long, too.
    progress = Fit(fabric, run.work(), recipe, run.written, out, resume, show).run(forget=False)
    if not fabric.is_global_zero:
        return {}
    metrics = run.finish(progress.history, progress.best_epoch)
    remove_state(out)
    return metrics


class BenetRun:
    """The parts of one run; see `train_benet`."""

    def __init__(
        self,
        fabric: Fabric,
        recipe: BenetRecipe,
        network: BENet,
        train: Images,
        validation: Images,
        out: Path,
    ) -> None:
        self._fabric, self._recipe, self._network, self._out = fabric, recipe, network, out
        self._source, self._validation = EmoticSource(train, recipe.samples), validation
        workers = recipe.data.workers
        source = validation_source(validation, recipe.samples)
        self._validator = Validator(source, recipe.decode, recipe.loss, workers, fabric.autocast)
        self._asking = Asking(recipe.data.size, decode=recipe.decode, workers=workers)
        self.written: dict[str, Any] = as_written(recipe)

    def work(self) -> Work[BenetBatch]:
        """What the loop fits."""
        recipe, fabric = self._recipe, self._fabric
        feed = EmoticFeed(
            self._source,
            recipe.batch,
            recipe.seed,
            recipe.data.workers,
            fabric.global_rank,
            fabric.world_size,
        )
        graph = PicturesGraph(self._network)
        rate = recipe.schedule.learning_rate
        optimizer = make_optimizer(self._network, recipe.optimizer, rate)
        return Work(
            graph,
            optimizer,
            BenetFeed(feed),
            self._loss,
            self._validate,
            self._keep,
            self._hold_backbone,
        )

    def finish(self, history: tuple[dict[str, Any], ...], best_epoch: int) -> dict[str, Any]:
        """Fit the fusion, choose thresholds, write pictures and card; returns metrics.json."""
        path, pictures = self._out / "best.safetensors", self._validation
        best = load_benet(path)
        graph = on_device(best)
        found = read_split(graph, pictures, self._asking)
        answers = ask_heads(graph, pictures, self._asking) if best.config.person else None
        # One that was cut off after its checkpoint was written has fitted its fusion already.
        fitted = "tuning" in read_meta(path, BENet.architecture)["extra"]
        if best.config.fusion == "learned" and not fitted:
            assert answers is not None
            fit_fusion(best, found, answers, self._recipe.fusion_training)
        tuning = tuning_record(tune(found.truths, found.read))
        verdict = verdict_of(best, found, answers=answers)
        self._save(best, path, history[best_epoch], {"tuning": tuning})
        metrics = as_json(
            {
                "best_epoch": best_epoch + 1,
                "epochs": len(history),
                "seconds_an_epoch": round(
                    float(np.mean([self._seconds(row) for row in history])), 2
                ),
                "validation": verdict.as_dict(),
            }
        )
        shown = {name: title for name, title in _CURVES.items() if name in history[0]}
        draw_curves(history, self._out / "curves.png", shown, "loss")
        card = benet_card(best, self.written, metrics, len(self._source), verdict)
        write_atomically(self._out / "README.md", card.encode())
        write_atomically(self._out / METRICS, (json.dumps(metrics, indent=2) + "\n").encode())
        return metrics

    def _hold_backbone(self, step: int) -> None:
        learns = step >= self._recipe.optimizer.hold_backbone
        self._network.backbone.requires_grad_(learns)

    def _loss(self, model: nn.Module, batch: BenetBatch) -> Tensor:
        return benet_loss(model(batch.images, batch.task), batch.targets, self._recipe.loss).total

    def _validate(self, model: nn.Module) -> dict[str, float]:
        assert isinstance(model, PicturesGraph)
        fabric = self._fabric
        # The first process scores for all: the others wait, and learn what it found.
        found = self._validator.scores(model) if fabric.is_global_zero else {}
        return fabric.broadcast(found) if fabric.world_size > 1 else found

    def _keep(self, model: nn.Module, name: str, row: dict[str, Any]) -> None:
        assert isinstance(model, PicturesGraph)
        self._save(model.network, self._out / f"{name}.safetensors", row, {})

    def _save(self, network: BENet, path: Path, row: dict[str, Any], more: dict[str, Any]) -> None:
        extra = {"labels": list(EMOTIC26), "recipe": self.written, "metrics": row}
        save_checkpoint(network, path, extra | more)

    def _seconds(self, row: dict[str, Any]) -> float:
        return len(self._source) / row["samples_per_second"]


def _with_strategy(recipe: BenetRecipe) -> BenetRecipe:
    """Between processes, heads that no image of a batch was for have to be expected."""
    if recipe.strategy == "auto" and (recipe.devices != 1 or recipe.nodes > 1):
        return replace(recipe, strategy="ddp_find_unused_parameters_true")
    return recipe
