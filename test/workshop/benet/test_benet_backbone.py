"""What few steps need: a backbone trained before the ablation's runs, and emotions' start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from caer_ros.core import InputError
from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.datasets.emotic.records import AnnotatedPerson
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.exchange import Exchange
from caer_ros.training.benet.ablation.backbone import BACKBONE, train_backbone
from caer_ros.training.benet.ablation.plan import load_benet_plan
from caer_ros.training.benet.ablation.runs import Run, train_all
from caer_ros.training.benet.loss_terms import emotion_loss
from caer_ros.training.benet.start import start_emotions

RECIPE = Path(__file__).parents[3] / "recipes" / "benet_ablation.yaml"
# One short run of the smallest network on very few scenes, of which nothing is learnt.
TINY = [
    "rows=[BU+Det+PC+BG]",
    "forms=null",
    "jobs=1",
    "recipe.network={name: benet, width: 4, attention: false}",
    "recipe.data.size=64",
    "recipe.epochs=1",
    "recipe.batch=4",
    "recipe.data.scenes.train=8",
    "recipe.data.scenes.validation=4",
    "recipe.data.scenes.test=4",
    "backbone.data.scenes.train=8",
    "backbone.data.scenes.validation=4",
    "backbone.epochs=1",
]


def test_all_runs_start_from_the_backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = load_benet_plan(RECIPE, False, TINY)
    started = []
    monkeypatch.setattr(
        "caer_ros.training.benet.run.load_backbone",
        lambda network, path: started.append((network.config.background, path)),
    )
    train_all(plan, tmp_path)
    path = tmp_path / BACKBONE
    # The backbone itself starts from nothing, the run from it.
    assert started == [(True, path)]
    found = load_file(path)
    best = load_file(tmp_path / "backbone" / "last.safetensors")
    assert all(torch.equal(best[f"backbone.{name}"], value) for name, value in found.items())
    assert set(found) == set(BENet(plan.backbone.config).backbone.state_dict())
    # Its scenes are others than the runs'.
    pixels = [
        np.load(tmp_path / "scenes" / name / "pixels.npy") for name in ("train", "backbone-train")
    ]
    assert pixels[0].shape == pixels[1].shape
    assert not any((a == b).all() for a in pixels[0] for b in pixels[1])
    before = path.stat().st_mtime_ns
    train_backbone(plan.backbone, tmp_path)
    assert path.stat().st_mtime_ns == before
    assert (Run("BU+Det+PC+BG", 0).folder(tmp_path) / "test.json").is_file()


def test_a_backbone_needs_scenes() -> None:
    with pytest.raises(InputError, match=r"needs backbone\.data\.scenes"):
        load_benet_plan(
            RECIPE, False, ["backbone.data.scenes=null", "backbone.data.folder=elsewhere"]
        )
    with pytest.raises(InputError, match="backbone is not a mapping"):
        load_benet_plan(RECIPE, False, ["backbone=3"])
    assert load_benet_plan(RECIPE, False, ["backbone=null"]).backbone is None


def test_emotions_start_at_the_least_loss(tiny_benet: Callable, tiny_scenes: Callable) -> None:
    images = _with_one_category_unknown(tiny_scenes("train"))
    network = BENet(tiny_benet(row="BU+Det+PC+BG").config)
    start_emotions(network, images)
    people = [person for record in images.records for person in record.people]
    categories = torch.from_numpy(np.stack([p.categories for p in people])).float()
    known = torch.from_numpy(np.stack([p.known for p in people]))
    biases = [
        network.maps.emotion.quarter_answer[-1].bias.detach(),
        network.maps.emotion.half_answer[-1].bias.detach(),
        network.person.emotion.bias.detach(),
        network.background.emotion.bias.detach(),
    ]
    assert all(torch.equal(bias, biases[0]) for bias in biases)
    assert biases[0][0] == 0

    def loss(shift: float) -> torch.Tensor:
        logits = (biases[0] + shift).expand_as(categories)
        return torch.stack(
            [
                emotion_loss(logits[:, [k]], categories[:, [k]], known[:, [k]]).mean()
                for k in range(1, 26)
            ]
        )

    # Nobody has some of the categories: their best logit is the lowest that is tried.
    inside = biases[0][1:] > -6
    assert inside.sum() > 10
    assert (loss(0.0) < loss(0.05))[inside].all()
    assert (loss(0.0) < loss(-0.05))[inside].all()


def _with_one_category_unknown(images: MemoryImages) -> MemoryImages:
    def without(person: AnnotatedPerson) -> AnnotatedPerson:
        known = person.known.copy()
        known[0] = False
        return replace(person, known=known)

    records = [
        replace(record, people=tuple(without(p) for p in record.people))
        for record in images.records
    ]
    return MemoryImages(records, images.arrays)


def test_coarser_maps_enter_softly(tiny_benet: Callable) -> None:
    network = BENet(tiny_benet().config)
    exchanges = [m for m in network.backbone.modules() if isinstance(m, Exchange)]
    assert len(exchanges) == 6
    for exchange in exchanges:
        for target, paths in enumerate(exchange.fuse_layers):
            for source, path in enumerate(paths):
                if source > target:
                    assert path[1].weight.unique().item() == pytest.approx(0.3)
                elif source < target:
                    assert path[-1][1].weight.unique().item() == 1
