"""Recipes: what they say is what happens, and what they misspell is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from caer_ros.core import InputError
from caer_ros.training.schedule import Schedule
from caer_ros.training.supervised_recipe import is_supervised, load_supervised

RECIPES = Path(__file__).parents[3] / "recipes"
PAPER = RECIPES / "paper"


def test_schedule_of_the_paper_by_hand() -> None:
    schedule = load_supervised(PAPER / "caer_net_s_full.yaml").schedule
    steps = 10
    by_epoch = [schedule.rate(epoch * steps, steps, 16) for epoch in range(13)]
    wanted = [5e-3] * 4 + [5e-4] * 4 + [5e-5] * 4 + [5e-6]
    assert by_epoch == pytest.approx(wanted, rel=1e-12)
    # It drops between epochs, not within one.
    assert schedule.rate(4 * steps - 1, steps, 16) == pytest.approx(5e-3)


def test_cosine_by_hand() -> None:
    schedule = Schedule("cosine", learning_rate=1.0, warm_up=1)
    rates = [schedule.rate(step, 4, 5) for step in (0, 3, 4, 12, 20)]
    assert rates == pytest.approx([0.25, 1.0, 1.0, 0.5, 0.0])


@pytest.mark.parametrize("name", ["caer_net_s", "caer_net"])
def test_shipped_recipes_are_valid(name: str) -> None:
    recipe = load_supervised(RECIPES / f"{name}.yaml")
    assert recipe.network["name"] == name
    assert is_supervised(RECIPES / f"{name}.yaml")


def test_paper_recipe_is_the_papers() -> None:
    recipe = load_supervised(PAPER / "caer_net_s_full.yaml")
    assert (recipe.batch, recipe.label_smoothing, recipe.average) == (32, 0.0, 0.0)
    assert recipe.network["dropout"] == 0.5
    assert (recipe.network["pooling"], recipe.network["attention_logits"]) == ("mean", "relu")
    assert recipe.augment.together


def test_the_distillation_recipe_is_another_kind() -> None:
    assert not is_supervised(RECIPES / "caer_net_s_demo.yaml")


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("optimiser.name=sgd", "no key 'optimiser'. Did you mean 'optimizer'"),
        ("optimizer.momentun=0.9", "no key 'momentun'. Did you mean 'momentum'"),
        ("network.poolng=sum", "no key 'poolng'. Did you mean 'pooling'"),
        ("data.scenes.controls.ambiguty=1", "Did you mean 'ambiguity'"),
        ("batch=many", "batch is 'many'. Give a whole number"),
        ("epochs=true", "epochs is 'True'"),
        ("epochs=0", "epochs is 0. Use at least 1"),
        ("precision=16-mixed", "Give one of 32-true"),
        ("data.folder=x", "either 'folder' or 'scenes'"),
        ("schedule.learning_rate=-1", "schedule.learning_rate is -1"),
        ("augment.face.chance=2", "chance is 2"),
        ("data.scenes.train=", "data.scenes.train is 'None'"),
        ("batch", "no setting"),
        ("batch.size=3", "batch is a plain value"),
        ("network=[1]", "Give a mapping"),
    ],
)
def test_wrong_settings(setting: str, complaint: str, write_tiny: Callable, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_supervised(write_tiny(tmp_path / "tiny.yaml"), [setting])
    assert complaint in str(caught.value)
    assert caught.value.exit_code == 2


def test_settings_are_put_in(write_tiny: Callable, tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "tiny.yaml")
    recipe = load_supervised(
        path, ["schedule.learning_rate=5e-3", "data.scenes.controls.ambiguity=[0.5, 1]", "seed=7"]
    )
    assert recipe.schedule.learning_rate == 5e-3
    assert recipe.data.scenes is not None
    assert recipe.data.scenes.controls.ambiguity == (0.5, 1.0)
    assert recipe.seed == 7


@pytest.mark.parametrize("text", ["[]", "a: [", "epochs: 3\ndata: {folder: x}"])
def test_no_recipe(text: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"recipe\.yaml"):
        load_supervised(path)
    with pytest.raises(InputError, match="does not exist"):
        load_supervised(tmp_path / "none.yaml")


@pytest.mark.parametrize("data", ["", " 3", " [x]"])
def test_data_has_to_be_a_mapping(data: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"network: {{name: caer_net_s}}\ndata:{data}\nepochs: 1\n")
    assert is_supervised(path)
    with pytest.raises(InputError, match="data"):
        load_supervised(path)
