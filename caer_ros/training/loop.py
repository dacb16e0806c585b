"""Training CAER-Net-S: first each stream alone, then the whole network (see the recipe)."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, CaerError, InputError
from caer_ros.datasets.real_faces import named
from caer_ros.networks.blocks import FEATURES
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.checkpoint import load_checkpoint, read_meta, save_checkpoint
from caer_ros.networks.inputs import CaerNetSGraph
from caer_ros.training.batches import Sampler
from caer_ros.training.class_bias import add_bias, class_bias
from caer_ros.training.distillation_curves import STAGES, draw_log, seconds_in
from caer_ros.training.losses import combined, hint, teacher_share
from caer_ros.training.pools import Pool, load_photographs, load_renders
from caer_ros.training.recipe import Recipe, Stage
from caer_ros.training.run_folder import METRICS, as_written, finished_run
from caer_ros.training.scores import Predict, ask_renders, network_predict, score
from caer_ros.training.teacher import Teacher, ask_teacher, load_teacher, steady_features

# Its result is the run's own.
LAST = "joint"
# Renders of the first people of train/, for choosing a checkpoint.
_VALIDATION_RENDERS = 140
_FINE_TUNING = 0.3


class FaceStream(nn.Module):
    """A graph's face encoder and fusion classifier, with an empty context."""

    def __init__(self, graph: CaerNetSGraph) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Faces uint8 [N, 96, 96, 3] -> logits [N, K] and features [N, 256].

        In training the face weighs anything from half to all, as it may once the fusion decides.
        """
        network = self.graph.network
        features = network.encode_face(self.graph.normalize(faces))
        weight = features.new_ones(len(features), 1)
        if self.training:
            weight = weight.uniform_(0.5, 1.0)
        fused = torch.cat([features * weight, torch.zeros_like(features)], dim=1)
        return network.fusion.classifier(fused), features

    def predict(self, crops: Tensor, scenes: Tensor, scene: Tensor) -> tuple[Tensor, Tensor]:
        """As `scores.Predict`: the scene is not looked at."""
        return self(crops)[0], torch.ones(len(crops))


class SceneStream(nn.Module):
    """A graph's context stream, and a linear judge that is thrown away."""

    def __init__(self, graph: CaerNetSGraph) -> None:
        super().__init__()
        self.graph = graph
        self.judge = nn.Linear(FEATURES, len(CAER7))

    def forward(self, scenes: Tensor) -> Tensor:
        """Scenes uint8 [M, 224, 224, 3] -> logits [M, K]."""
        return self.judge(self.graph.network.encode_context(self.graph.normalize(scenes))[0])

    def predict(self, crops: Tensor, scenes: Tensor, scene: Tensor) -> tuple[Tensor, Tensor]:
        """As `scores.Predict`: the faces are not looked at."""
        return self(scenes)[scene], torch.zeros(len(crops))


def train_distilled(recipe: Recipe, out: Path, resume: bool = False) -> dict[str, Any]:
    """Train by a recipe; see Trainer.

    Args:
        recipe: every choice.
        out: folder; refused where it holds a run, unless `resume`.
        resume: go on after the last finished stage; of a finished run, only say how it ended.

    Returns:
        what metrics.json holds.

    Raises:
        InputError: as Trainer, or `out` holds a run.
    """
    finished = finished_run(out, resume, recipe)
    return Trainer(recipe, out, resume).run() if finished is None else finished


