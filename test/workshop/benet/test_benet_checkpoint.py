"""BENet by its checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from caer_ros.core import InputError
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.checkpoint import load_benet, load_checkpoint, load_network, save_checkpoint
from caer_ros.networks.registry import build_network

pytestmark = pytest.mark.usefixtures("one_thread")

SWITCHES = {"width": 4, "num_classes": 5, "background": False, "vad": True, "heat_bias": 0.0}


def test_round_trip(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build_network("benet", **SWITCHES)
    path = tmp_path / "a.safetensors"
    save_checkpoint(network, path, {"note": "x"})
    for back in (load_benet(path), load_network(path)):
        assert isinstance(back, BENet)
        assert back.config == network.config
        assert not back.training
        images = torch.randn(2, 3, 32, 32)
        with torch.no_grad():
            wanted = network.eval()(images, torch.tensor([0, 1]))
            got = back(images, torch.tensor([0, 1]))
        assert torch.equal(got.person, wanted.person)
        assert torch.equal(got.maps[1].heat, wanted.maps[1].heat)


def test_checkpoints_of_other_networks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(build_network("caer_net_s"), path)
    with pytest.raises(InputError, match=r"describes the network 'caer_net_s', not 'benet'"):
        load_benet(path)
    save_checkpoint(build_network("benet", width=2), path)
    with pytest.raises(InputError, match=r"describes the network 'benet', not 'caer_net_s'"):
        load_checkpoint(path)


def test_weights_of_another_backbone_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(build_network("benet", width=2), path)
    weights = path.read_bytes()
    save_checkpoint(build_network("benet", width=4), path)
    path.write_bytes(weights)
    with pytest.raises(InputError, match="does not hold the weights of benet"):
        load_benet(path)
