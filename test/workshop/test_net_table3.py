"""Every row of the paper's Table 3, static and dynamic: counts, shapes, faces that are missing."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from caer_ros.core import InputError
from caer_ros.networks.caer_net import CaerNet
from caer_ros.networks.caer_net_config import TABLE_3, CaerNetConfig
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.interface import EmotionNetwork, NetworkOutput
from caer_ros.networks.registry import build_network

pytestmark = pytest.mark.usefixtures("one_thread")

# row: parameters static, dynamic; by hand from the layer list, 7 classes.
COUNTS = {
    "F": (1_013_767, 2_969_287),
    "C": (1_013_767, 2_969_287),
    "C+cA": (1_310_218, 3_857_866),
    "F+C": (2_026_503, 5_937_543),
    "F+C+cA": (2_322_954, 6_826_122),
    "F+C+fA": (2_092_553, 6_003_593),
    "F+C+cA+fA": (2_389_004, 6_892_172),
}
NAMES = ("caer_net_s", "caer_net")
BOTH = [row for row in TABLE_3 if row.startswith("F+C")]
EVERY = [(name, row) for name in NAMES for row in TABLE_3]


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def small(name: str, people: int = 4, scenes: int = 2) -> tuple[torch.Tensor, ...]:
    """Noise of 32 pixels and 8 frames: grids of 2 x 2, at a fraction of the cost."""
    generator = torch.Generator().manual_seed(1)
    shape = (3, 32, 32) if name == "caer_net_s" else (3, 8, 32, 32)
    return (
        torch.randn(people, *shape, generator=generator),
        torch.randn(scenes, *shape, generator=generator),
        torch.arange(people) % scenes,
    )


def ready(name: str, row: str, **switches: object) -> EmotionNetwork:
    """A network in evaluation mode whose batch norms are not the identity."""
    torch.manual_seed(0)
    network = build_network(name, **TABLE_3[row], **switches)
    with torch.no_grad():
        network(*small(name, people=6, scenes=3))
    return network.eval()


@torch.no_grad()
def run(network: EmotionNetwork, *inputs: torch.Tensor) -> NetworkOutput:
    return network(*inputs)


@pytest.mark.parametrize(("name", "row"), EVERY)
def test_parameters(name: str, row: str) -> None:
    with torch.device("meta"):
        network = build_network(name, **TABLE_3[row])
    assert count(network) == COUNTS[row][NAMES.index(name)]
    if network.reads_face:
        assert count(network.face_encoder) == (979_968 if name == "caer_net_s" else 2_935_488)


def test_parts_of_the_dynamic_network() -> None:
    with torch.device("meta"):
        network = CaerNet()
    assert count(network.attention) == 888_579
    assert count(network.fusion) == 132_617


def test_the_full_network_is_the_default() -> None:
    assert CaerNetConfig(**TABLE_3["F+C+cA+fA"]) == CaerNetConfig()
    literal = CaerNetConfig.literal()
    assert (literal.pooling, literal.attention_logits) == ("mean", "relu")


@pytest.mark.parametrize(("name", "row"), EVERY)
def test_outputs(name: str, row: str) -> None:
    output = run(ready(name, row), *small(name, people=5))
    assert output.logits.shape == (5, 7)
    assert output.fusion.shape == (5, 2)
    torch.testing.assert_close(output.fusion.sum(dim=1), torch.ones(5))
    if "C" in row:
        assert output.attention.shape == ((2, 2, 2) if name == "caer_net_s" else (2, 1, 2, 2))
    sums = output.attention.sum(dim=(-2, -1))
    torch.testing.assert_close(sums, torch.ones_like(sums))
    expected = {"F": (1.0, 0.0), "C": (0.0, 1.0), "C+cA": (0.0, 1.0)}
    if row in expected:
        assert (output.fusion == torch.tensor(expected[row])).all()
    if "cA" not in row:
        assert (output.attention == output.attention.flatten()[0]).all()


@pytest.mark.parametrize(("name", "row"), EVERY)
def test_one_by_one_equals_together(name: str, row: str) -> None:
    network = ready(name, row)
    face, context, scene = small(name)
    together = run(network, face, context, scene)
    for person in (0, 3):
        mine = scene[person]
        alone = run(
            network, face[person : person + 1], context[mine : mine + 1], torch.zeros(1).long()
        )
        torch.testing.assert_close(alone.logits[0], together.logits[person], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(alone.fusion[0], together.fusion[person], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("row", BOTH)
def test_without_a_face_the_context_decides(name: str, row: str) -> None:
    network = ready(name, row)
    face, context, scene = small(name)
    present = torch.tensor([True, False, True, False])
    seen = run(network, face, context, scene, present)
    others = run(network, face.flip(0) * 3, context, scene, present)
    assert (seen.fusion[~present] == torch.tensor([0.0, 1.0])).all()
    assert (seen.fusion[present, 0] > 0).all()
    assert (seen.logits[~present] == others.logits[~present]).all()
    assert (seen.logits[present] != others.logits[present]).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_faces_refuses_to_guess(name: str) -> None:
    network = ready(name, "F")
    face, _, scene = small(name)
    run(network, face, None, scene, torch.ones(4, dtype=torch.bool))
    with pytest.raises(InputError, match=r"1 of 4 people have no face.*Leave them out"):
        run(network, face, None, scene, torch.tensor([True, True, False, True]))


@pytest.mark.parametrize("name", NAMES)
def test_the_other_stream_may_be_none(name: str) -> None:
    face, context, scene = small(name)
    of_faces, of_scenes = ready(name, "F"), ready(name, "C+cA")
    assert run(of_faces, face, None, scene).attention.shape[0] == 0
    absent = torch.zeros(4, dtype=torch.bool)
    torch.testing.assert_close(
        run(of_scenes, None, context, scene, absent).logits,
        run(of_scenes, face, context, scene).logits,
    )
    with pytest.raises(InputError, match="'face' is None"):
        run(of_faces, None, context, scene)
    with pytest.raises(InputError, match="'context' is None"):
        run(of_scenes, face, None, scene)


@pytest.mark.parametrize(("name", "row"), EVERY)
def test_gradients_reach_everything(name: str, row: str) -> None:
    torch.manual_seed(0)
    network = build_network(name, dropout=0.0, **TABLE_3[row]).train()
    network(*small(name)).logits.square().sum().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        # A bias before batch norm, and a shift before the softmax, are cancelled by what follows.
        if parameter.ndim > 1 or "fusion" in parameter_name:
            assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", NAMES)
def test_chance_costs_the_logarithm_of_seven(name: str) -> None:
    network = ready(name, "F+C+cA+fA")
    nn.init.zeros_(network.fusion.classifier[-1].weight)
    nn.init.zeros_(network.fusion.classifier[-1].bias)
    logits = run(network, *small(name)).logits
    loss = nn.functional.cross_entropy(logits, torch.tensor([0, 3, 6, 2]))
    assert loss.item() == pytest.approx(1.945910, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_literal_context_is_the_better_one_over_the_cells(name: str) -> None:
    _, context, _ = small(name)
    better, literal = ready(name, "C+cA"), ready(name, "C+cA", pooling="mean")
    literal.load_state_dict(better.state_dict())
    with torch.no_grad():
        vectors, literal_vectors = (
            better.encode_context(context)[0],
            literal.encode_context(context)[0],
        )
    torch.testing.assert_close(literal_vectors * 4, vectors)


def test_concatenation_by_hand() -> None:
    network = CaerNetS(CaerNetConfig(context_attention=False, fusion="concat")).eval()
    face, context, scene = small("caer_net_s")
    with torch.no_grad():
        vectors, _ = network.encode_context(context)
        both = torch.cat([network.encode_face(face), vectors[scene]], dim=1)
        expected = network.fusion.classifier(both)
    torch.testing.assert_close(run(network, face, context, scene).logits, expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"streams": "body"},
        {"fusion": "sum"},
        {"context_attention": "yes"},
        {"context_attention": 1},
        {"fusion_relu": None},
        {"pooling": ["sum"]},
        {"dropout": "0.5"},
        {"dropout": -0.1},
        {"num_classes": 7.0},
    ],
    ids=str,
)
def test_wrong_switch_is_refused_with_a_remedy(wrong: dict) -> None:
    with pytest.raises(InputError, match=rf"{next(iter(wrong))} is .* Use"):
        build_network("caer_net", **wrong)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no network 'resnet'.*resnet50"):
        build_network("resnet")
    with pytest.raises(InputError, match=r"no switch heads, stream.*streams"):
        build_network("caer_net", stream="face", heads=2)
    with pytest.raises(InputError, match="no switch streams"):
        build_network("alexnet", streams="face")
