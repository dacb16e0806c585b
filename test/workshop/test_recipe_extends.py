"""Recipes that extend others, and recipes that train on more than one folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from caer_ros.core import InputError
from caer_ros.datasets.scenes import SceneControls
from caer_ros.datasets.scenes.archives import write_archive
from caer_ros.datasets.scenes.labelled_archives import Copy
from caer_ros.networks.registry import build_network
from caer_ros.training.recipe_data import data_of, open_split
from caer_ros.training.strict_yaml import read_mapping
from caer_ros.training.supervised_recipe import load_supervised

PAPER = Path(__file__).parents[2] / "recipes" / "paper"


def test_mappings_are_merged_and_all_else_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a.yaml").write_text("x: {one: 1, two: [1, 2]}\ny: 1\n")
    (tmp_path / "below" / "b.yaml").write_text("extends: ../a.yaml\nx: {two: [3]}\nz: 1\n")
    (tmp_path / "c.yaml").write_text("extends: below/b.yaml\nx: {three: 3}\ny: {deep: 1}\n")
    assert read_mapping(tmp_path / "c.yaml", "") == {
        "x": {"one": 1, "two": [3], "three": 3},
        "y": {"deep": 1},
        "z": 1,
    }
    assert read_mapping(tmp_path / "a.yaml", "") == {"x": {"one": 1, "two": [1, 2]}, "y": 1}


def test_a_circle_is_refused(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "./b")):
        (tmp_path / f"{name}.yaml").write_text(f"extends: {other}.yaml\n")
    with pytest.raises(InputError, match=r"extends itself \(a.yaml -> b.yaml -> c.yaml -> b.yaml"):
        read_mapping(tmp_path / "a.yaml", "")


def test_what_is_extended_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    for text, complaint in (
        ("extends: none.yaml", "none.yaml, which does not exist"),
        ("extends: [b.yaml]", r"extends is '\['b.yaml'\]'"),
        ("extends:", "extends is 'None'"),
        ("data: {extends: a.yaml}", "data has no key 'extends'"),
    ):
        path.write_text(f"{text}\nepochs: 1\nnetwork: {{name: caer_net_s}}\n")
        with pytest.raises(InputError, match=complaint):
            load_supervised(path)


def test_added_folders_are_for_training_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, count in (("CAER", 7), ("AFEW", 8)):
        counts = {"train": count, "validation": 7}
        looks = SceneControls(width=160, height=120)
        write_archive(Path("data") / name, name, Copy(counts, controls=looks))
    recipe = load_supervised(PAPER / "afew_caer_net_with_caer.yaml")
    network = build_network("caer_net")
    train = open_split(network, recipe.data, "train")
    assert len(train) == len(train.labels) == len(train.present) == 7 + 8
    alone = load_supervised(PAPER / "afew_caer_net_full.yaml")
    afew = open_split(network, alone.data, "train")
    first = afew.views(0)[0].face
    assert (train.views(7)[0].face == first).all()
    assert (train.labels[7:] == afew.labels).all()
    assert len(open_split(network, recipe.data, "validation")) == 7
    trained = {"data": json.loads(json.dumps(asdict(recipe.data), default=str))}
    assert data_of(Path("data/AFEW"), trained).also == ()
    with pytest.raises(InputError, match=r"data\.also adds to 'folder'"):
        load_supervised(
            PAPER / "afew_caer_net_with_caer.yaml",
            ["data.folder=null", "data.scenes={train: 7, validation: 7, test: 7}"],
        )
