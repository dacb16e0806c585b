"""Every network can learn 64 pictures or clips by heart: gradients reach where they must."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import cross_entropy

from caer_ros.datasets.loader import view_batches
from caer_ros.networks.caer_net_config import TABLE_3
from caer_ros.networks.people_graph import PeopleGraph
from caer_ros.networks.registry import build_network
from caer_ros.training.supervised import make_optimizer
from caer_ros.training.supervised_recipe import Optimizer

STEPS = 40


def learn_by_heart(
    noise_source: Callable,
    name: str,
    face: int,
    context: int,
    frames: int,
    steps: int = STEPS,
    rate: float = 1e-3,
    **switches: object,
) -> float:
    """Accuracy in evaluation mode on the 64 samples that were trained on."""
    torch.manual_seed(0)
    network = build_network(name, dropout=0.0, **switches)
    graph = PeopleGraph(network).train()
    optimizer = make_optimizer(network, Optimizer("adamw", gate_rate=0.1), rate)
    batches = list(view_batches(noise_source(64, face, context, frames), range(64), 32, 0))
    for step in range(steps):
        batch = batches[step % 2]
        output = graph(batch.face, batch.context, batch.scene, batch.present)
        loss = cross_entropy(output.logits, batch.label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    graph.eval()
    with torch.no_grad():
        right = [
            graph(b.face, b.context, b.scene, b.present).logits.argmax(dim=1) == b.label
            for b in batches
        ]
    return float(torch.cat(right).float().mean())


MINUTES = pytest.mark.skipif(
    not os.environ.get("CAER_SLOW"), reason="minutes on two cores: set CAER_SLOW=1 to run it"
)


def test_caer_net_s(noise_source: Callable) -> None:
    assert learn_by_heart(noise_source, "caer_net_s", 48, 48, 0) > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in TABLE_3 if row != "F+C+cA+fA"])
def test_rows_of_table_3(row: str, noise_source: Callable) -> None:
    assert learn_by_heart(noise_source, "caer_net_s", 48, 48, 0, **TABLE_3[row]) > 0.99


def test_caer_net(noise_source: Callable) -> None:
    assert learn_by_heart(noise_source, "caer_net", 32, 32, 8) > 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "context", "frames"),
    [
        ("alexnet", 224, 0),
        pytest.param("vgg16", 64, 0, marks=MINUTES),
        pytest.param("resnet50", 64, 0, marks=MINUTES),
        pytest.param("c3d", 16, 16, marks=MINUTES),
    ],
)
def test_baselines(name: str, context: int, frames: int, noise_source: Callable) -> None:
    # Deeper, and but for ResNet without batch normalisation: smaller steps, and more of them.
    found = learn_by_heart(noise_source, name, 8, context, frames, steps=160, rate=2e-4)
    assert found > 0.99
