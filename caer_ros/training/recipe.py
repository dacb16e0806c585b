"""Training recipes: YAML files with every choice a run depends on."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from caer_ros.core import InputError
from caer_ros.networks.caer_net_s import CaerNetSConfig

PRECISIONS = ("32-true", "bf16-mixed")


@dataclass(frozen=True)
class Data:
    """Folders, relative to where the command runs.

    Each of `renders` was written by `caer data synth`, each of `faces` by `caer data faces`;
    sources named in `validation` and `held_out` are never trained on; a name may be a pattern as
    `congress*_A*`. `teacher` is the unpacked face-api package.
    """

    renders: tuple[Path, ...]
    faces: tuple[Path, ...]
    teacher: Path
    validation: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """Optimiser steps of one stage, people and scenes a step, peak learning rate."""

    steps: int
    people: int
    learning_rate: float
    scenes: int = 0


@dataclass(frozen=True)
class Recipe:
    """One run.

    scene: the context stream alone, between the other two stages; None: it learns in `joint` only.
    recipe_weight: share of the pose's label, against the teacher's, in the loss on renders.
    hint_weight: weight of matching the teacher's features while the face stream trains alone.
    face_dropout: share of people in scenes with a cue whose face is withheld in the joint stage.
    average: how much of the moving average of the weights is kept at each step.
    bias_correction: share of the class bias found on the validation renders that is taken out at
        the end, see class_bias.py; 0: none.
    """

    data: Data
    face: Stage
    joint: Stage
    scene: Stage | None = None
    seed: int = 0
    temperature: float = 2.0
    recipe_weight: float = 0.8
    hint_weight: float = 1.0
    face_dropout: float = 0.15
    weight_decay: float = 0.01
    average: float = 0.998
    bias_correction: float = 0.0
    precision: str = "32-true"
    validate_every: int = 200
    network: CaerNetSConfig = field(default_factory=CaerNetSConfig)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        InputError: the file is missing, is not YAML, or has a key or value that does not exist.
    """
    remedy = "See recipes/caer_net_s_demo.yaml for a whole one."
    if not path.is_file():
        raise InputError(f"Recipe {path} does not exist.", remedy)
    try:
        raw = yaml.safe_load(path.read_text())
        return _recipe(raw)
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML ({error}).", remedy) from None
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a recipe: {error}.", remedy) from None


def _recipe(raw: Any) -> Recipe:
    if not isinstance(raw, dict):
        raise ValueError("it is not a mapping")
    known = {f.name for f in fields(Recipe)}
    unknown = raw.keys() - known
    if unknown:
        raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
    scene = raw.pop("scene", None)
    recipe = Recipe(
        data=_data(raw.pop("data")),
        face=Stage(**raw.pop("face")),
        joint=_with_scenes("joint", Stage(**raw.pop("joint")), 1),
        scene=None if scene is None else _with_scenes("scene", Stage(**scene), 2),
        network=CaerNetSConfig(**raw.pop("network", {})),
        **raw,
    )
    if recipe.precision not in PRECISIONS:
        raise ValueError(f"precision is {recipe.precision!r}, not one of {', '.join(PRECISIONS)}")
    return recipe


def _data(raw: Any) -> Data:
    if not isinstance(raw, dict):
        raise ValueError("'data' is not a mapping")
    data = raw | {"teacher": Path(raw["teacher"])}
    if isinstance(data["renders"], str):
        data["renders"] = [data["renders"]]
    for name in ("renders", "faces", "validation", "held_out"):
        # A word alone would be taken for a list of letters.
        if not isinstance(data.get(name, []), list | tuple):
            raise ValueError(f"data.{name} is not a list")
    for name in ("renders", "faces"):
        data[name] = tuple(Path(folder) for folder in data[name])
    for name in ("validation", "held_out"):
        data[name] = tuple(data.get(name, ()))
    return Data(**data)


def _with_scenes(name: str, stage: Stage, least: int) -> Stage:
    if stage.scenes < least:
        raise ValueError(f"{name}.scenes has to be {least} or more")
    return stage
