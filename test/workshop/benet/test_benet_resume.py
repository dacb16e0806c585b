"""A run of BENet that is killed in the middle of an epoch ends as if it had not been killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from caer_ros.core import InputError
from caer_ros.training import fit, run_state
from caer_ros.training.benet import run as benet_run
from caer_ros.training.benet.recipe import load_benet_recipe
from caer_ros.training.benet.run import train_benet

# Trains, and waits for its death at the step that is named, after that step's state was saved.
_CHILD = """
import sys, time
from pathlib import Path
import torch
from caer_ros.training import fit
from caer_ros.training.benet.recipe import load_benet_recipe
from caer_ros.training.benet.run import train_benet

torch.set_num_threads(1)
recipe, out, epoch, step = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
ordinary = fit.Fit._step

def until(self, batch):
    if (self.progress.epoch, self.progress.step) == (epoch, step):
        (out / "here").write_text("")
        time.sleep(600)
    return ordinary(self, batch)

fit.Fit._step = until
train_benet(load_benet_recipe(recipe), out)
"""

pytestmark = pytest.mark.usefixtures("one_thread")


def killed(recipe: Path, out: Path, epoch: int, step: int) -> None:
    """Start a run in a process of its own and SIGKILL it before step `step` of `epoch`."""
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(recipe), str(out), str(epoch), str(step)],
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 180
    while not (out / "here").exists():
        assert child.poll() is None, child.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stderr.close()
    (out / "here").unlink()


def test_a_killed_run_ends_the_same(write_tiny_benet: Callable, tmp_path: Path) -> None:
    # With all heads, the average, valence and fusion: everything that has a state. The backbone is
    # held until the step at which the run dies.
    recipe = write_tiny_benet(
        tmp_path / "tiny.yaml",
        save_every=0,
        network={"vad": True, "fusion": "learned"},
        optimizer={"hold_backbone": 3},
    )
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train_benet(load_benet_recipe(recipe), whole)
    killed(recipe, cut, 1, 1)
    assert (cut / run_state.NAME).is_file()
    assert not (cut / "metrics.json").exists()
    train_benet(load_benet_recipe(recipe), cut, resume=True)
    for name in ("best", "last"):
        one, other = (load_file(out / f"{name}.safetensors") for out in (whole, cut))
        assert one.keys() == other.keys()
        for key, value in one.items():
            np.testing.assert_array_equal(value, other[key], err_msg=f"{name} {key}")
    metrics = [json.loads((out / "metrics.json").read_text()) for out in (whole, cut)]
    assert metrics[0]["validation"] == metrics[1]["validation"]
    assert json.loads((whole / "best.json").read_text()) == _without_speed(whole, cut)
    assert not (cut / run_state.NAME).exists()


def _without_speed(whole: Path, cut: Path) -> dict:
    """The card of `cut` with the speed of `whole`, which no run repeats."""
    first, second = (json.loads((out / "best.json").read_text()) for out in (whole, cut))
    speed = first["extra"]["metrics"]["samples_per_second"]
    second["extra"]["metrics"]["samples_per_second"] = speed
    return second


def test_killed_after_the_last_epoch(
    tiny_benet: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last epoch and the card: nothing is trained again."""
    ordinary = benet_run.BenetRun.finish

    def dies(self: object, *history: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(benet_run.BenetRun, "finish", dies)
    with pytest.raises(KeyboardInterrupt):
        train_benet(tiny_benet(epochs=1), tmp_path / "run")
    monkeypatch.setattr(benet_run.BenetRun, "finish", ordinary)
    monkeypatch.setattr(fit.Fit, "_train_epoch", lambda self: pytest.fail("trained again"))
    metrics = train_benet(tiny_benet(epochs=1), tmp_path / "run", resume=True)
    assert metrics["epochs"] == 1
    assert not (tmp_path / "run" / run_state.NAME).exists()
    assert train_benet(tiny_benet(epochs=1), tmp_path / "run", resume=True) == metrics
    with pytest.raises(InputError, match="--resume"):
        train_benet(tiny_benet(epochs=1), tmp_path / "run")


def test_killed_before_the_metrics(
    tiny_benet: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint has its fitted fusion by then, which must not be fitted once more."""
    recipe = tiny_benet(epochs=1, network={"fusion": "learned"})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    metrics = train_benet(recipe, whole)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(benet_run, "draw_curves", dies)
        with pytest.raises(KeyboardInterrupt):
            train_benet(recipe, cut)
    assert train_benet(recipe, cut, resume=True)["validation"] == metrics["validation"]
    one, other = (load_file(out / "best.safetensors") for out in (whole, cut))
    for key, value in one.items():
        np.testing.assert_array_equal(value, other[key], err_msg=key)
