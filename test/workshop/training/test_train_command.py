"""`caer train` on the recipe of a network that learns from a teacher: which options it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caer_ros.cli.main import main
from caer_ros.training import loop
from caer_ros.training.recipe import Recipe, load_recipe

RECIPE = Path(__file__).parents[3] / "recipes" / "caer_net_s_demo.yaml"
Asked = tuple[Recipe, Path, bool]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """Recipe, folder and whether to go on, of every training that the command starts."""
    calls: list[Asked] = []

    class Trainer:
        def __init__(self, recipe: Recipe, out: Path, resume: bool = False) -> None:
            calls.append((recipe, out, resume))

        def run(self) -> dict[str, Any]:
            return {"accuracy": 50}

    monkeypatch.setattr(loop, "Trainer", Trainer)
    return calls


def test_the_recipe_is_taken_as_it_is(
    asked: list[Asked], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["train", str(RECIPE), "--out", str(tmp_path / "run")]) == 0
    assert asked == [(load_recipe(RECIPE), tmp_path / "run", False)]
    assert json.loads(capsys.readouterr().out) == {"accuracy": 50}


def test_a_seed_is_taken_for_the_recipes(asked: list[Asked], tmp_path: Path) -> None:
    seed = load_recipe(RECIPE).seed + 1
    assert main(["train", str(RECIPE), "--out", str(tmp_path), "--seed", str(seed)]) == 0
    assert [recipe.seed for recipe, *_ in asked] == [seed]


def test_a_run_goes_on(asked: list[Asked], tmp_path: Path) -> None:
    assert main(["train", str(RECIPE), "--out", str(tmp_path), "--resume"]) == 0
    assert [resume for *_, resume in asked] == [True]


def test_changes_of_the_recipe_are_refused(
    asked: list[Asked], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["train", str(RECIPE), "--out", str(tmp_path), "--set", "seed=3"]) == 2
    assert "which knows no --set" in capsys.readouterr().err
    assert asked == []
