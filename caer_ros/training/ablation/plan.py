"""What an ablation trains and measures: recipes/ablation.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from caer_ros.core import InputError
from caer_ros.networks.caer_net_config import TABLE_3
from caer_ros.training.strict_yaml import build, override, read_mapping
from caer_ros.training.supervised_recipe import SceneData, SupervisedRecipe

FULL = "F+C+cA+fA"
_REMEDY = "See recipes/ablation.yaml for a whole one."


@dataclass(frozen=True)
class AblationPlan:
    """One ablation.

    Attributes:
        recipe: of every run; its data are synthetic scenes, its network is the full one.
        rows: names of Table 3's rows (networks/caer_net_config.py).
        seeds: one run a row and seed; all see the same scenes.
        without_hiding: also train the full network with faces visible in the context (Fig. 8).
        trained_levels: ambiguities that a full network each is trained at, to see how much it comes
            to trust faces; the first seed only.
        levels: ambiguities at which the face's weight in the full networks is measured.
        level_scenes: scenes a level, of both kinds.
        pictures: columns of the panel of attention pictures.
        jobs: runs at a time, each on its share of the processor's cores.
    """

    recipe: SupervisedRecipe
    rows: tuple[str, ...] = ("F", "C+cA", "F+C", "F+C+cA", "F+C+fA", FULL)
    seeds: tuple[int, ...] = (0, 1, 2)
    without_hiding: bool = True
    trained_levels: tuple[float, ...] = (0.0, 0.5, 1.0)
    levels: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    level_scenes: int = 280
    pictures: int = 6
    jobs: int = 1

    def __post_init__(self) -> None:
        unknown = [row for row in self.rows if row not in TABLE_3]
        if unknown:
            raise InputError(f"'{unknown[0]}' is no row.", f"Use {', '.join(TABLE_3)}.")
        if FULL not in self.rows or not self.seeds or not self.levels:
            raise InputError(f"An ablation needs the row {FULL}, a seed and a level.", _REMEDY)
        if min(self.level_scenes, self.pictures, self.jobs) < 1:
            raise InputError("level_scenes, pictures and jobs must be at least 1.", _REMEDY)
        if self.recipe.data.scenes is None:
            raise InputError("An ablation needs recipe.data.scenes.", _REMEDY)

    @property
    def scenes(self) -> SceneData:
        """The synthetic scenes."""
        assert self.recipe.data.scenes is not None
        return self.recipe.data.scenes

    def run_recipe(self, row: str, seed: int, hide_faces: bool) -> SupervisedRecipe:
        """The recipe of one run."""
        network = {**self.recipe.network, **TABLE_3[row]}
        data = replace(self.recipe.data, hide_faces=hide_faces)
        return replace(self.recipe, network=network, data=data, seed=seed)


def load_plan(path: Path, small: bool, settings: Sequence[str] = ()) -> AblationPlan:
    """Read a plan; `small` puts in what its key `small` changes, `settings` come last.

    Raises:
        InputError: the file is missing, is not YAML, or has a key or value that does not exist.
    """
    raw = read_mapping(path, _REMEDY)
    changes = raw.pop("small", {})
    if small:
        raw = _merged(raw, changes)
    return build(AblationPlan, override(raw, settings), f"{path}:")


def _merged(raw: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(raw)
    for key, value in changes.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return merged
