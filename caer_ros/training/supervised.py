"""A supervised run from its recipe to its checkpoints, log, pictures and card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, InputError
from caer_ros.datasets.examples import Source
from caer_ros.datasets.loader import Batch
from caer_ros.evaluation.predictions import predict
from caer_ros.evaluation.scores import Scores, score
from caer_ros.networks.checkpoint import load_network, save_checkpoint
from caer_ros.networks.interface import EmotionNetwork
from caer_ros.networks.people_graph import PeopleGraph
from caer_ros.networks.registry import build_network
from caer_ros.training.feed import TrainingFeed
from caer_ros.training.fit import Fit, Work
from caer_ros.training.judges import JudgedGraph
from caer_ros.training.recipe_data import open_split
from caer_ros.training.run_card import run_card
from caer_ros.training.run_folder import METRICS, as_written, finished_run
from caer_ros.training.run_report import draw_curves
from caer_ros.training.run_state import has_state, remove_state
from caer_ros.training.start import start_from
from caer_ros.training.supervised_recipe import Optimizer, SupervisedRecipe


def train_supervised(
    recipe: SupervisedRecipe,
    out: Path,
    resume: bool = False,
    sources: tuple[Source, Source] | None = None,
    show: bool = True,
) -> dict[str, Any]:
    """Train by a recipe.

    Writes into `out`: best and last .safetensors with their .json, log.csv, tensorboard/,
    curves.png, metrics.json and README.md.

    Args:
        recipe: every choice.
        out: folder; refused where it holds a run, unless `resume`.
        resume: go on after a kill; of a finished run, only say how it ended.
        sources: training and validation samples, instead of the recipe's own.
        show: progress bars on stderr, where that is a terminal.

    Returns:
        what metrics.json holds; in processes other than the first, an empty dictionary.

    Raises:
        InputError: the recipe asks for what is not there, or `out` holds another run.
    """
    finished = finished_run(out, resume, recipe)
    if finished is not None:
        return finished
    fabric = launch(recipe)
    torch.manual_seed(recipe.seed)
    network = build_network(**recipe.network)
    _check_arithmetic(fabric, recipe, network)
    # A run that goes on has left its start behind, and may do without that file.
    if recipe.initial is not None and not (resume and has_state(out)):
        start_from(network, recipe.initial, recipe.data)
    if network.dims == 2:
        network.to(memory_format=torch.channels_last)
    train, validation = sources or (
        open_split(network, recipe.data, "train"),
        open_split(network, recipe.data, "validation"),
    )
    out.mkdir(parents=True, exist_ok=True)
    run = SupervisedRun(fabric, recipe, network, train, validation, out)
    # The state stays until all is written: judging the whole validation split takes long, too.
    progress = Fit(fabric, run.work(), recipe, run.written, out, resume, show).run(forget=False)
    if not fabric.is_global_zero:
        return {}
    metrics = run.finish(progress.history, progress.best_epoch)
    remove_state(out)
    return metrics


def launch(recipe: SupervisedRecipe) -> Fabric:
    """Lightning Fabric as the recipe asks for it, its processes started.

    Raises:
        InputError: Fabric can not give that.
    """
    precision = recipe.precision
    if precision == "auto":
        fits = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
        precision = "bf16-mixed" if fits else "32-true"
    try:
        fabric = Fabric(
            accelerator=recipe.accelerator,
            devices=recipe.devices,
            num_nodes=recipe.nodes,
            strategy=recipe.strategy,
            precision=precision,
        )
        fabric.launch()
    except (ValueError, RuntimeError, TypeError) as error:
        raise InputError(
            f"This machine can not give the devices that the recipe asks for ({error}).",
            "Change accelerator, devices, nodes or strategy.",
        ) from error
    return fabric


def make_optimizer(network: nn.Module, choice: Optimizer, rate: float) -> torch.optim.Optimizer:
    """The optimiser that a recipe names, over what is to be trained.

    Each group's "scale" is what the loop multiplies the learning rate with.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        scale = choice.gate_rate if "_gate." in name else 1.0
        # Shrinking a bias or the scale of a normalisation regularises nothing.
        spared = choice.name == "adamw" and parameter.ndim <= 1
        groups.setdefault((scale, 0.0 if spared else choice.weight_decay), []).append(parameter)
    listed = [
        {"params": parameters, "scale": scale, "weight_decay": decay}
        for (scale, decay), parameters in groups.items()
    ]
    if choice.name == "sgd":
        return torch.optim.SGD(listed, rate, momentum=choice.momentum, nesterov=choice.nesterov)
    return torch.optim.AdamW(listed, rate)


