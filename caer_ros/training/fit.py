"""The training loop of every network with labels: epochs, checkpoints, going on after a kill.

A run is a pure function of its recipe: order and augmentation are drawn for (seed, epoch, sample),
dropout for (seed, step, process), the learning rate is a function of the step. So what a killed run
has to keep is the tensors and a few counters, and a resumed one ends with the same weights.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from caer_ros.core import CaerError
from caer_ros.training.run_report import RunReport
from caer_ros.training.run_state import (
    Progress,
    load_state,
    optimizer_tensors,
    remove_state,
    restore_module,
    restore_optimizer,
    save_state,
)
from caer_ros.training.work import FitRecipe, Movable, Work


class Fit:
    """One run of some work by a recipe; its state lies in `out`.

    Args:
        fabric: launched.
        work: what is fitted; the model is moved to the fabric's device.
        recipe: epochs, schedule and the like.
        written: the recipe as JSON types, kept with the state.
        out: an existing folder.
        resume: go on from the state in `out`, where there is one.
        show: a progress bar on stderr, where that is a terminal.

    Raises:
        InputError: the state is damaged or of another recipe.
    """

    def __init__(
        self,
        fabric: Fabric,
        work: Work[Any],
        recipe: FitRecipe,
        written: dict[str, Any],
        out: Path,
        resume: bool,
        show: bool = True,
    ) -> None:
        self._fabric, self._work, self._recipe, self._out = fabric, work, recipe, out
        self._written, self._show = written, show
        self._raw_optimizer = work.optimizer
        self._model, self._optimizer = fabric.setup(work.model, work.optimizer)
        self._average = (
            AveragedModel(work.model, avg_fn=self._averaged, use_buffers=True)
            if recipe.average
            else None
        )
        self._progress = Progress()
        found = load_state(out, written) if resume else None
        if found is not None:
            self._restore(*found)

    @property
    def progress(self) -> Progress:
        """Where the run is."""
        return self._progress

    def run(self, forget: bool = True) -> Progress:
        """Train to the end, or until the score has not risen for `patience` epochs.

        Args:
            forget: remove the state at the end; else `remove_state` has to be called, when what
                comes after is done too.

        Raises:
            CaerError: the loss is no longer finite.
        """
        recipe = self._recipe
        with RunReport(self._out, self._progress.epoch) if self._first else _Quiet() as report:
            while self._progress.epoch < recipe.epochs and not self._patience_is_over():
                self._train_epoch()
                self._finish_epoch(report)
        if self._first and forget:
            remove_state(self._out)
        return self._progress

    @property
    def _first(self) -> bool:
        return self._fabric.is_global_zero

    def _patience_is_over(self) -> bool:
        progress, patience = self._progress, self._recipe.patience
        return bool(patience) and progress.epoch - 1 - progress.best_epoch >= patience

    def _train_epoch(self) -> None:
        progress, feed = self._progress, self._work.feed
        self._model.train()
        started = saved = time.monotonic()
        loss_sum = torch.tensor(progress.loss_sum, device=self._fabric.device)
        bar = tqdm(
            feed.batches(progress.epoch, progress.step),
            desc=f"epoch {progress.epoch + 1}/{self._recipe.epochs}",
            total=feed.steps,
            initial=progress.step,
            unit="batch",
            file=sys.stderr,
            disable=None if self._first and self._show else True,
        )
        for batch in bar:
            loss_sum += self._step(batch.to(self._fabric.device))
            self._progress = replace(self._progress, step=self._progress.step + 1)
            now = time.monotonic()
            if now - saved >= self._recipe.save_every and self._progress.step < feed.steps:
                self._note(loss_sum, now - started)
                bar.set_postfix(loss=f"{self._progress.loss_sum / self._progress.step:.3f}")
                self._save()
                started = saved = now
        self._note(loss_sum, time.monotonic() - started)

    def _step(self, batch: Movable) -> Tensor:
        progress, recipe, work = self._progress, self._recipe, self._work
        step = progress.epoch * work.feed.steps + progress.step
        rate = recipe.schedule.rate(step, work.feed.steps, recipe.epochs)
        for group in self._raw_optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        # Dropout's dice, thrown anew each step: nothing of them has to be saved.
        torch.manual_seed(_mixed(recipe.seed, step, self._fabric.global_rank))
        work.prepare(step)
        loss = work.loss(self._model, batch)
        self._optimizer.zero_grad()
        self._fabric.backward(loss)
        if recipe.clip_gradient:
            self._fabric.clip_gradients(
                self._model,
                self._optimizer,
                max_norm=recipe.clip_gradient,
                error_if_nonfinite=False,
            )
        self._optimizer.step()
        if self._average is not None:
            self._average.update_parameters(work.model)
        return loss.detach().float()

    def _note(self, loss_sum: Tensor, seconds: float) -> None:
        value = float(loss_sum)
        if not math.isfinite(value):
            raise CaerError(
                f"The loss is {value} in epoch {self._progress.epoch + 1}.",
                "Lower schedule.learning_rate, or set clip_gradient.",
            )
        self._progress = replace(
            self._progress, loss_sum=value, seconds=self._progress.seconds + seconds
        )

    def _finish_epoch(self, report: RunReport | _Quiet) -> None:
        progress, recipe, feed = self._progress, self._recipe, self._work.feed
        model = self._work.model if self._average is None else self._average.module
        model.eval()
        scores = dict(self._work.validate(model))
        row = {
            "epoch": progress.epoch + 1,
            "learning_rate": recipe.schedule.rate(
                (progress.epoch + 1) * feed.steps - 1, feed.steps, recipe.epochs
            ),
            "train_loss": progress.loss_sum / feed.steps,
            **scores,
            "samples_per_second": feed.steps
            * min(feed.batch, len(feed.source))
            / max(progress.seconds, 1e-9),
        }
        score = scores[recipe.select] * (-1 if recipe.select == "loss" else 1)
        better = score > progress.best
        self._progress = Progress(
            epoch=progress.epoch + 1,
            best=score if better else progress.best,
            best_epoch=progress.epoch if better else progress.best_epoch,
            history=(*progress.history, row),
        )
        if not self._first:
            return
        # Checkpoints come before the state: after a kill in between the epoch's end is repeated.
        if better:
            self._work.keep(model, "best", row)
        self._work.keep(model, "last", row)
        report.add(self._progress.history)
        self._save()

    def _save(self) -> None:
        if not self._first:
            return
        parts = {
            "model": self._work.model.state_dict(),
            "optimizer": optimizer_tensors(self._raw_optimizer),
        }
        if self._average is not None:
            parts["average"] = self._average.state_dict()
        save_state(self._out, self._written, self._progress, parts)

    def _restore(self, progress: Progress, parts: dict[str, dict[str, Tensor]]) -> None:
        self._progress = progress
        restore_module(self._work.model, parts["model"])
        restore_optimizer(self._raw_optimizer, parts.get("optimizer", {}))
        if self._average is not None:
            restore_module(self._average, parts["average"])

    def _averaged(self, averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        """Moving average that forgets the first steps quickly."""
        keep = min(self._recipe.average, (1 + float(count)) / (10 + float(count)))
        return averaged * keep + current * (1 - keep)


class _Quiet:
    """The report of a process that is not the first."""

    def add(self, history: object) -> None:
        pass

    def __enter__(self) -> _Quiet:
        return self

    def __exit__(self, *reason: object) -> None:
        pass


def _mixed(seed: int, step: int, rank: int) -> int:
    """One generator seed from three numbers, far apart for neighbours (splitmix64's steps)."""
    value = 0
    for part in (seed, step, rank):
        value = (value + part + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 27
    return value & 0x7FFFFFFFFFFFFFFF
