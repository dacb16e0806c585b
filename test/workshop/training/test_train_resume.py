"""A run that is killed in the middle of an epoch goes on and ends as if nothing had happened."""

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
from caer_ros.training import fit, run_state, supervised
from caer_ros.training.supervised import train_supervised
from caer_ros.training.supervised_recipe import load_supervised

# Trains, and waits for its death at the step that is named, after that step's state was saved.
_CHILD = """
import sys, time
from pathlib import Path
import torch
from caer_ros.training import fit
from caer_ros.training.supervised import train_supervised
from caer_ros.training.supervised_recipe import load_supervised

torch.set_num_threads(1)
recipe, out, epoch, step = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
ordinary = fit.Fit._step

def until(self, batch):
    if (self.progress.epoch, self.progress.step) == (epoch, step):
        (out / "here").write_text("")
        time.sleep(600)
    return ordinary(self, batch)

fit.Fit._step = until
train_supervised(load_supervised(recipe), out)
"""


# With another number of threads, in this process or in that, sums are taken in another order.
pytestmark = pytest.mark.usefixtures("one_thread")


def killed(recipe: Path, out: Path, epoch: int, step: int) -> None:
    """Start a run in a process of its own and SIGKILL it before step `step` of `epoch`."""
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(recipe), str(out), str(epoch), str(step)],
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 120
    while not (out / "here").exists():
        assert child.poll() is None, child.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stderr.close()
    (out / "here").unlink()


def same_weights(first: Path, second: Path) -> None:
    for name in ("best", "last"):
        a = load_file(first / f"{name}.safetensors")
        b = load_file(second / f"{name}.safetensors")
        assert a.keys() == b.keys()
        for key, value in a.items():
            np.testing.assert_array_equal(value, b[key], err_msg=f"{name} {key}")


@pytest.mark.parametrize(
    ("epoch", "step", "changes"),
    [
        (1, 1, {}),
        (0, 1, {"optimizer": {"name": "sgd", "nesterov": True}, "average": 0.0}),
        (0, 1, {"judges": True}),
    ],
)
def test_a_killed_run_ends_the_same(
    epoch: int, step: int, changes: dict, write_tiny: Callable, tmp_path: Path
) -> None:
    recipe = write_tiny(tmp_path / "tiny.yaml", save_every=0, **changes)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train_supervised(load_supervised(recipe), whole)
    killed(recipe, cut, epoch, step)
    assert (cut / run_state.NAME).is_file()
    assert not (cut / "metrics.json").exists()
    train_supervised(load_supervised(recipe), cut, resume=True)
    same_weights(whole, cut)
    first, second = (json.loads((out / "metrics.json").read_text()) for out in (whole, cut))
    assert first["validation"] == second["validation"]
    rows = [(out / "log.csv").read_text().splitlines() for out in (whole, cut)]
    # The last column is speed, which no run repeats.
    assert [r.rsplit(",", 1)[0] for r in rows[0]] == [r.rsplit(",", 1)[0] for r in rows[1]]
    assert not (cut / run_state.NAME).exists()


def test_a_finished_run_is_not_trained_again(
    tiny: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = train_supervised(tiny(epochs=1), tmp_path / "run")
    monkeypatch.setattr(fit.Fit, "run", lambda self: pytest.fail("trained again"))
    assert train_supervised(tiny(epochs=1), tmp_path / "run", resume=True) == metrics
    with pytest.raises(InputError, match="--resume"):
        train_supervised(tiny(epochs=1), tmp_path / "run")
    # Nor is it taken for the run of another recipe.
    with pytest.raises(InputError, match=r"seed was \d and is now 7"):
        train_supervised(tiny(epochs=1, seed=7), tmp_path / "run", resume=True)
    (tmp_path / "run" / "best.json").unlink()
    with pytest.raises(InputError, match="damaged"):
        train_supervised(tiny(epochs=1), tmp_path / "run", resume=True)


def test_killed_after_the_last_epoch(
    tiny: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the whole validation split is judged: nothing is trained again."""

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(supervised.SupervisedRun, "finish", dies)
        with pytest.raises(KeyboardInterrupt):
            train_supervised(tiny(epochs=1), tmp_path / "run")
    monkeypatch.setattr(fit.Fit, "_train_epoch", lambda self: pytest.fail("trained again"))
    assert train_supervised(tiny(epochs=1), tmp_path / "run", resume=True)["epochs"] == 1
    assert not (tmp_path / "run" / run_state.NAME).exists()


def test_resuming_with_another_recipe_is_refused(write_tiny: Callable, tmp_path: Path) -> None:
    recipe = write_tiny(tmp_path / "tiny.yaml", save_every=0)
    killed(recipe, tmp_path / "run", 0, 1)
    with pytest.raises(InputError, match="batch was 14 and is now 7"):
        train_supervised(load_supervised(recipe, ["batch=7"]), tmp_path / "run", resume=True)
    state = tmp_path / "run" / run_state.NAME
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(InputError, match="damaged"):
        train_supervised(load_supervised(recipe), tmp_path / "run", resume=True)
