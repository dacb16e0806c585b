"""Fixtures of BENet's training and evaluation tests: a small recipe and its pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.datasets.emotic.scene_images import scene_images
from caer_ros.datasets.scenes import SceneControls, SceneStream
from caer_ros.training.benet.recipe import BenetRecipe, benet_recipe
from caer_ros.training.strict_yaml import merged

SCENES: dict[str, Any] = {
    "train": 12,
    "validation": 6,
    "test": 6,
    "controls": {"companions": 3, "width": 160, "height": 200},
}
TINY: dict[str, Any] = {
    "network": {"name": "benet", "width": 4, "attention": False},
    "data": {"scenes": SCENES, "size": 64, "workers": 0},
    "epochs": 2,
    "batch": 6,
    "views": {"by": "image", "most_masked": 1.0, "most_covered": 1.0},
    "schedule": {"name": "cosine", "learning_rate": 2e-3},
    "optimizer": {"name": "adamw", "weight_decay": 0.05},
    "average": 0.9,
    "precision": "32-true",
}


@pytest.fixture(scope="session")
def tiny_benet() -> Callable[..., BenetRecipe]:
    """`tiny_benet(**changes)`: a recipe of two short epochs; changes are merged in."""
    return lambda **changes: benet_recipe(merged(TINY, changes), "tiny:")


@pytest.fixture(scope="session")
def write_tiny_benet() -> Callable[..., Path]:
    """`write_tiny_benet(path, **changes)`: the same as a file."""

    def write(path: Path, **changes: Any) -> Path:
        path.write_text(yaml.safe_dump(merged(TINY, changes)))
        return path

    return write


@pytest.fixture(scope="session")
def tiny_scenes() -> Callable[[str], MemoryImages]:
    """`tiny_scenes(split)`: the recipe's pictures, drawn once."""
    drawn: dict[str, MemoryImages] = {}

    def images(split: str) -> MemoryImages:
        if split not in drawn:
            stream = SceneStream(0, split, SceneControls(**SCENES["controls"]))
            drawn[split] = scene_images(stream, SCENES[split])
        return drawn[split]

    return images
