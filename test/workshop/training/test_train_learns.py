"""Training learns, repeats, stops when it should, and says what is wrong."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from caer_ros.core import CaerError, InputError
from caer_ros.networks.checkpoint import load_network
from caer_ros.networks.people_graph import PeopleGraph
from caer_ros.networks.registry import build_network
from caer_ros.training import supervised
from caer_ros.training.schedule import Schedule
from caer_ros.training.supervised import make_optimizer, train_supervised
from caer_ros.training.supervised_recipe import Optimizer


@pytest.fixture(scope="module")
def run(tiny: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    out = tmp_path_factory.mktemp("runs") / "tiny"
    train_supervised(tiny(epochs=6, label_smoothing=0.1, average=0.0), out)
    return out


def test_the_loss_falls(run: Path) -> None:
    rows = list(csv.DictReader((run / "log.csv").open()))
    losses = [float(row["train_loss"]) for row in rows]
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert losses[-1] < losses[0] - 0.1


def test_what_a_run_writes(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    wanted = {"best.safetensors", "best.json", "last.safetensors", "last.json", "log.csv"}
    assert wanted | {"curves.png", "metrics.json", "README.md"} <= names
    assert not any("state" in name or name.endswith((".pt", ".pkl", ".tmp")) for name in names)
    assert cv2.imread(str(run / "curves.png")) is not None
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["validation"]["samples"] == 14
    card = (run / "README.md").read_text()
    assert f"{metrics['validation']['accuracy']:.4f}" in card
    assert "2,389,004 parameters" in card
    extra = json.loads((run / "best.json").read_text())["extra"]
    assert extra["recipe"]["epochs"] == 6
    assert extra["metrics"]["epoch"] == metrics["best_epoch"]


def test_best_is_the_best_epochs(run: Path) -> None:
    rows = list(csv.DictReader((run / "log.csv").open()))
    scores = [float(row["balanced_accuracy"]) for row in rows]
    metrics = json.loads((run / "metrics.json").read_text())
    # The first of equals.
    assert metrics["best_epoch"] == 1 + scores.index(max(scores))
    assert metrics["validation"]["balanced_accuracy"] == pytest.approx(max(scores))


def test_a_seed_repeats_a_run_and_another_does_not(tiny: Callable, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train_supervised(tiny(epochs=1, seed=seed), tmp_path / name)
        weights.append(load_file(tmp_path / name / "last.safetensors"))
    key = "face_encoder.0.weight"
    assert all(np.array_equal(weights[0][k], weights[1][k]) for k in weights[0])
    assert not np.array_equal(weights[0][key], weights[2][key])


def test_early_stop(tiny: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.5, 0.6, 0.6, 0.4, 0.9])

    def validate(self: object, model: object) -> dict[str, float]:
        value = next(scores)
        names = ("loss", "accuracy", "balanced_accuracy", "calibration_error")
        return dict.fromkeys(names, value)

    monkeypatch.setattr(supervised.SupervisedRun, "_validate", validate)
    metrics = train_supervised(tiny(epochs=9, patience=2), tmp_path / "run")
    assert metrics["epochs"] == 4
    assert metrics["best_epoch"] == 2


@pytest.mark.parametrize("network", ["caer_net_s", "caer_net"])
def test_without_a_face_the_context_decides(network: str) -> None:
    graph = PeopleGraph(build_network(network)).eval()
    time = () if network == "caer_net_s" else (8,)
    face = torch.randint(0, 256, (2, *time, 32, 32, 3), dtype=torch.uint8)
    context = torch.randint(0, 256, (2, *time, 48, 48, 3), dtype=torch.uint8)
    present = torch.tensor([True, False])
    with torch.no_grad():
        one = graph(face, context, torch.arange(2), present)
        other = graph(255 - face, context, torch.arange(2), present)
    assert one.fusion[1].tolist() == [0.0, 1.0]
    assert 0 < one.fusion[0, 0] < 1
    torch.testing.assert_close(one.logits[1], other.logits[1])


def test_gates_have_their_own_rate() -> None:
    network = build_network("caer_net_s")
    groups = make_optimizer(network, Optimizer("adamw", gate_rate=0.1), 1.0).param_groups
    slow = {id(p) for group in groups if group["scale"] == 0.1 for p in group["params"]}
    gates = [p for n, p in network.named_parameters() if "gate" in n]
    assert slow == {id(p) for p in gates}
    assert len(gates) == 8
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


def test_a_loss_that_explodes_ends_the_run(tiny: Callable, tmp_path: Path) -> None:
    recipe = tiny(schedule=Schedule(learning_rate=1e30), average=0.0, optimizer=Optimizer("sgd"))
    with pytest.raises(CaerError, match="learning_rate"):
        train_supervised(recipe, tmp_path / "run")


def test_impossible_devices(tiny: Callable, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InputError, match="devices"):
        train_supervised(tiny(accelerator="cuda"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_published_weights_are_for_baselines(tiny: Callable, tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(b"weights of some other layers")
    with pytest.raises(InputError, match=r"x\.json beside it does not exist"):
        train_supervised(tiny(initial=tmp_path / "x.pth"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("row", "switches"),
    [("F", {"streams": "face"}), ("C", {"streams": "context"}), ("F+C", {"fusion": "concat"})],
)
def test_rows_of_table_3_train(row: str, switches: dict, tiny: Callable, tmp_path: Path) -> None:
    network = {"name": "caer_net_s", **switches}
    train_supervised(tiny(epochs=1, network=network), tmp_path / "run")
    config = load_network(tmp_path / "run" / "best.safetensors").config
    assert all(getattr(config, key) == value for key, value in switches.items())


@pytest.mark.slow
def test_two_processes(write_tiny: Callable, tmp_path: Path) -> None:
    recipe = write_tiny(tmp_path / "tiny.yaml", epochs=1)
    command = [sys.executable, "-m", "caer_ros.cli.main", "train", str(recipe)]
    settings = ["--set", "devices=2", "accelerator=cpu"]
    run = subprocess.run(
        [*command, "--out", str(tmp_path / "run"), *settings],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    # One process speaks.
    assert json.loads(run.stdout)["validation"]["samples"] == 14
