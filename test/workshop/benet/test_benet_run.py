"""Training BENet from end to end, by the command line where that matters, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from caer_ros.cli.main import main
from caer_ros.core import EMOTIC26, InputError
from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.datasets.scenes import SceneControls
from caer_ros.datasets.scenes.folders import SceneSet, write_scenes
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.config import BenetConfig
from caer_ros.networks.benet.published import load_backbone
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.checkpoint import load_benet, save_checkpoint
from caer_ros.training.benet.recipe import BenetOptimizer
from caer_ros.training.benet.run import train_benet
from caer_ros.training.benet.start import make_optimizer, start_sizes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic scenes laid out like EMOTIC."""
    root = tmp_path_factory.mktemp("data") / "emotic"
    counts = {"train": 8, "validation": 5, "test": 5}
    controls = SceneControls(companions=3, width=160, height=200)
    write_scenes(root, SceneSet("emotic", counts, controls=controls))
    return root


@pytest.fixture(scope="module")
def run(folder: Path, write_tiny_benet: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All heads, trained on the folder through the command line."""
    work = tmp_path_factory.mktemp("work")
    recipe = write_tiny_benet(
        work / "tiny.yaml",
        data={"scenes": None, "folder": str(folder), "workers": 1},
        network={"vad": True, "fusion": "learned"},
        size_start="mean",
        batch=4,
        epochs=1,
    )
    arguments = ["train", str(recipe), "--out", str(work / "run"), "--seed", "5"]
    assert main([*arguments, "--set", "row=BU+Det+PC+BG"]) == 0
    return work / "run"


def test_what_a_run_leaves(run: Path) -> None:
    for name in ("best", "last"):
        card = json.loads((run / f"{name}.json").read_text())
        assert card["architecture"] == "benet"
        assert card["extra"]["labels"] == list(EMOTIC26)
        assert (card["extra"]["recipe"]["seed"], card["extra"]["recipe"]["row"]) == (
            5,
            "BU+Det+PC+BG",
        )
        assert ("tuning" in card["extra"]) == (name == "best")
    head, row = (run / "log.csv").read_text().splitlines()
    for name in ("loss", "detection_loss", "category_loss", "map", "person_ap", "joint"):
        assert np.isfinite(float(row.split(",")[head.split(",").index(name)]))
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["epochs"], metrics["best_epoch"]) == (1, 1)
    assert set(metrics["validation"]["refined"]) == {
        "mean of BU and PC",
        "mean of BU, PC and BG",
        "learned fusion",
    }
    text = (run / "README.md").read_text()
    assert "Emotions, found boxes (Table 3)" in text
    assert "learned fusion was fitted on these very pictures" in text
    assert (run / "curves.png").stat().st_size > 1000
    # The fusion was fitted after the last epoch; all else is the same epoch's.
    best, last = (load_file(run / f"{name}.safetensors") for name in ("best", "last"))
    changed = {k for k in best if not torch.equal(best[k], last[k])}
    assert changed == {k for k in best if k.startswith("fusion.")}


def test_evaluate_prints_and_writes(
    run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    target = ["evaluate", str(run / "best.safetensors"), "--data", str(folder)]
    assert main([*target, "--json", "--heads", "--out", str(tmp_path), "--pictures", "2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "evaluation.json").read_text())
    assert told["images"] == 5
    assert set(told["joint"]) == {"literal", "strict", "legacy_iou"}
    assert {"emotions", "person", "person_legacy", "vad", "named", "calibration"} <= set(told)
    assert "learned fusion" in told["refined"]
    for name in ("categories", "joint", "reliability", "maps-0", "maps-4"):
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
    assert "Cladière" not in (tmp_path / "evaluation.md").read_text()
    # The final model brings no thresholds: they come from the data's validation pictures.
    target[1] = str(run / "last.safetensors")
    assert main([*target, "--protocol", "published"]) == 0
    text = capsys.readouterr().out
    assert "| mAP, Cladière et al., ACIVS 2023 |" in text
    assert "Emotions named by thresholds" in text
    # Nor are those pictures judged by what was chosen on them.
    for name in ("last", "best"):
        target[1] = str(run / f"{name}.safetensors")
        assert main([*target, "--split", "validation", "--flip"]) == 0
        assert "Emotions named by thresholds" not in capsys.readouterr().out


def test_evaluate_takes_a_recipes_scenes(
    run: Path, write_tiny_benet: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    recipe = write_tiny_benet(tmp_path / "tiny.yaml")
    target = ["evaluate", str(run / "best.safetensors"), "--data", str(recipe), "--json"]
    assert main(target) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 6


def test_without_detection(
    tiny_benet: Callable, tiny_scenes: Callable, folder: Path, tmp_path: Path
) -> None:
    images = (tiny_scenes("train"), tiny_scenes("validation"))
    metrics = train_benet(tiny_benet(row="BU", epochs=1), tmp_path / "run", images=images)
    assert "person" not in metrics["validation"]
    assert "refined" not in metrics["validation"]
    target = ["evaluate", str(tmp_path / "run" / "best.safetensors"), "--data", str(folder)]
    assert main([*target, "--out", str(tmp_path / "judged"), "--pictures", "1"]) == 0
    assert not (tmp_path / "judged" / "joint.png").exists()
    assert (tmp_path / "judged" / "maps-0.png").is_file()
    assert main([*target, "--heads"]) == 2


def test_bench_data(
    folder: Path, write_tiny_benet: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    data = {"scenes": None, "folder": str(folder)}
    recipe = write_tiny_benet(tmp_path / "tiny.yaml", data=data)
    measured = ["bench", "data", str(recipe), "--workers", "0", "--seconds", "0.2", "--json"]
    assert main(measured) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["samples"] >= 6
    assert row["samples_per_second"] > 0
    assert row["batch"] == 6


@pytest.mark.slow
def test_two_processes(write_tiny_benet: Callable, tmp_path: Path) -> None:
    """Neither heads without an image in some process's share nor a held backbone are waited for."""
    held = {"hold_backbone": 1}
    recipe = write_tiny_benet(tmp_path / "tiny.yaml", epochs=1, batch=4, optimizer=held)
    command = [sys.executable, "-m", "caer_ros.cli.main", "train", str(recipe)]
    settings = ["--set", "devices=2", "accelerator=cpu"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "run"), *settings],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # One process speaks.
    assert json.loads(done.stdout)["validation"]["images"] == 6