class SupervisedRun:
    """The parts of one run; see `train_supervised`."""

    def __init__(
        self,
        fabric: Fabric,
        recipe: SupervisedRecipe,
        network: EmotionNetwork,
        train: Source,
        validation: Source,
        out: Path,
    ) -> None:
        self._fabric, self._recipe, self._network = fabric, recipe, network
        self._train, self._validation, self._out = train, validation, out
        self.written: dict[str, Any] = as_written(recipe)

    def work(self) -> Work:
        """What the loop fits."""
        recipe, network = self._recipe, self._network
        feed = TrainingFeed(
            self._train,
            recipe.batch,
            recipe.seed,
            recipe.augment,
            network.reads_face and network.reads_context,
            recipe.data.workers,
            self._fabric.global_rank,
            self._fabric.world_size,
        )
        graph = JudgedGraph(network) if recipe.judges else PeopleGraph(network)
        optimizer = make_optimizer(graph, recipe.optimizer, recipe.schedule.learning_rate)
        return Work(graph, optimizer, feed, self._loss, self._validate, self._keep)

    def finish(self, history: tuple[dict[str, Any], ...], best_epoch: int) -> dict[str, Any]:
        """Write the pictures and the card; returns metrics.json."""
        best = load_network(self._out / "best.safetensors", self._network.architecture)
        # The first process alone is here, and has to predict for all.
        found = self._predict_some(PeopleGraph(best), np.arange(len(self._validation)))
        scores = _scores(found, self._validation)
        metrics = {
            "best_epoch": best_epoch + 1,
            "epochs": len(history),
            "seconds_an_epoch": round(float(np.mean([_seconds(row, self) for row in history])), 2),
            "validation": scores.as_dict(),
        }
        draw_curves(history, self._out / "curves.png")
        card = run_card(self._network, self.written, metrics, len(self._train))
        write_atomically(self._out / "README.md", card.encode())
        write_atomically(self._out / METRICS, (json.dumps(metrics, indent=2) + "\n").encode())
        return metrics

    def _loss(self, model: nn.Module, batch: Batch) -> Tensor:
        seen = (batch.face, batch.context, batch.scene, batch.present)
        judged = self._recipe.judges
        output, more = model(*seen, label=batch.label) if judged else (model(*seen), 0.0)
        return more + functional.cross_entropy(
            output.logits.float(), batch.label, label_smoothing=self._recipe.label_smoothing
        )

    def _predict(self, graph: PeopleGraph) -> np.ndarray:
        """float64 [N, K] of the validation samples, each process taking its share."""
        fabric, count = self._fabric, len(self._validation)
        if fabric.world_size == 1:
            return self._predict_some(graph, np.arange(count))
        mine = np.arange(fabric.global_rank, count, fabric.world_size)
        # Every process must hand in as many rows; a row handed in twice does no harm.
        mine = np.resize(mine, -(-count // fabric.world_size)) if len(mine) else np.zeros(1, int)
        found = self._predict_some(graph, mine)
        rows, values = fabric.all_gather((torch.from_numpy(mine), torch.from_numpy(found)))
        whole = np.zeros((count, found.shape[1]))
        whole[rows.flatten().cpu().numpy()] = values.flatten(0, 1).cpu().numpy()
        return whole

    def _predict_some(self, graph: PeopleGraph, rows: np.ndarray) -> np.ndarray:
        fabric, workers = self._fabric, self._recipe.data.workers
        graph = graph.to(fabric.device).eval()
        found = predict(graph, self._validation, rows, workers, autocast=fabric.autocast)
        return found.probabilities

    def _validate(self, model: nn.Module) -> dict[str, float]:
        assert isinstance(model, PeopleGraph)
        scores = _scores(self._predict(model), self._validation)
        names = ("loss", "accuracy", "balanced_accuracy", "calibration_error")
        return {name: getattr(scores, name) for name in names}

    def _keep(self, model: nn.Module, name: str, row: dict[str, Any]) -> None:
        assert isinstance(model, PeopleGraph)
        extra = {"labels": list(CAER7), "recipe": self.written, "metrics": row}
        save_checkpoint(model.network, self._out / f"{name}.safetensors", extra)


def _scores(probabilities: np.ndarray, source: Source) -> Scores:
    return score(probabilities, source.labels, CAER7)


def _seconds(row: dict[str, Any], run: SupervisedRun) -> float:
    return len(run._train) / row["samples_per_second"]


def _check_arithmetic(fabric: Fabric, recipe: SupervisedRecipe, network: EmotionNetwork) -> None:
    """Refuse what trains on noise: with PyTorch 2.13, the gradients of 3D kernels over two time
    steps, CAER-Net's last ones, come out of a CPU's bfloat16 up to 30 times too large, another
    number each time, or not finite. Those of 2D kernels are right."""
    if network.dims == 3 and recipe.precision == "bf16-mixed" and fabric.device.type == "cpu":
        raise InputError(
            f"{network.architecture} can not be trained in bf16-mixed on a CPU: there, PyTorch's "
            "gradients of 3D kernels are wrong.",
            "Set precision to auto or 32-true.",
        )
