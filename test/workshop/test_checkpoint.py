"""Checkpoints come back as they were, and wrong ones are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from caer_ros.core import InputError
from caer_ros.networks.caer_net_s import CaerNetS, CaerNetSConfig
from caer_ros.networks.checkpoint import load_checkpoint, read_meta, save_checkpoint


def test_round_trip(tmp_path: Path) -> None:
    network = CaerNetS(CaerNetSConfig.literal())
    save_checkpoint(network, tmp_path / "a.safetensors", {"metrics": {"x": 1}})
    back = load_checkpoint(tmp_path / "a.safetensors")
    assert back.config == network.config
    assert read_meta(tmp_path / "a.safetensors")["extra"] == {"metrics": {"x": 1}}
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(back.state_dict()[name], tensor)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.safetensors"]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="caer train"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_weights_of_another_network(checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    shutil.copy(checkpoint.with_suffix(".json"), path.with_suffix(".json"))
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="does not hold the weights of caer_net_s"):
        load_checkpoint(path)


def test_json_of_another_network(checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    shutil.copy(checkpoint, path)
    path.with_suffix(".json").write_text(json.dumps({"architecture": "benet", "config": {}}))
    with pytest.raises(InputError, match="'benet'"):
        load_checkpoint(path)


def test_damaged_file(checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    shutil.copy(checkpoint.with_suffix(".json"), path.with_suffix(".json"))
    path.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(InputError):
        load_checkpoint(path)