@pytest.mark.parametrize(("apart", "least", "most"), [(False, 0, 0.05), (True, 0.2, 1)])
def test_sizes_start_at_the_mean(
    apart: bool, least: float, most: float, tiny_benet: Callable, tiny_scenes: Callable
) -> None:
    images = tiny_scenes("train")
    network = BENet(tiny_benet().config).eval()
    start_sizes(network, images, 64, apart)
    # 160 x 200 pixels in 64 x 64: 0.32 as large.
    boxes = [p.box for r in images.records for p in r.people]
    height = np.mean([b.y2 - b.y1 for b in boxes]) * 64 / 200
    width = np.mean([b.x2 - b.x1 for b in boxes]) * 51 / 160
    for answer, stride in (
        (network.maps.size.quarter_answer, 4),
        (network.maps.size.half_answer, 2),
    ):
        np.testing.assert_allclose(
            answer[-1].bias.detach(), [height / stride, width / stride], rtol=1e-4
        )
        assert least < answer[-1].weight.std() < most
    start_sizes(BENet(replace(tiny_benet().config, detection=False)), images, 64)


def test_detection_has_its_own_rate(tiny_benet: Callable) -> None:
    network = BENet(tiny_benet().config)
    choice = BenetOptimizer("adamw", weight_decay=0.1, detection_rate=20)
    groups = make_optimizer(network, choice, 1.0).param_groups
    fast = {id(p) for g in groups if g["scale"] == 20 for p in g["params"]}
    heads = (network.maps.heat, network.maps.size)
    last = [a[-1] for h in heads for a in (h.quarter_answer, h.half_answer)]
    assert fast == {id(p) for layer in last for p in layer.parameters()}
    decayed = {id(p) for g in groups if g["weight_decay"] for p in g["params"]}
    assert decayed == {id(p) for p in network.parameters() if p.ndim > 1}
    everything = [id(p) for g in groups for p in g["params"]]
    assert sorted(everything) == sorted(id(p) for p in network.parameters())
    (group,) = make_optimizer(network, BenetOptimizer(), 1.0).param_groups
    assert group["scale"] == 1
    assert group["betas"] == (0.9, 0.999)
    (group, *_) = make_optimizer(network, BenetOptimizer("adamw", memory=0.95), 1.0).param_groups
    assert group["betas"] == (0.9, 0.95)
    for wrong in (0.0, 1.0):
        with pytest.raises(InputError, match="memory is"):
            BenetOptimizer(memory=wrong)


@pytest.mark.parametrize("held", [4, 3])
def test_the_backbone_is_held(
    held: int, tiny_benet: Callable, tiny_scenes: Callable, tmp_path: Path
) -> None:
    """Of two epochs of two steps: all, or all but the last."""
    images = (tiny_scenes("train"), tiny_scenes("validation"))
    first = BENet(tiny_benet().config)
    save_file(first.backbone.state_dict(), tmp_path / "backbone.safetensors")
    recipe = replace(
        tiny_benet(average=0.0, optimizer={"hold_backbone": held}),
        initial=tmp_path / "backbone.safetensors",
    )
    train_benet(recipe, tmp_path / "run", images=images, show=False)
    last = load_benet(tmp_path / "run" / "last.safetensors")
    moved = [
        not torch.equal(a, b)
        for a, b in zip(first.backbone.parameters(), last.backbone.parameters(), strict=True)
    ]
    assert any(moved) == (held == 3)
    assert not any(torch.equal(p, q) for p, q in _heat_weights(first, last))


def _heat_weights(*networks: BENet) -> list[tuple[torch.Tensor, ...]]:
    heads = [[p for p in n.maps.heat.parameters() if p.ndim > 1] for n in networks]
    return list(zip(*heads, strict=True))


