"""Fixtures of the training and evaluation tests: small recipes and data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from caer_ros.datasets.examples import MemorySource
from caer_ros.training.strict_yaml import build
from caer_ros.training.supervised_recipe import SupervisedRecipe

TINY: dict[str, Any] = {
    "network": {"name": "caer_net_s"},
    "data": {
        "scenes": {
            "train": 28,
            "validation": 14,
            "test": 14,
            "controls": {"ambiguity": 0.5, "reliability": 0.8, "width": 160, "height": 120},
        },
        "face_size": 32,
        "context_size": 48,
        "workers": 0,
    },
    "epochs": 2,
    "batch": 14,
    "schedule": {"name": "cosine", "learning_rate": 2e-3},
    "optimizer": {"name": "adamw", "weight_decay": 0.05},
    "augment": {"face": {"chance": 0.8, "erase": 0.5}, "face_dropout": 0.2},
    "average": 0.9,
    "precision": "32-true",
}


Tiny = Callable[..., SupervisedRecipe]
WriteTiny = Callable[..., Path]
Noise = Callable[..., MemorySource]


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    """`tiny(**changes)`: a recipe of two short epochs, with changes to its top level."""

    def make(**changes: Any) -> SupervisedRecipe:
        return replace(build(SupervisedRecipe, TINY, "tiny:"), **changes)

    return make


@pytest.fixture(scope="session")
def write_tiny() -> WriteTiny:
    """`write_tiny(path, **changes)`: the same as a file; changes are YAML values."""

    def write(path: Path, **changes: Any) -> Path:
        path.write_text(yaml.safe_dump({**TINY, **changes}))
        return path

    return write


@pytest.fixture(scope="session")
def noise_source() -> Noise:
    """`noise_source(count, face, context, frames=0)`: nothing but learning by heart helps."""
    return _noise_source


def _noise_source(
    count: int, face: int, context: int, frames: int = 0, seed: int = 0
) -> MemorySource:
    rng = np.random.default_rng(seed)
    time = (frames,) if frames else ()

    def noise(side: int) -> np.ndarray:
        # Coarse: fine noise would be averaged away by the first poolings.
        small = rng.integers(0, 256, (count, *time, 8, 8, 3), dtype=np.uint8)
        return small.repeat(side // 8, axis=-3).repeat(side // 8, axis=-2)

    return MemorySource(
        noise(face), noise(context), np.arange(count) % 7, np.ones(count, dtype=bool)
    )
