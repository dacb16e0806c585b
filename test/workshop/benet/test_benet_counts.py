"""Sizes of BENet and its backbones: the published parameters, multiplications and names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from caer_ros.networks.benet.attention import BlockAttention
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.config import TABLE_1, BenetConfig
from caer_ros.networks.benet.hrnet import HrNet

BACKBONE = 16_081_172
ATTENTION = 1_147_848
BOTTOM_UP, DETECTION, VECTOR, FUSION = 166_002, 289_352, 1_479_602, 4_121
# What each column of Table 1 adds to the backbone.
ROWS = {
    "BU": BOTTOM_UP,
    "BU+Det": BOTTOM_UP + DETECTION,
    "BU+Det+PC": BOTTOM_UP + DETECTION + VECTOR,
    "BU+Det+PC+BG": BOTTOM_UP + DETECTION + 2 * VECTOR,
}
# Of pose networks of width 32, such as Wang et al. published them.
NAMED = {
    "conv1.weight": (64, 3, 3, 3),
    "bn2.running_var": (64,),
    "layer1.0.conv1.weight": (64, 64, 1, 1),
    "layer1.0.downsample.0.weight": (256, 64, 1, 1),
    "layer1.3.bn3.bias": (256,),
    "transition1.0.0.weight": (32, 256, 3, 3),
    "transition1.1.0.0.weight": (64, 256, 3, 3),
    "transition2.2.0.0.weight": (128, 64, 3, 3),
    "transition3.3.0.1.weight": (256,),
    "stage2.0.branches.1.3.conv2.weight": (64, 64, 3, 3),
    "stage3.3.fuse_layers.0.2.0.weight": (32, 128, 1, 1),
    "stage3.3.fuse_layers.2.0.0.0.weight": (32, 32, 3, 3),
    "stage3.3.fuse_layers.2.0.1.0.weight": (128, 32, 3, 3),
    "stage4.2.fuse_layers.0.3.1.running_mean": (32,),
}


def built(**switches: object) -> BENet:
    """Shapes without numbers: nothing is allocated."""
    with torch.device("meta"):
        return BENet(BenetConfig(**switches)).eval()


def standard(width: int, outputs: int) -> HrNet:
    with torch.device("meta"):
        return HrNet(width, (1, 4, 3), 4, attention=False, outputs=outputs)


def count(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


@contextmanager
def counted(network: nn.Module) -> Iterator[dict[str, float]]:
    """GMAC of convolutions and linear layers of what runs inside, by the layer's name."""
    found: dict[str, float] = {}

    def hook(name: str) -> Callable[..., None]:
        def add(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
            # Each weight meets every output cell once, of a transposed convolution every input's.
            seen = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
            cells = seen.shape[0] * seen.shape[2:].numel()
            found[name] = found.get(name, 0) + layer.weight.numel() * cells / 1e9

        return add

    hooks = [
        layer.register_forward_hook(hook(name))
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
    ]
    yield found
    for each in hooks:
        each.remove()


def test_parameters_are_the_published_ones() -> None:
    network = built(fusion="learned")
    assert count(network.backbone) == BACKBONE
    assert count(network.maps.emotion) == BOTTOM_UP
    assert count(network.maps.heat, network.maps.size) == DETECTION
    assert count(network.person) == count(network.background) == VECTOR
    assert count(network.fusion) == FUSION
    assert count(network) == 19_499_851
    assert count(network.inference_part()) == 16_536_526


def test_attention_is_in_every_block_and_can_be_left_out() -> None:
    network, bare = built(), built(attention=False)
    assert count(network) - count(bare) == ATTENTION
    assert count(bare.backbone) == 15_128_192
    parts = [each for each in network.modules() if isinstance(each, BlockAttention)]
    assert count(*parts) == ATTENTION
    assert not any(isinstance(each, BlockAttention) for each in bare.modules())


@pytest.mark.parametrize("row", TABLE_1)
def test_rows_of_table_1(row: str) -> None:
    assert count(built(**TABLE_1[row])) == BACKBONE + ROWS[row]


def test_what_is_ours_comes_on_top() -> None:
    # 3x3 convolution 32 -> 17, norm, 1x1 convolution 17 -> 3, twice; linear 64 -> 3, twice.
    maps = 32 * 17 * 9 + 17 + 2 * 17 + 17 * 3 + 3
    assert count(built(vad=True)) - count(built()) == 2 * maps + 2 * (64 * 3 + 3)


def test_standard_hrnet_of_width_32_is_the_published_one() -> None:
    pose = standard(32, outputs=1)
    # Its last layer, 1x1 to 17 joints, has 561 more and belongs to the pose.
    assert count(pose) == 28_535_552
    assert count(built(backbone="hrnet_w32").backbone) == count(standard(32, outputs=4))
    assert count(built(backbone="hrnet_w18").backbone) == count(standard(18, outputs=4))
    state = pose.state_dict()
    assert {name: tuple(state[name].shape) for name in NAMED} == NAMED


def test_multiplications_at_512() -> None:
    network = built()
    images = torch.zeros(1, 3, 512, 512, device="meta")
    with counted(network) as whole:
        network.backbone(images)
    assert sum(whole.values()) == pytest.approx(25.24, abs=0.005)
    with counted(network) as maps:
        network.inference_part()(images.to(torch.uint8).permute(0, 2, 3, 1))
    heads = {
        name: sum(gmac for layer, gmac in maps.items() if layer.startswith(f"maps.{name}"))
        for name in ("emotion", "heat", "size")
    }
    assert heads["emotion"] == pytest.approx(5.76, abs=0.005)
    assert heads["heat"] + heads["size"] == pytest.approx(10.41, abs=0.005)
    # The published 41.41 has the last layers of the coarser maps in it, which no map head reads.
    unread = {layer: gmac for layer, gmac in whole.items() if layer not in maps}
    assert unread
    assert all(layer.startswith("backbone.stage4.1.fuse_layers.") for layer in unread)
    assert sum(maps.values()) + sum(unread.values()) == pytest.approx(41.41, abs=0.005)


@pytest.mark.parametrize(
    ("backbone", "wanted"), [("benet", 40.95), ("hrnet_w32", 56.93), ("hrnet_w18", 22.28)]
)
def test_multiplications_of_the_maps_by_backbone(backbone: str, wanted: float) -> None:
    network = built(backbone=backbone)
    with counted(network) as maps:
        network(torch.zeros(1, 3, 512, 512, device="meta"))
    assert sum(maps.values()) == pytest.approx(wanted, abs=0.005)


def test_a_pooled_stem_has_the_same_weights_and_multiplies_at_twice_the_sides() -> None:
    strided, pooled = built(), built(stem="pooled")
    assert {k: v.shape for k, v in pooled.state_dict().items()} == {
        k: v.shape for k, v in strided.state_dict().items()
    }
    with counted(pooled) as maps:
        output = pooled(torch.zeros(1, 3, 512, 512, device="meta"))
    assert [level.emotion.shape[-1] for level in output.maps] == [128, 256]
    # 3x3 convolutions of 3 and of 64 inputs to 64 outputs, at 512 and 256 pixels, not half of it.
    extra = 9 * 64 * (3 * 512**2 + 64 * 256**2) * 3 / 4
    assert sum(maps.values()) == pytest.approx(40.95 + extra / 1e9, abs=0.005)