def test_published_backbones_fit_by_name(tmp_path: Path) -> None:
    torch.manual_seed(0)
    published = BENet(BenetConfig(backbone="hrnet_w32", width=4)).backbone.state_dict()
    path = tmp_path / "hrnet.safetensors"
    save_file({f"module.{name}": value for name, value in published.items()}, path)
    network = BENet(BenetConfig(width=4))
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    count = load_backbone(network, path)
    after = network.backbone.state_dict()
    taken = [name for name in after if torch.equal(after[name], published.get(name, before[name]))]
    assert 100 < count <= len(taken)
    assert torch.equal(after["conv1.weight"], published["conv1.weight"])
    assert not torch.equal(after["conv1.weight"], before["conv1.weight"])
    # A second module in stage 2 is BENet's alone.
    name = "stage2.1.branches.0.0.conv1.weight"
    assert name not in published
    assert torch.equal(after[name], before[name])
    with pytest.raises(InputError, match="of the same width"):
        load_backbone(BENet(BenetConfig(width=8)), path)


def test_a_benet_of_ours_starts_the_backbone_of_another(tmp_path: Path) -> None:
    first = BENet(BenetConfig(width=4, detection=False, background=False))
    save_checkpoint(first, tmp_path / "last.safetensors")
    second = BENet(BenetConfig(width=4, person=False, background=False))
    load_backbone(second, tmp_path / "last.safetensors")
    wanted = first.backbone.state_dict()
    for name, value in second.backbone.state_dict().items():
        assert torch.equal(value, wanted[name]), name
    heads = zip(first.maps.parameters(), second.maps.parameters(), strict=False)
    assert not all(torch.equal(a, b) for a, b in heads)


def _other_network(path: Path) -> Path:
    save_checkpoint(CaerNetS(), path / "other.safetensors")
    return path / "other.safetensors"


def _refused(arguments: list[str], capsys: pytest.CaptureFixture, *words: str) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    for word in words:
        assert word in told


def test_wrong_input_to_train(
    folder: Path, write_tiny_benet: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    recipe = str(write_tiny_benet(tmp_path / "tiny.yaml"))
    out = ["--out", str(tmp_path / "run")]
    elsewhere = ["--set", "data.scenes=null", f"data.folder={tmp_path / 'nowhere'}"]
    _refused(["train", recipe, *out, *elsewhere], capsys, "nowhere", "is no folder")
    heco = ["--set", f"data.heco={tmp_path}", "data.scenes=null", f"data.folder={folder}"]
    _refused(["train", recipe, *out, *heco], capsys, "HECO_Labels.csv")
    _refused(["train", recipe, *out, "--set", "epoch=1"], capsys, "Did you mean 'epochs'")
    weights = ["--set", f"initial={tmp_path / 'x.pth'}"]
    _refused(["train", recipe, *out, *weights], capsys, "x.pth do not exist")
    assert not (tmp_path / "run").exists()


def test_wrong_input_to_evaluate(
    run: Path,
    folder: Path,
    write_tiny_benet: Callable,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    best = str(run / "best.safetensors")
    caer = Path(__file__).parents[3] / "recipes" / "caer_net_s.yaml"
    _refused(["evaluate", best, "--data", str(caer)], capsys, "no recipe of BENet")
    _refused(["evaluate", best, "--data", str(tmp_path)], capsys, "has no annotations")
    other = str(_other_network(tmp_path))
    recipe = str(write_tiny_benet(tmp_path / "tiny.yaml"))
    _refused(["evaluate", other, "--data", recipe], capsys, "is a recipe of BENet")
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"x")
    damaged.with_suffix(".json").write_text((run / "best.json").read_text())
    _refused(["evaluate", str(damaged), "--data", str(folder)], capsys, "damaged.safetensors")
    lost = ["evaluate", best, "--data", str(folder), "--split", "train", "--pictures", "-1"]
    _refused(lost, capsys, "--pictures is -1")


def test_unreadable_pictures(
    run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    copy = tmp_path / "emotic"
    for path in folder.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (copy / "emotic" / "scenes" / "images" / "test_000003.png").write_bytes(b"no picture")
    judged = ["evaluate", str(run / "best.safetensors"), "--data", str(copy)]
    _refused(judged, capsys, "test_000003.png")
    assert main([*judged, "--skip-bad", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["images"] == 4
    assert "skipped" in told.err


def test_a_seed_repeats_a_run(tiny_benet: Callable, tiny_scenes: Callable, tmp_path: Path) -> None:
    images: tuple[MemoryImages, MemoryImages] = (tiny_scenes("train"), tiny_scenes("validation"))
    weights = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train_benet(tiny_benet(epochs=1, seed=seed), tmp_path / name, images=images)
        weights.append(load_benet(tmp_path / name / "last.safetensors").state_dict())
    assert all(torch.equal(weights[0][k], weights[1][k]) for k in weights[0])
    assert not torch.equal(weights[0]["backbone.conv1.weight"], weights[2]["backbone.conv1.weight"])
