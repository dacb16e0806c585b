"""The network against the paper's arithmetic."""

from __future__ import annotations

import itertools

import pytest
import torch

from caer_ros.core import InputError
from caer_ros.networks.blocks import AttentionInference, pool_by_attention
from caer_ros.networks.caer_net_s import CaerNetS, CaerNetSConfig

FORMS = [
    CaerNetSConfig(pooling=pooling, attention_logits=logits, fusion_relu=relu)
    for pooling, logits, relu in itertools.product(("sum", "mean"), ("raw", "relu"), (True, False))
]


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def inputs(people: int = 3, scenes: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(people, 3, 96, 96, generator=generator),
        torch.randn(scenes, 3, 224, 224, generator=generator),
        torch.arange(people) % scenes,
    )


@pytest.mark.parametrize("config", FORMS, ids=str)
def test_every_form_has_the_papers_parameters(config: CaerNetSConfig) -> None:
    network = CaerNetS(config)
    assert count(network) == 2_389_004
    assert count(network.face_encoder) == count(network.context_encoder) == 979_968
    assert count(network.attention) == 296_451
    assert count(network.fusion) == 132_617


def test_other_numbers_of_classes() -> None:
    assert count(CaerNetS(CaerNetSConfig(num_classes=26)).fusion) == 135_068


@pytest.mark.parametrize(
    "wrong",
    [{"pooling": "max"}, {"attention_logits": "tanh"}, {"dropout": 1.0}, {"num_classes": 1}],
)
def test_wrong_switch_is_refused_with_a_remedy(wrong: dict) -> None:
    with pytest.raises(InputError, match="Use"):
        CaerNetSConfig(**wrong)


def test_pooling_by_hand() -> None:
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    attention = torch.tensor([[[0.1, 0.2], [0.3, 0.4]]])
    total = pool_by_attention(features, attention, "sum")
    # 0.1 * 1 + 0.2 * 2 + 0.3 * 3 + 0.4 * 4
    assert total.item() == pytest.approx(3.0)
    assert pool_by_attention(features, attention, "mean").item() == pytest.approx(3.0 / 4)


def test_mean_form_is_the_sum_form_over_196(network: CaerNetS) -> None:
    _, context, _ = inputs()
    with torch.no_grad():
        features = network.context_encoder(context)
        attention = network.attention(features)
    total = pool_by_attention(features, attention, "sum")
    mean = pool_by_attention(features, attention, "mean")
    torch.testing.assert_close(mean * 196, total)


@pytest.mark.parametrize("logits", ["raw", "relu"])
def test_attention_is_a_distribution(logits: str) -> None:
    attention = AttentionInference(logits).eval()(torch.rand(2, 256, 14, 14))
    assert attention.shape == (2, 14, 14)
    assert (attention >= 0).all()
    torch.testing.assert_close(attention.sum(dim=(1, 2)), torch.ones(2))


def test_rectified_logits_tie_half_of_the_cells() -> None:
    torch.manual_seed(0)
    attention = AttentionInference("relu").train()(torch.rand(2, 256, 14, 14))
    for one in attention:
        assert (one == one.min()).sum() > 196 / 4


def test_output_shapes_and_fusion(network: CaerNetS) -> None:
    with torch.no_grad():
        output = network(*inputs(people=5))
    assert output.logits.shape == (5, 7)
    assert output.attention.shape == (2, 14, 14)
    torch.testing.assert_close(output.fusion.sum(dim=1), torch.ones(5))


def test_without_a_face_only_the_context_counts(network: CaerNetS) -> None:
    face, context, scene = inputs(people=4)
    present = torch.tensor([True, False, True, False])
    with torch.no_grad():
        seen = network(face, context, scene, present)
        other_faces = network(face.flip(0), context, scene, present)
    assert (seen.fusion[~present, 0] == 0).all()
    assert (seen.fusion[~present, 1] == 1).all()
    assert (seen.fusion[present, 0] > 0).all()
    torch.testing.assert_close(seen.logits[~present], other_faces.logits[~present])


def test_a_context_is_shared_by_its_people(network: CaerNetS) -> None:
    face, context, scene = inputs(people=4)
    with torch.no_grad():
        shared = network(face, context, scene)
        own = network(face, context[scene], torch.arange(4))
    torch.testing.assert_close(shared.logits, own.logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(shared.fusion, own.fusion, atol=1e-5, rtol=1e-5)


def test_one_by_one_equals_together(network: CaerNetS) -> None:
    face, context, scene = inputs(people=3)
    with torch.no_grad():
        together = network(face, context, scene).logits
        alone = [network(face[i : i + 1], context, scene[i : i + 1]).logits for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("config", [CaerNetSConfig(dropout=0), CaerNetSConfig.literal()], ids=str)
def test_gradients_reach_everything(config: CaerNetSConfig) -> None:
    torch.manual_seed(0)
    network = CaerNetS(config).train()
    network(*inputs(people=4)).logits.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        # A bias before batch norm, and a shift before the softmax, are cancelled by what follows.
        cancelled = parameter.ndim == 1 and ("encoder" in name or "attention" in name)
        if not cancelled:
            assert parameter.grad.abs().sum() > 0, name
