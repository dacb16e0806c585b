"""Recipes of BENet: the paper's rows and numbers, the views of a network's heads, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from caer_ros.core import InputError
from caer_ros.training.benet.data_choice import Views
from caer_ros.training.benet.recipe import ROWS, is_benet, load_benet_recipe
from caer_ros.training.schedule import Schedule

RECIPES = Path(__file__).parents[3] / "recipes"
PAPER = RECIPES / "paper" / "benet_bu_det_pc_bg.yaml"


@pytest.mark.parametrize(
    ("row", "heads", "shares"),
    [
        ("BU", (False, False, False), (0, 0, 1, 0)),
        ("BU+Det", (True, False, False), (0, 0, 1 / 2, 1 / 2)),
        ("BU+Det+PC", (True, True, False), (1 / 3, 0, 1 / 3, 1 / 3)),
        ("BU+Det+PC+BG", (True, True, True), (1 / 4, 1 / 4, 1 / 4, 1 / 4)),
        ("BU+Det+PC+BG+ED", (True, True, True), (1 / 4, 1 / 4, 1 / 4, 1 / 4)),
    ],
)
def test_rows_of_table_1(row: str, heads: tuple, shares: tuple) -> None:
    heco = ["data.heco=heco"] if row.endswith("ED") else []
    recipe = load_benet_recipe(PAPER, [f"row={row}", *heco])
    config, mix = recipe.config, recipe.samples.mix
    assert (config.detection, config.person, config.background) == heads
    assert (mix.extract, mix.mask_all, mix.random_mask, mix.raw) == pytest.approx(shares)
    assert (config.fusion, config.vad) == ("none", False)
    assert row in ROWS


def test_paper_recipe_is_the_papers() -> None:
    recipe = load_benet_recipe(PAPER)
    assert (recipe.epochs, recipe.select, recipe.average, recipe.clip_gradient) == (
        250,
        "loss",
        0,
        0,
    )
    assert (recipe.optimizer.name, recipe.optimizer.weight_decay) == ("adam", 0)
    assert {recipe.schedule.rate(step, 10, 250) for step in (0, 999, 2499)} == {1e-3}
    assert (recipe.loss.centre, recipe.loss.size) == (1.0, 0.1)
    samples = recipe.samples
    assert (samples.size, samples.by, samples.raw_emotion, samples.masked_detection) == (
        512,
        "person",
        False,
        False,
    )
    assert (recipe.size_start, recipe.optimizer.detection_rate) == ("zero", 1.0)
    assert (recipe.emotion_start, recipe.optimizer.memory) == ("half", 0.999)


def test_our_recipe_is_valid() -> None:
    recipe = load_benet_recipe(RECIPES / "benet.yaml")
    assert (recipe.config.vad, recipe.config.fusion, recipe.select) == (True, "learned", "joint")
    assert is_benet(RECIPES / "benet.yaml")
    assert not is_benet(RECIPES / "caer_net_s.yaml")


def test_a_constant_rate_after_its_rise() -> None:
    schedule = Schedule("constant", learning_rate=1.0, warm_up=1)
    assert [schedule.rate(step, 4, 5) for step in (0, 3, 4, 19)] == [0.25, 1.0, 1.0, 1.0]


def test_given_views_are_taken_as_they_are(tiny_benet: Callable) -> None:
    mix = tiny_benet(views={"raw": 0.9, "extract": 0.1}).samples.mix
    assert (mix.extract, mix.mask_all, mix.random_mask, mix.raw) == (0.1, 0, 0, 0.9)
    # Without a detection head, raw pictures may still train the emotion maps.
    heads = {"detection": False, "person": False, "background": False}
    config = tiny_benet(network=heads).config
    assert Views(raw=1.0, raw_emotion=True).mix(config).raw == 1
    with pytest.raises(InputError, match=r"views.raw is 1, and the network has no detection head"):
        Views(raw=1.0).mix(config)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("row=BU+PC", "'BU+PC' is no row"),
        ("row=BU+Det+PC+BG+ED", "data.heco is None"),
        ("data.heco=heco", "HECO is trained on in the row BU+Det+PC+BG+ED alone"),
        ("network.detection=false", "row is 'BU+Det+PC+BG', and network.detection is given too"),
        ("network.detecton=false", "no key 'detecton'. Did you mean 'detection'"),
        ("network.name=caer_net_s", "no recipe of BENet"),
        ("network.num_classes=8", "not EMOTIC's 26"),
        ("views.mask_al=1", "Did you mean 'mask_all'"),
        ("views.extract=0.7", "add to 1"),
        ("data.size=100", "multiple of 32"),
        ("data.size=32", "at least 64"),
        ("data.folder=null", "either 'folder' or 'scenes'"),
        ("augment.geometry.rotation=999", "rotation is out of range"),
        ("decode.kernel=4", "kernel is 4"),
        ("optimizer.detection_rate=0", "detection_rate"),
        ("optimizer.hold_backbone=-1", "hold_backbone is -1"),
        ("schedule.name=linear", "one of step, cosine, constant"),
        ("average=1", "average is 1"),
        ("batch=1", "batch is 1"),
    ],
)
def test_wrong_settings(setting: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        load_benet_recipe(PAPER, [setting])
    assert complaint in str(caught.value)


def test_what_there_is_no_head_for_can_not_select(tiny_benet: Callable) -> None:
    heads = {"detection": False}
    for name in ("joint", "person_ap"):
        with pytest.raises(InputError, match="no detection head"):
            tiny_benet(network=heads, select=name)
    assert tiny_benet(network=heads, select="map").select == "map"


def test_scenes_are_always_kept(tiny_benet: Callable) -> None:
    with pytest.raises(InputError, match="cached"):
        tiny_benet(data={"scenes": {"cached": False}})


@pytest.mark.parametrize(("name", "width"), [("benet_demo", 18), ("benet_demo_w32", 32)])
def test_the_demonstrations_start_from_backbones_of_their_width(name: str, width: int) -> None:
    recipe = load_benet_recipe(RECIPES / f"{name}.yaml")
    before = load_benet_recipe(RECIPES / f"{name}_backbone.yaml")
    assert recipe.initial == Path("runs", f"{name}_backbone", "last.safetensors")
    assert recipe.config.form == before.config.form
    assert recipe.config.form.width == width
    assert recipe.config.stem == before.config.stem
    # The robot runs no other heads; people cut out teach the backbone by the head for such.
    assert (recipe.config.detection, recipe.config.person) == (True, False)
    assert before.config.person
    assert before.samples.mix.extract > 0.99
    assert recipe.data.folder == before.data.folder
