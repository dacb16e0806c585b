"""Class activation maps against hand-computed ones, and the figure they are drawn in."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from caer_ros.core import InputError
from caer_ros.evaluation.attention_figure import FigureColumn, attention_figure, heat_over
from caer_ros.networks.baseline import Baseline, BaselineConfig
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.class_activation import class_activation_map
from caer_ros.networks.extractors.base import Extractor
from caer_ros.networks.registry import build_network

pytestmark = pytest.mark.usefixtures("one_thread")


class Through(Extractor):
    """Lets a 2 x 2 picture through as its own feature maps."""

    input_shape = (3, 2, 2)
    channels = 3
    grid = (2, 2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image


def tiny(pooling: str = "average") -> Baseline:
    """logit of class 1 = 3 relu(mean of map 0) + 5 relu(1 - mean of map 1), or of their sums."""
    config = BaselineConfig(num_classes=2, hidden=2, pooling=pooling)
    network = Baseline("tiny", Through(), config).eval()
    cells = 1 if pooling == "average" else 4
    first = torch.tensor([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]).repeat_interleave(cells, dim=1)
    with torch.no_grad():
        network.head[0].weight.copy_(first)
        network.head[0].bias.copy_(torch.tensor([0.0, 1.0]))
        network.head[3].weight.copy_(torch.tensor([[0.0, 0.0], [3.0, 5.0]]))
        network.head[3].bias.zero_()
    return network


# Means 0.25, 0.5 and 0.
IMAGE = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]], [[0.0, 2.0], [0.0, 0.0]], [[0.0] * 2] * 2]])


def test_by_hand() -> None:
    network = tiny()
    activation = class_activation_map(network, IMAGE, 1)
    # 3 map0 - 5 map1
    assert activation.tolist() == [[[3.0, -10.0], [0.0, 0.0]]]
    assert not activation.requires_grad
    logit = network(None, IMAGE, torch.tensor([0])).logits[0, 1].item()
    assert logit == pytest.approx(3 * 0.25 + 5 * 0.5)
    # The map's mean and the constant 5 * 1 of the open second unit make the logit.
    assert activation.mean().item() + 5 == pytest.approx(logit)
    assert class_activation_map(network, IMAGE, 0).abs().sum() == 0


def test_a_closed_unit_gives_no_evidence() -> None:
    # The mean of map 1 is 1.5 now: 1 - 1.5 < 0.
    image = IMAGE * torch.tensor([1.0, 3.0, 1.0]).view(1, 3, 1, 1)
    assert class_activation_map(tiny(), image, 1).tolist() == [[[3.0, 0.0], [0.0, 0.0]]]


def test_of_a_head_that_reads_cells() -> None:
    # The sum of map 1 is 2: its unit is closed. Each of four cells of map 0 counts 3.
    assert class_activation_map(tiny("cells"), IMAGE, 1).tolist() == [[[12.0, 0.0], [0.0, 0.0]]]


def test_each_image_has_its_own_class_and_map() -> None:
    images = torch.cat([IMAGE, IMAGE * 2])
    both = class_activation_map(tiny(), images, torch.tensor([1, 0]))
    assert both[0].tolist() == [[3.0, -10.0], [0.0, 0.0]]
    assert both[1].abs().sum() == 0


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode])
def test_works_where_gradients_are_off(guard: type) -> None:
    torch.manual_seed(0)
    network = build_network("alexnet", frozen=True).eval()
    with guard():
        image = torch.randn(2, 3, 96, 96)
        activation = class_activation_map(network, image, torch.tensor([3, 3]))
    assert activation.shape == (2, 2, 2)
    assert activation.abs().sum() > 0
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.slow
def test_of_a_clip() -> None:
    network = build_network("c3d").eval()
    assert class_activation_map(network, torch.randn(1, 3, 16, 64, 64), 3).shape == (1, 1, 3, 3)


def test_what_can_not_be_mapped_is_refused() -> None:
    with pytest.raises(InputError, match="not for CaerNetS"):
        class_activation_map(CaerNetS().eval(), IMAGE, 0)
    with pytest.raises(InputError, match="training mode"):
        class_activation_map(tiny().train(), IMAGE, 0)
    for label in (2, -1, torch.tensor([0, 1])):
        with pytest.raises(InputError, match=r"Give one class in 0\.\.1"):
            class_activation_map(tiny(), IMAGE, label)


def column(label: str = "Happy", **changes: np.ndarray) -> FigureColumn:
    rng = np.random.default_rng(0)
    arrays = {
        "image": rng.integers(0, 256, (40, 60, 3), dtype=np.uint8),
        "activation": rng.normal(size=(7, 7)),
        "context": np.zeros((50, 50, 3), np.uint8),
        "attention": rng.random((14, 14)),
    }
    return FigureColumn(**(arrays | changes), label=label)


def test_figure_has_four_rows_and_a_column_a_sample() -> None:
    figure = attention_figure([column(), column("Sad")], size=32)
    assert figure.dtype == np.uint8
    assert figure.shape == (22 + 4 * (4 + 32), 110 + 2 * (4 + 32), 3)


def test_heat_is_red_at_the_maximum_and_blue_at_the_minimum() -> None:
    heat = heat_over(np.zeros((40, 40, 3), np.uint8), np.array([[0.0, 0.0], [0.0, 9.0]]))
    blue, _, red = (int(value) for value in heat[39, 39])
    assert red > 50 > blue
    blue, _, red = (int(value) for value in heat[0, 0])
    assert blue > 50 > red


def test_a_flat_map_is_all_blue() -> None:
    heat = heat_over(np.zeros((8, 8, 3), np.uint8), np.full((2, 2), 0.25))
    assert (heat == heat[0, 0]).all()
    assert heat[0, 0, 0] > heat[0, 0, 2]


def test_figure_refuses_what_it_can_not_draw() -> None:
    with pytest.raises(InputError, match="at least one sample"):
        attention_figure([])
    with pytest.raises(InputError, match="BGR"):
        attention_figure([column(image=np.zeros((4, 4), np.uint8))])
    for wrong in (np.zeros((2, 7, 7)), np.full((2, 2), np.nan)):
        with pytest.raises(InputError, match=r"finite \[h, w\]"):
            attention_figure([column(attention=wrong)])
