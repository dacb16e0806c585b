"""Every network of the registry comes back from its checkpoint, and only from its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from caer_ros.core import InputError
from caer_ros.networks.caer_net_config import TABLE_3
from caer_ros.networks.checkpoint import load_checkpoint, load_network, read_meta, save_checkpoint
from caer_ros.networks.registry import NETWORKS, build_network

pytestmark = pytest.mark.usefixtures("one_thread")

LARGE = ("vgg16", "resnet50", "c3d")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in LARGE else []) for n in NETWORKS]
)
def test_round_trip(name: str, tmp_path: Path) -> None:
    network = build_network(name, num_classes=8, dropout=0.25)
    path = tmp_path / "a.safetensors"
    save_checkpoint(network, path, {"note": "x"})
    assert read_meta(path, name)["extra"] == {"note": "x"}
    back = load_network(path)
    assert (back.architecture, back.config) == (name, network.config)
    assert not back.training
    state = back.state_dict()
    assert state.keys() == network.state_dict().keys()
    assert all((state[k] == v).all() for k, v in network.state_dict().items())


@pytest.mark.parametrize("row", TABLE_3)
def test_rows_come_back_as_they_were(row: str, tmp_path: Path) -> None:
    network = build_network("caer_net_s", **TABLE_3[row])
    save_checkpoint(network, tmp_path / "a.safetensors")
    assert load_checkpoint(tmp_path / "a.safetensors").config == network.config


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(build_network("caer_net"), path)
    with pytest.raises(InputError, match=r"describes the network 'caer_net', not 'caer_net_s'"):
        load_checkpoint(path)
    with pytest.raises(InputError, match=r"not 'alexnet'.*Give a checkpoint of alexnet"):
        load_network(path, "alexnet")


def test_weights_of_another_row_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(build_network("caer_net_s", streams="face"), path)
    beside = path.with_suffix(".json")
    meta = json.loads(beside.read_text())
    meta["config"]["streams"] = "both"
    beside.write_text(json.dumps(meta))
    with pytest.raises(InputError, match="does not hold the weights of caer_net_s"):
        load_checkpoint(path)


@pytest.mark.parametrize("wrong", [{"architecture": "benet"}, {"config": {"streams": "body"}}])
def test_unknown_network_or_switch_is_refused(wrong: dict, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(build_network("alexnet"), path)
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(json.loads(beside.read_text()) | wrong))
    with pytest.raises(InputError, match=r"'benet'|no switch streams"):
        load_network(path)


def test_a_checkpoint_from_before_the_rows_is_the_full_network(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    torch.manual_seed(0)
    network = build_network("caer_net_s")
    save_checkpoint(network, path)
    beside = path.with_suffix(".json")
    meta = json.loads(beside.read_text())
    for switch in ("streams", "context_attention", "fusion"):
        del meta["config"][switch]
    beside.write_text(json.dumps(meta))
    assert load_checkpoint(path).config == network.config
