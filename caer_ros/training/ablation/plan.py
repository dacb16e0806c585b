"""What an ablation trains and measures: recipes/ablation.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from caer_ros.core import InputError
from caer_ros.networks.caer_net_config import TABLE_3, CaerNetConfig
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
        forms: other forms of the full network or of its training, by name: what each changes in the
            recipe. One run a form and seed.
        without_hiding: also train the full network with faces visible in the context (Fig. 8).
        weighed: range of ambiguities that further full networks are trained at, one a seed, to see
            how much they come to trust which faces. From clear to undecidable, or they would know
            nothing of one end.
        levels: ambiguities at which the face's weight in those networks is measured.
        level_scenes: scenes a level, of both kinds.
        pictures: columns of the panel of attention pictures.
        jobs: runs at a time, each on its share of the processor's cores.
    """

    recipe: SupervisedRecipe
    rows: tuple[str, ...] = ("F", "C+cA", "F+C", "F+C+cA", "F+C+fA", FULL)
    seeds: tuple[int, ...] = (0, 1, 2)
    forms: dict[str, SupervisedRecipe] = field(default_factory=dict)
    without_hiding: bool = True
    weighed: tuple[float, float] = (0.0, 1.0)
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

    def run_recipe(
        self, row: str, seed: int, hide_faces: bool, form: str | None = None
    ) -> SupervisedRecipe:
        """The recipe of one run."""
        recipe = self.recipe if form is None else self.forms[form]
        network = {**recipe.network, **TABLE_3[row]}
        data = replace(recipe.data, hide_faces=hide_faces)
        # There is nothing more to judge in a network of one stream.
        judges = recipe.judges and CaerNetConfig(**TABLE_3[row]).streams == "both"
        return replace(recipe, network=network, data=data, seed=seed, judges=judges)


def load_plan(path: Path, small: bool, settings: Sequence[str] = ()) -> AblationPlan:
    """Read a plan; `small` puts in what its key `small` changes, `settings` come last.

    Raises:
        InputError: the file is missing, is not YAML, or has a key or value that does not exist.
    """
    raw = read_mapping(path, _REMEDY)
    changes = raw.pop("small", {})
    if small:
        raw = _merged(raw, changes)
    raw = override(raw, settings)
    forms = raw.pop("forms", {})
    if not isinstance(forms, dict) or not all(isinstance(c, dict) for c in forms.values()):
        raise InputError(f"{path}: forms is not a mapping of changes by name.", _REMEDY)
    plan = build(AblationPlan, raw, f"{path}:")
    recipes = {
        name: build(SupervisedRecipe, _merged(raw["recipe"], changes), f"{path}: forms.{name}")
        for name, changes in forms.items()
    }
    return replace(plan, forms=recipes)


def _merged(raw: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(raw)
    for key, value in changes.items():
        below = merged.get(key)
        # An empty mapping takes all away that was there.
        both = isinstance(below, dict) and isinstance(value, dict) and value
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return merged