class Trainer:
    """One run of a recipe; `out` gets log.csv, curves.png, metrics.json, best and last weights,
    and those after each stage before the last.

    Args:
        resume: take over the stages that a run cut off has finished in `out`.

    Raises:
        InputError: a file or folder is missing or wrong, or `out` holds stages of another recipe.
    """

    def __init__(self, recipe: Recipe, out: Path, resume: bool = False) -> None:
        self.recipe, self.out = recipe, out
        self.finished = self._finished() if resume else ()
        # Cutting and augmenting costs more than the network, and is done on the CPU.
        self.fabric = Fabric(accelerator="cpu", devices=1, precision=recipe.precision)  # type: ignore[arg-type]
        self.fabric.seed_everything(recipe.seed, verbose=False)
        self.teacher: Teacher = load_teacher(recipe.data.teacher)
        self.validation = self._pool("validation")
        # Who is missing there is better known now than after an hour.
        self.held_out = self._pool("held_out")
        self.sampler = Sampler(
            load_photographs(recipe.data, self._ask, self._trained_on),
            load_renders(recipe.data, "train", slice(_VALIDATION_RENDERS, None)),
            recipe.face_dropout,
        )
        self.network = CaerNetS(recipe.network).to(memory_format=torch.channels_last)
        self.best = math.inf
        out.mkdir(parents=True, exist_ok=True)
        self.log = out / "log.csv"
        self._begin_log()

    def run(self) -> dict[str, Any]:
        """Train, then `finish`; returns metrics.json."""
        graph = CaerNetSGraph(self.network)
        self._stage("face", graph, self._train_face)
        if self.recipe.scene is not None:
            self._stage("scene", graph, partial(self._train_scene, stage=self.recipe.scene))
        self._stage("joint", graph, self._train_joint)
        save_checkpoint(self.network.eval(), self.out / "last.safetensors", self._extra({}))
        metrics = self.finish() | {"minutes": round(seconds_in(self.log) / 60, 1)}
        draw_log(self.log, self.out / "curves.png")
        write_atomically(self.out / METRICS, (json.dumps(metrics, indent=2) + "\n").encode())
        return metrics

    def _stage(
        self, name: str, graph: CaerNetSGraph, train: Callable[[CaerNetSGraph], None]
    ) -> None:
        """Train one stage and keep its weights, or take over those that were kept before.

        Each has dice of its own, so that a run ends the same whether it was cut off or not.
        """
        kept = self._kept(name)
        if name in self.finished:
            graph.network.load_state_dict(load_checkpoint(kept).state_dict())
            return
        number = list(STAGES).index(name)
        self.fabric.seed_everything(self.recipe.seed + number, verbose=False)
        self.sampler.take_dice(np.random.default_rng([self.recipe.seed, number]))
        train(graph)
        if name != LAST:
            save_checkpoint(graph.network, kept, self._extra({}))

    def _kept(self, stage: str) -> Path:
        return self.out / f"{stage}.safetensors"

    def _finished(self) -> tuple[str, ...]:
        """The stages that lie in `out`, up to the first that does not."""
        found: list[str] = []
        for stage in STAGES:
            if stage == "scene" and self.recipe.scene is None:
                continue
            if stage == LAST or not self._kept(stage).is_file():
                break
            if read_meta(self._kept(stage), None)["extra"]["recipe"] != self._extra({})["recipe"]:
                raise InputError(
                    f"{self._kept(stage)} was made by another recipe.", "Name a new --out."
                )
            found.append(stage)
        return tuple(found)

    def _begin_log(self) -> None:
        """Only lines of finished stages stay."""
        lines = self.log.read_text().splitlines() if self.log.is_file() else []
        kept = [line for line in lines if line.split(",")[0] in self.finished]
        head = "stage,step,loss,agreement,divergence,renders,seconds"
        self.log.write_text("\n".join([head, *kept]) + "\n")

    def finish(self) -> dict[str, Any]:
        """Correct the class bias of the best checkpoint, and score it on people never seen."""
        best = load_checkpoint(self.out / "best.safetensors")
        predict, renders = network_predict(best), self.validation[1]
        logits, _ = ask_renders(predict, renders)
        found = class_bias(logits, torch.from_numpy(renders.faces.labels))
        bias = self.recipe.bias_correction * found
        add_bias(best, bias)
        metrics = {
            "class_bias": {name: round(float(b), 4) for name, b in zip(CAER7, bias, strict=True)},
            "validation": score(predict, *self.validation, self.teacher),
            "held_out": score(predict, *self.held_out, self.teacher),
        }
        save_checkpoint(best, self.out / "best.safetensors", self._extra(metrics))
        return metrics

    def _pool(self, name: str) -> tuple[Pool, Pool]:
        """Photographs and renders of a split that is never trained on."""
        data = self.recipe.data
        sources = data.validation if name == "validation" else data.held_out
        renders = (
            load_renders(data, "train", slice(0, _VALIDATION_RENDERS))
            if name == "validation"
            else load_renders(data, "test")
        )
        return load_photographs(data, self._ask, lambda source: named(source, sources)), renders

    def _trained_on(self, source: str) -> bool:
        data = self.recipe.data
        return not named(source, (*data.validation, *data.held_out))

    def _ask(self, crops: np.ndarray) -> np.ndarray:
        return ask_teacher(self.teacher, crops).softmax(dim=1).numpy()

    def _wanted(self, crops: np.ndarray) -> Tensor:
        """The teacher's features float32 [N, 256], in the precision that training runs in."""
        with self.fabric.autocast():
            return steady_features(self.teacher, crops)

    def _train_face(self, graph: CaerNetSGraph) -> None:
        stream = FaceStream(graph)
        stage = self.recipe.face

        def loss(model: nn.Module) -> Tensor:
            crops, labels = self.sampler.faces(stage.people)
            logits, features = model(torch.from_numpy(crops))
            wanted = self._wanted(crops)
            share = teacher_share(torch.from_numpy(labels), self.recipe.recipe_weight)
            loss = self._loss(logits, self.teacher.classify(wanted), labels)
            return loss + self.recipe.hint_weight * hint(features, wanted, share)

        # Only these take part; the rest has no gradient here.
        network = graph.network
        parts = (network.face_encoder, network.fusion.classifier)
        groups = [{"params": [p for part in parts for p in part.parameters()]}]
        self._optimise("face", stream, groups, stage, loss)

    def _train_scene(self, graph: CaerNetSGraph, stage: Stage) -> None:
        stream = SceneStream(graph)

        def loss(model: nn.Module) -> Tensor:
            contexts, labels = self.sampler.scenes(stage.scenes)
            logits = model(torch.from_numpy(contexts))
            # The cue's label is all that counts; of a scene without one every emotion is as likely.
            nothing = torch.zeros(len(labels), len(CAER7))
            return combined(logits, nothing, torch.from_numpy(labels), 1.0, 1.0)

        named = stream.named_parameters()
        reads = ("judge", "graph.network.context_encoder", "graph.network.attention")
        groups = [{"params": [p for name, p in named if name.startswith(reads)]}]
        self._optimise("scene", stream, groups, stage, loss)

    def _loss(self, logits: Tensor, teacher: Tensor, labels: np.ndarray) -> Tensor:
        recipe = self.recipe
        known = torch.from_numpy(labels)
        return combined(logits, teacher, known, recipe.temperature, recipe.recipe_weight)

    def _train_joint(self, graph: CaerNetSGraph) -> None:
        stage = self.recipe.joint

        def loss(model: nn.Module) -> Tensor:
            batch = self.sampler.joint(stage.people, stage.scenes)
            present = torch.from_numpy(batch.present)
            logits, _, _ = model(
                torch.from_numpy(batch.faces),
                torch.from_numpy(batch.contexts),
                torch.from_numpy(batch.scene),
                present,
            )
            wanted = self.teacher.classify(self._wanted(batch.clean))
            # The teacher saw a face that the network does not: even logits, no opinion.
            wanted = wanted.masked_fill(~present[:, None], 0.0)
            return self._loss(logits, wanted, batch.labels)

        # What has learnt already must not be shaken by the new layers.
        learnt: tuple[str, ...] = ("face_encoder", "fusion.classifier")
        if self.recipe.scene is not None:
            learnt = (*learnt, "context_encoder", "attention")
        named = list(graph.network.named_parameters())
        trained = [p for name, p in named if name.startswith(learnt)]
        fresh = [p for name, p in named if not name.startswith(learnt)]
        groups = [
            {"params": trained, "lr": stage.learning_rate * _FINE_TUNING},
            {"params": fresh, "lr": stage.learning_rate},
        ]
        self._optimise("joint", graph, groups, stage, loss)

    def _optimise(
        self,
        name: str,
        model: nn.Module,
        groups: list[dict[str, Any]],
        stage: Stage,
        loss: Callable[[nn.Module], Tensor],
    ) -> None:
        """Run one stage; afterwards `model` holds the moving average of its weights."""
        recipe = self.recipe
        optimizer = torch.optim.AdamW(
            groups, lr=stage.learning_rate, weight_decay=recipe.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            [group.get("lr", stage.learning_rate) for group in groups],
            total_steps=stage.steps,
            pct_start=0.1,
        )
        average = AveragedModel(model, avg_fn=self._average, use_buffers=True)
        wrapped, optimizer = self.fabric.setup(model, optimizer)
        started = time.monotonic()
        smooth = math.nan
        progress = tqdm(range(1, stage.steps + 1), desc=name, unit="step")
        for step in progress:
            wrapped.train()
            value = loss(wrapped)
            optimizer.zero_grad()
            self.fabric.backward(value)
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
            now = value.item()
            if not math.isfinite(now):
                raise CaerError(
                    f"The loss is {now} in step {step} of the stage '{name}'.",
                    f"Lower {name}.learning_rate.",
                )
            smooth = now if math.isnan(smooth) else 0.95 * smooth + 0.05 * now
            progress.set_postfix(loss=f"{smooth:.3f}")
            if step % recipe.validate_every == 0 or step == stage.steps:
                self._validate(name, step, smooth, average.module, time.monotonic() - started)
        model.load_state_dict(average.module.state_dict())

    def _average(self, averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        """Moving average that forgets the first steps quickly."""
        keep = min(self.recipe.average, (1 + float(count)) / (10 + float(count)))
        return averaged * keep + current * (1 - keep)

    def _validate(
        self, name: str, step: int, loss: float, averaged: nn.Module, seconds: float
    ) -> None:
        """Log; in the joint stage also keep the checkpoint whose validation divergence is least."""
        averaged.eval()
        joint = isinstance(averaged, CaerNetSGraph)
        predict: Predict = network_predict(averaged.network) if joint else averaged.predict
        scores = score(predict, *self.validation, self.teacher)
        photographs, renders = scores["photographs"], scores["renders"]
        if joint and photographs["divergence"] < self.best:
            self.best = photographs["divergence"]
            save_checkpoint(
                averaged.network, self.out / "best.safetensors", self._extra({"validation": scores})
            )
        row = [photographs["agreement"], photographs["divergence"], renders["accuracy"]]
        with self.log.open("a", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerow(
                [name, step, f"{loss:.4f}", *row, round(seconds)]
            )

    def _extra(self, metrics: Any) -> dict[str, Any]:
        return {"labels": list(CAER7), "recipe": as_written(self.recipe), "metrics": metrics}
