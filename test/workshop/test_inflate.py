"""From a static checkpoint to a network of clips: what is carried over, and a run from there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from caer_ros.core import InputError
from caer_ros.datasets.examples import MemorySource
from caer_ros.networks.baseline import Baseline
from caer_ros.networks.blocks import FEATURES
from caer_ros.networks.caer_net import CaerNet
from caer_ros.networks.caer_net_config import CaerNetConfig
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.checkpoint import load_network, save_checkpoint
from caer_ros.networks.inflate import inflate, inflate_into
from caer_ros.networks.registry import build_network
from caer_ros.training.run_state import NAME as STATE
from caer_ros.training.start import start_from
from caer_ros.training.strict_yaml import build
from caer_ros.training.supervised import train_supervised
from caer_ros.training.supervised_recipe import DataChoice, SupervisedRecipe, load_supervised

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPES = Path(__file__).parents[2] / "recipes"
DATA = DataChoice(folder=Path("nowhere"))
FORMS = [
    {"pooling": pooling, "attention_logits": logits}
    for pooling in ("sum", "mean")
    for logits in ("raw", "relu")
] + [{"fusion_relu": False}, {"fusion": "concat", "pooling": "mean"}, {"streams": "context"}]


def static_network(**switches: object) -> CaerNetS:
    """Random weights with batch-norm statistics that are not the identity."""
    torch.manual_seed(0)
    network = CaerNetS(CaerNetConfig(**switches)).train()
    with torch.no_grad():
        network(torch.randn(6, 3, 16, 16), torch.randn(6, 3, 32, 32), torch.arange(6))
    return network.eval()


def still_clip(picture: torch.Tensor, frames: int = 16) -> torch.Tensor:
    return picture.unsqueeze(2).repeat(1, 1, frames, 1, 1)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_sixteen_equal_frames_get_the_static_answer(form: dict) -> None:
    static = static_network(**form)
    dynamic = CaerNet(CaerNetConfig(**form)).eval()
    inflate_into(dynamic, static)
    face, context, scene = torch.randn(3, 3, 16, 16), torch.randn(2, 3, 32, 32), torch.arange(3) % 2
    with torch.no_grad():
        wanted = static(face, context, scene)
        got = dynamic(still_clip(face), still_clip(context), scene)
    for name in ("logits", "fusion"):
        torch.testing.assert_close(getattr(got, name), getattr(wanted, name), atol=1e-5, rtol=1e-4)
    for step in range(2):
        torch.testing.assert_close(got.attention[:, step], wanted.attention, atol=1e-5, rtol=1e-4)


def test_every_tensor_is_carried_over() -> None:
    static = static_network()
    carried, dynamic = static.state_dict(), inflate(static).state_dict()
    assert carried.keys() == dynamic.keys()
    for name, tensor in carried.items():
        got = dynamic[name][:, :, 1] if dynamic[name].ndim == 5 else dynamic[name]
        assert torch.equal(got, tensor), name
        if dynamic[name].ndim == 5:
            assert not dynamic[name][:, :, [0, 2]].any(), name


def test_gradients_reach_every_temporal_step() -> None:
    dynamic = inflate(static_network(dropout=0.0)).train()
    # Eight frames leave one step before the last convolutions, and its neighbours are padding.
    clip = torch.randn(2, 3, 16, 32, 32)
    dynamic(clip, clip, torch.arange(2)).logits.square().sum().backward()
    kernels = {n: p for n, p in dynamic.named_parameters() if p.ndim == 5}
    assert len(kernels) == 12
    for name, kernel in kernels.items():
        assert (kernel.grad.abs().sum(dim=(0, 1, 3, 4)) > 0).all(), name


def test_fewer_cells_make_a_mean_no_longer() -> None:
    static = static_network(pooling="mean")
    dynamic = CaerNet(static.config).eval()
    inflate_into(dynamic, static, cells=4.0)
    face, context = torch.randn(5, FEATURES), torch.randn(5, FEATURES)
    with torch.no_grad():
        wanted, weights = static.fusion(face, context)
        got, same = dynamic.fusion(face, 4 * context)
    torch.testing.assert_close(got, wanted)
    torch.testing.assert_close(same, weights)


def test_a_sum_does_not_know_how_many_cells_there_are() -> None:
    static = static_network()
    dynamic = CaerNet(static.config).eval()
    inflate_into(dynamic, static, cells=4.0)
    for name, tensor in static.fusion.state_dict().items():
        assert torch.equal(dynamic.fusion.state_dict()[name], tensor), name


@pytest.mark.parametrize(
    "switches", [{"pooling": "mean"}, {"attention_logits": "relu"}, {"num_classes": 8}], ids=str
)
def test_other_switches_are_refused(switches: dict) -> None:
    (name,) = switches
    with pytest.raises(InputError, match=f"has {name} "):
        inflate_into(CaerNet(CaerNetConfig(**switches)), static_network())


def test_dropout_may_differ() -> None:
    inflate_into(CaerNet(CaerNetConfig(dropout=0.1)), static_network(dropout=0.5))


def test_what_has_no_counterpart_is_refused() -> None:
    static = static_network()
    dynamic = CaerNet(static.config)
    static.face_encoder.register_buffer("left_over", torch.zeros(1))
    with pytest.raises(InputError, match="left_over"):
        inflate_into(dynamic, static)
    other = static_network()
    other.fusion.classifier[0] = torch.nn.Linear(8, 128)
    with pytest.raises(InputError, match=r"classifier.0.weight.*\[128, 8\]"):
        inflate_into(dynamic, other)


def test_a_clip_network_starts_from_a_static_checkpoint(tmp_path: Path) -> None:
    static = static_network()
    save_checkpoint(static, tmp_path / "static.safetensors")
    network = build_network("caer_net")
    start_from(network, tmp_path / "static.safetensors", DATA)
    wanted = inflate(static).state_dict()
    assert all(torch.equal(network.state_dict()[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(("learnt_at", "cells"), [(None, 4.0), (112, 1.0)])
def test_the_size_it_learnt_at_counts(tmp_path: Path, learnt_at: int | None, cells: float) -> None:
    static = static_network(pooling="mean")
    extra = {"recipe": {"data": {"context_size": learnt_at}}}
    save_checkpoint(static, tmp_path / "static.safetensors", extra)
    network = build_network("caer_net", pooling="mean")
    start_from(network, tmp_path / "static.safetensors", DATA)
    there = static.fusion.context_gate[0].weight
    torch.testing.assert_close(network.fusion.context_gate[0].weight, there / cells)


def test_a_network_starts_from_its_like(tmp_path: Path) -> None:
    for name, made in (("caer_net_s", static_network()), ("caer_net", inflate(static_network()))):
        save_checkpoint(made, tmp_path / f"{name}.safetensors")
        network = build_network(name)
        start_from(network, tmp_path / f"{name}.safetensors", DATA)
        wanted = made.state_dict()
        assert all(torch.equal(network.state_dict()[key], wanted[key]) for key in wanted)


def test_pictures_do_not_start_from_clips(tmp_path: Path) -> None:
    save_checkpoint(inflate(static_network()), tmp_path / "clips.safetensors")
    with pytest.raises(InputError, match="caer_net_s can not start"):
        start_from(build_network("caer_net_s"), tmp_path / "clips.safetensors", DATA)
    baseline = build_network("alexnet")
    assert isinstance(baseline, Baseline)
    with pytest.raises(InputError, match="alexnet"):
        start_from(baseline, tmp_path / "clips.safetensors", DATA)


def clip_recipe(initial: Path) -> SupervisedRecipe:
    raw = {
        "network": {"name": "caer_net", "streams": "face"},
        "data": {"folder": "nowhere", "workers": 0},
        "epochs": 2,
        "batch": 4,
        "schedule": {"learning_rate": 1e-6},
        "optimizer": {"name": "adamw"},
        "precision": "32-true",
        "initial": str(initial),
    }
    return build(SupervisedRecipe, raw, "clips:")


def noise_clips(count: int) -> MemorySource:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (count, 8, 16, 16, 3), dtype=np.uint8)
    return MemorySource(faces, faces, np.arange(count) % 7, np.ones(count, bool))


def test_a_run_starts_from_it_and_goes_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    initial, sources = tmp_path / "static.safetensors", (noise_clips(8), noise_clips(7))
    static = static_network(streams="face")
    save_checkpoint(static, initial)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train_supervised(clip_recipe(initial), whole, sources=sources, show=False)
    learnt = load_network(whole / "last.safetensors").state_dict()
    for name, start in inflate(static).state_dict().items():
        if name.endswith("weight"):
            # So small a rate takes it nowhere.
            torch.testing.assert_close(learnt[name], start, atol=1e-4, rtol=0)
    card = json.loads((whole / "last.json").read_text())
    assert card["extra"]["recipe"]["initial"] == str(initial)

    class Killed(Exception):
        pass

    def kill(run: object, report: object) -> None:
        finish(run, report)
        raise Killed

    from caer_ros.training.fit import Fit

    finish = Fit._finish_epoch
    with monkeypatch.context() as patch:
        patch.setattr(Fit, "_finish_epoch", kill)
        with pytest.raises(Killed):
            train_supervised(clip_recipe(initial), cut, sources=sources, show=False)
    assert (cut / STATE).is_file()
    initial.unlink()
    train_supervised(clip_recipe(initial), cut, resume=True, sources=sources, show=False)
    gone_on = load_network(cut / "last.safetensors").state_dict()
    assert all(torch.equal(gone_on[name], learnt[name]) for name in learnt)


def test_clips_do_not_train_on_a_cpus_wrong_gradients(tmp_path: Path) -> None:
    recipe = replace(clip_recipe(tmp_path / "x"), precision="bf16-mixed", accelerator="cpu")
    with pytest.raises(InputError, match="bf16-mixed on a CPU"):
        train_supervised(recipe, tmp_path / "run", sources=(noise_clips(8), noise_clips(7)))
    assert not (tmp_path / "run").exists()


def test_the_recipe_may_start_so() -> None:
    assert load_supervised(RECIPES / "caer_net.yaml").initial is None
    recipe = load_supervised(RECIPES / "caer_net.yaml", ["initial=static.safetensors"])
    assert recipe.initial == Path("static.safetensors")
