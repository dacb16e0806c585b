"""What an ablation of BENet trains and measures: recipes/benet_ablation.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from caer_ros.core import InputError
from caer_ros.networks.benet.benet import ARCHITECTURE
from caer_ros.networks.benet.config import TABLE_1
from caer_ros.training.benet.recipe import BenetRecipe, benet_recipe
from caer_ros.training.strict_yaml import build, merged, override, read_mapping
from caer_ros.training.supervised_recipe import SceneData

FULL = "BU+Det+PC+BG"
_REMEDY = "See recipes/benet_ablation.yaml for a whole one."


@dataclass(frozen=True)
class BenetPlan:
    """One ablation.

    Attributes:
        recipe: of every run; its data are synthetic scenes, and rows decide on the heads.
        rows: of Table 1; "+ED" is none of them, as there is only one kind of scenes.
        seeds: one run a row and seed; all see the same scenes.
        forms: other forms of the full network or of its training, by name: their recipes. One run a
            form and seed.
        backbone: recipe of a run before all others, whose backbone they start from (the paper's
            starts from COCO's poses); its scenes should be others than theirs. None: they start
            from nothing.
        pictures: test scenes that are drawn with their maps.
        jobs: runs at a time, each on its share of the processor's cores.
    """

    recipe: BenetRecipe
    rows: tuple[str, ...] = tuple(TABLE_1)
    seeds: tuple[int, ...] = (0, 1, 2)
    forms: dict[str, BenetRecipe] = field(default_factory=dict)
    backbone: BenetRecipe | None = None
    pictures: int = 4
    jobs: int = 1

    def __post_init__(self) -> None:
        unknown = [row for row in self.rows if row not in TABLE_1]
        if unknown:
            raise InputError(f"'{unknown[0]}' is no row.", f"Use {', '.join(TABLE_1)}.")
        if FULL not in self.rows or not self.seeds:
            raise InputError(f"An ablation needs the row {FULL} and a seed.", _REMEDY)
        if min(self.pictures, self.jobs) < 1:
            raise InputError("pictures and jobs must be at least 1.", _REMEDY)
        for recipe in (self.recipe, *self.forms.values()):
            if recipe.data.scenes is None:
                raise InputError("An ablation needs recipe.data.scenes.", _REMEDY)
            if recipe.row is not None:
                raise InputError("An ablation's recipe has a row of its own.", "Leave it out.")
        if self.backbone is not None and self.backbone.data.scenes is None:
            raise InputError("An ablation needs backbone.data.scenes.", _REMEDY)

    @property
    def scenes(self) -> SceneData:
        """The synthetic scenes."""
        assert self.recipe.data.scenes is not None
        return self.recipe.data.scenes

    def run_recipe(self, row: str, seed: int, form: str | None = None) -> BenetRecipe:
        """The recipe of one run."""
        recipe = self.recipe if form is None else self.forms[form]
        network = dict(recipe.network)
        if row != FULL:
            # There is nothing to fuse without all heads.
            network["fusion"] = "none"
        return replace(recipe, network=network, row=row, seed=seed)


def is_benet_plan(path: Path) -> bool:
    """Whether a file is an ablation of BENet, by the name of its recipe's network.

    Raises:
        InputError: the file is missing or no YAML mapping.
    """
    recipe = read_mapping(path, _REMEDY).get("recipe")
    network = recipe.get("network") if isinstance(recipe, dict) else None
    return isinstance(network, dict) and network.get("name") == ARCHITECTURE


def load_benet_plan(path: Path, small: bool, settings: Sequence[str] = ()) -> BenetPlan:
    """Read a plan; `small` puts in what its key `small` changes, `settings` come last.

    Raises:
        InputError: the file is missing, is not YAML, or has a key or value that does not exist.
    """
    raw = read_mapping(path, _REMEDY)
    changes = raw.pop("small", {})
    if small:
        raw = merged(raw, changes)
    raw = override(raw, settings)
    forms = raw.pop("forms", None) or {}
    if not isinstance(forms, dict) or not all(isinstance(c, dict) for c in forms.values()):
        raise InputError(f"{path}: forms is not a mapping of changes by name.", _REMEDY)
    backbone = raw.pop("backbone", None)
    if not isinstance(backbone, dict | None):
        raise InputError(f"{path}: backbone is not a mapping of changes.", _REMEDY)
    recipe = raw.get("recipe")
    if not isinstance(recipe, dict):
        raise InputError(f"{path} lacks 'recipe'.", _REMEDY)
    # Here for its complaints about network's switches, which `build` does not know.
    benet_recipe(recipe, f"{path}: recipe")
    plan = build(BenetPlan, raw, f"{path}:")
    recipes = {
        name: benet_recipe(merged(recipe, changes), f"{path}: forms.{name}")
        for name, changes in forms.items()
    }
    if backbone is None:
        return replace(plan, forms=recipes)
    first = benet_recipe(merged(recipe, backbone), f"{path}: backbone")
    return replace(plan, forms=recipes, backbone=first)
