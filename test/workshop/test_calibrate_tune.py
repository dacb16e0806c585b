"""Fine-tuning with rounding repairs what a bad scale breaks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from caer_ros.core import InputError
from caer_ros.deploy.guard import Limits, findings
from caer_ros.deploy.judging.comparison import Comparison, compare_labels
from caer_ros.deploy.onnx_file import trace
from caer_ros.deploy.quantization.collect import collect
from caer_ros.deploy.quantization.folded import fold_batch_norm, match_layers
from caer_ros.deploy.quantization.plan import Plan
from caer_ros.deploy.quantization.qdq import SIGNED, UNSIGNED, write_qdq
from caer_ros.deploy.quantization.runner import Runner
from caer_ros.deploy.quantization.scales import Scales
from caer_ros.deploy.quantization.tune import Tuning, tune
from caer_ros.evaluation.predict import softmax

SIDE = 24


class Tiny(nn.Module):
    """Two blocks with batch norm and a linear layer; uint8 [N, H, W, 3] -> logits [N, 4]."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 8), (8, 12)):
            layers += [nn.Conv2d(before, after, 3, 2), nn.BatchNorm2d(after), nn.ReLU()]
        self.blocks = nn.Sequential(*layers)
        self.classify = nn.Linear(12, 4)

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.permute(0, 3, 1, 2).float() / 64 - 2
        return 6 * self.classify(self.blocks(pixels).mean(dim=(2, 3)))


def pictures(count: int, seed: int) -> np.ndarray:
    """uint8 [count, SIDE, SIDE, 3]: stripes of random colours, widths and angles."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    found = []
    for _ in range(count):
        wave = np.sin(x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) + rng.uniform(0, 6))
        found.append(127 + wave[..., None] * rng.uniform(-120, 120, 3))
    return np.stack(found).astype(np.uint8)


@pytest.fixture(scope="module")
def network() -> Tiny:
    torch.manual_seed(0)
    network = Tiny().train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.from_numpy(pictures(32, 5)))
    return network.eval()


@pytest.fixture(scope="module")
def plan(network: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("tiny") / "fp32.onnx"
    example = (torch.from_numpy(pictures(2, 0)),)
    axes = {"images": {0: "n"}, "logits": {0: "n"}}
    path.write_bytes(trace(network, example, ["images"], ["logits"], axes))
    return Plan.of(path)


FEEDS = [lambda rows=rows: {"images": rows} for rows in np.split(pictures(128, 1), 8)]


@pytest.fixture(scope="module")
def scales(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Scales:
    ranges = collect(plan.graph.model, plan.tensors, FEEDS, tmp_path_factory.mktemp("state"), {})
    return plan.scales(ranges, "minmax", 100)


def answer(module: nn.Module, arrays) -> Tensor:  # type: ignore[no-untyped-def]
    return module(torch.from_numpy(arrays["images"]))


def compared(reference: Plan, plan: Plan, scales: Scales, form) -> Comparison:  # type: ignore[no-untyped-def]
    feed = {"images": pictures(200, 2)}
    models = reference.graph.model, write_qdq(plan.graph, plan.layers, scales, plan.reasons, form)
    wanted, got = (softmax(Runner(m).run(feed, ["logits"])["logits"]) for m in models)
    return compare_labels(wanted, got)


@pytest.mark.parametrize(
    ("factor", "form"),
    # Unsigned bytes reach twice as far with the same scale, and clip less.
    [(20, SIGNED), (0.3, SIGNED), (20, UNSIGNED)],
    ids=["coarse s8s8", "clipped s8s8", "coarse u8s8"],
)
def test_a_bad_scale_fails_the_guard_and_tuning_passes(
    network: Tiny, plan: Plan, scales: Scales, factor: float, form
) -> None:
    tensor = plan.layers[1].input
    assert not findings(Limits(), compared(plan, plan, scales, form))
    bad = scales.with_activation({tensor: factor * scales.activation[tensor]})
    before = compared(plan, plan, bad, form)
    assert findings(Limits(), before)
    tuning = Tuning(epochs=40, learning_rate=1e-3, scale_rate=0.1)
    tuned_plan, tuned = tune(network, answer, plan, bad, plan.reasons, FEEDS, tuning)
    after = compared(plan, tuned_plan, tuned, form)
    assert not findings(Limits(), after), after
    assert after.mean_delta < before.mean_delta / 2


def test_tuning_leaves_the_network_and_the_names_alone(
    network: Tiny, plan: Plan, scales: Scales
) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    tuned, _ = tune(network, answer, plan, scales, plan.reasons, FEEDS, Tuning(epochs=1))
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    assert [layer.name for layer in tuned.layers] == [layer.name for layer in plan.layers]
    assert tuned.tensors == plan.tensors
    # Batch norm is folded for tuning as the exporter folds it: nothing else may change the answers.
    first = plan.layers[0]
    moved = tuned.graph.weights[tuned.layers[0].weight] - plan.graph.weights[first.weight]
    assert 0 < np.abs(moved).max() < 0.1 * np.abs(plan.graph.weights[first.weight]).max()


def test_batch_norm_is_folded_without_a_change(network: Tiny) -> None:
    import copy

    folded = copy.deepcopy(network)
    images = torch.from_numpy(pictures(4, 3))
    fold_batch_norm(folded, lambda: folded(images))
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    torch.testing.assert_close(folded(images), network(images), rtol=1e-4, atol=1e-4)


def test_another_checkpoint_is_noticed(plan: Plan) -> None:
    torch.manual_seed(9)
    with pytest.raises(InputError, match="has no layer with the weights of"):
        match_layers(Tiny().eval(), plan.graph, plan.layers)


def test_impossible_tuning() -> None:
    with pytest.raises(InputError):
        Tuning(epochs=0)
