"""The dynamic network's own arithmetic, and how it starts from a static one."""

from __future__ import annotations

import pytest
import torch

from caer_ros.core import InputError
from caer_ros.networks.blocks import AttentionInference, Encoder, pool_by_attention
from caer_ros.networks.caer_net import CaerNet
from caer_ros.networks.caer_net_config import TABLE_3, CaerNetConfig
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.inflate import inflate

pytestmark = pytest.mark.usefixtures("one_thread")


def static_network(**switches: object) -> CaerNetS:
    """Random weights with batch-norm statistics that are not the identity."""
    torch.manual_seed(0)
    network = CaerNetS(CaerNetConfig(**switches))
    with torch.no_grad():
        network(torch.randn(6, 3, 32, 32), torch.randn(6, 3, 48, 48), torch.arange(6))
    return network.eval()


def frozen_clip(picture: torch.Tensor, frames: int) -> torch.Tensor:
    return picture.unsqueeze(2).repeat(1, 1, frames, 1, 1)


@pytest.mark.slow
def test_shapes_at_full_size() -> None:
    network = CaerNet().eval()
    face, context = torch.randn(2, *network.face_shape), torch.randn(1, *network.context_shape)
    with torch.no_grad():
        assert network.face_encoder(face).shape == (2, 256, 2, 6, 6)
        assert network.context_encoder(context).shape == (1, 256, 2, 7, 7)
        output = network(face, context, torch.tensor([0, 0]))
    assert output.logits.shape == (2, 7)
    assert output.attention.shape == (1, 2, 7, 7) == (1, *network.attention_shape)
    torch.testing.assert_close(output.attention.sum(dim=(2, 3)), torch.ones(1, 2))


def test_the_first_pooling_keeps_time() -> None:
    encoder = Encoder(dims=3).eval()
    shapes = []
    with torch.no_grad():
        maps = torch.randn(1, 3, 16, 32, 32)
        for layer in encoder:
            maps = layer(maps)
            if isinstance(layer, torch.nn.MaxPool3d):
                shapes.append(tuple(maps.shape[2:]))
    assert shapes == [(16, 16, 16), (8, 8, 8), (4, 4, 4), (2, 2, 2)]


@pytest.mark.parametrize("logits", ["raw", "relu"])
def test_attention_sums_to_one_at_each_time_step(logits: str) -> None:
    torch.manual_seed(0)
    attention = AttentionInference(logits, dims=3)
    with torch.no_grad():
        maps = attention(torch.randn(2, 256, 3, 4, 5) * 3)
    assert maps.shape == (2, 3, 4, 5)
    torch.testing.assert_close(maps.sum(dim=(2, 3)), torch.ones(2, 3))
    assert not torch.allclose(maps[:, 0], maps[:, 1])


def test_pooling_a_clip_by_hand() -> None:
    features = torch.tensor([[[[[1.0, 2.0]], [[3.0, 4.0]]]]])  # one channel, two steps, 1 x 2
    attention = torch.tensor([[[[0.25, 0.75]], [[0.5, 0.5]]]])
    # mean over time of (0.25 * 1 + 0.75 * 2) and (0.5 * 3 + 0.5 * 4)
    assert pool_by_attention(features, attention, "sum").tolist() == [[(1.75 + 3.5) / 2]]
    assert pool_by_attention(features, attention, "mean").tolist() == [[(1.75 + 3.5) / 2 / 2]]


@pytest.mark.parametrize("frames", [1, 7, 9, 12, 17])
def test_other_lengths_are_refused(frames: int) -> None:
    clip = torch.zeros(1, 3, frames, 32, 32)
    with pytest.raises(InputError, match=rf"{frames} frames.*multiple of 8"):
        CaerNet().eval()(clip, clip, torch.tensor([0]))


@pytest.mark.parametrize("frames", [8, 24])
def test_other_multiples_of_eight_work(frames: int) -> None:
    clip = torch.zeros(1, 3, frames, 32, 32)
    with torch.no_grad():
        output = CaerNet().eval()(clip, clip, torch.tensor([0]))
    assert output.attention.shape == (1, frames // 8, 2, 2)


@pytest.mark.parametrize("row", TABLE_3)
def test_central_inflation_answers_as_the_static_network(row: str) -> None:
    static = static_network(**TABLE_3[row])
    dynamic = inflate(static)
    assert dynamic.config == static.config
    assert not dynamic.training
    face, context, scene = torch.randn(3, 3, 32, 32), torch.randn(2, 3, 48, 48), torch.arange(3) % 2
    with torch.no_grad():
        wanted = static(face, context, scene)
        got = dynamic(frozen_clip(face, 8), frozen_clip(context, 8), scene)
    torch.testing.assert_close(got.logits, wanted.logits, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(got.fusion, wanted.fusion, atol=1e-5, rtol=1e-4)
    if row != "F":
        torch.testing.assert_close(got.attention[:, 0], wanted.attention, atol=1e-5, rtol=1e-4)


def test_average_inflation_answers_so_away_from_the_ends() -> None:
    static = static_network()
    dynamic = inflate(static, "average")
    picture = torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        wanted = static.face_encoder(picture).unsqueeze(2)
        long = dynamic.face_encoder(frozen_clip(picture, 64))
        short = dynamic.face_encoder(frozen_clip(picture, 16))
    torch.testing.assert_close(
        long[:, :, 2:6], wanted.expand(-1, -1, 4, -1, -1), atol=1e-4, rtol=1e-3
    )
    ends = (long[:, :, [0, 7]] - wanted).abs().amax()
    assert ends > 0.01
    assert ((short - wanted).abs().amax(dim=(0, 1, 3, 4)) > 0.01).all()


def test_one_convolution_loses_a_third_at_the_ends() -> None:
    static = static_network()
    dynamic = inflate(static, "average")
    picture = torch.randn(1, 3, 16, 16)
    flat, deep = static.face_encoder[0], dynamic.face_encoder[0]
    with torch.no_grad():
        wanted = flat(picture) - flat.bias.view(1, -1, 1, 1)
        got = deep(frozen_clip(picture, 5)) - flat.bias.view(1, -1, 1, 1, 1)
    for step, share in enumerate((2 / 3, 1, 1, 1, 2 / 3)):
        torch.testing.assert_close(got[:, :, step], wanted * share, atol=1e-5, rtol=1e-4)


def test_the_outer_steps_can_learn() -> None:
    dynamic = inflate(static_network(dropout=0.0)).train()
    clip = torch.randn(2, 3, 8, 32, 32)
    dynamic(clip, clip, torch.arange(2)).logits.square().sum().backward()
    gradient = dynamic.face_encoder[0].weight.grad
    assert (gradient.abs().sum(dim=(0, 1, 3, 4)) > 0).all()


def test_unknown_kernel_is_refused() -> None:
    with pytest.raises(InputError, match="kernel is 'mean'"):
        inflate(static_network(), "mean")
