"""The network as ONNX Runtime likes it: other nodes, the same answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import nn

from caer_ros.deploy.onnx_file import trace
from caer_ros.deploy.quantization.collect import collect
from caer_ros.deploy.quantization.graph import Graph
from caer_ros.deploy.quantization.layers import TRANSPOSED, find_layers, summands
from caer_ros.deploy.quantization.onnxruntime_form import for_onnxruntime
from caer_ros.deploy.quantization.padded import with_padded_channels
from caer_ros.deploy.quantization.placement import read_twice, residuals, summed
from caer_ros.deploy.quantization.plan import Plan
from caer_ros.deploy.quantization.qdq import SIGNED, UNSIGNED, write_qdq
from caer_ros.deploy.quantization.rows import normalised_by_rows
from caer_ros.deploy.quantization.runner import Runner
from caer_ros.deploy.quantization.scales import Scales
from caer_ros.deploy.quantization.transposed import as_ordinary, without_transposed
from caer_ros.networks.benet.blocks import BasicBlock
from caer_ros.networks.inputs import Normalize


class Maps(nn.Module):
    """BENet's parts in small: a stem, a block with attention, a doubled map, an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.normalize = Normalize()
        self.stem = nn.Conv2d(3, 16, 3, 2, padding=1)
        self.block = BasicBlock(16, attention=True)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(16, 16, 4, 2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        self.hidden = nn.Sequential(nn.Conv2d(16, 21, 3, padding=1), nn.ReLU())
        self.answer = nn.Conv2d(21, 5, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        stem = torch.relu(self.stem(self.normalize(images)))
        return self.answer(self.hidden(self.up(self.block(stem))))


def pictures(seed: int, count: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"images": rng.integers(0, 256, (count, 16, 24, 3), dtype=np.uint8)}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    torch.manual_seed(0)
    network = Maps().train()
    with torch.no_grad():
        for seed in range(10):
            network(torch.from_numpy(pictures(seed)["images"]))
    axes = {"images": {0: "n", 1: "h", 2: "w"}, "answer": {0: "n", 2: "oh", 3: "ow"}}
    example = (torch.from_numpy(pictures(0)["images"]),)
    path = tmp_path_factory.mktemp("maps") / "fp32.onnx"
    path.write_bytes(trace(network.eval(), example, ["images"], ["answer"], axes))
    return Plan.of(path)


@pytest.fixture(scope="module")
def scales(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Scales:
    feeds = [lambda seed=seed: pictures(seed) for seed in range(20, 24)]
    ranges = collect(plan.graph.model, plan.tensors, feeds, tmp_path_factory.mktemp("state"), {})
    return plan.scales(ranges, "minmax", 100)


def answer(model: ModelProto, seed: int = 50) -> np.ndarray:
    onnx.checker.check_model(model)
    (name,) = [value.name for value in model.graph.output]
    return Runner(model).run(pictures(seed), [name])[name]


def operators(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_the_whole_form_answers_as_before(plan: Plan, scales: Scales) -> None:
    graph, layers, table, kept = for_onnxruntime(plan.graph, plan.layers, scales, plan.reasons)
    np.testing.assert_allclose(answer(graph.model), answer(plan.graph.model), rtol=1e-4, atol=1e-5)
    assert TRANSPOSED in plan.reasons.values()
    assert "ConvTranspose" not in operators(graph.model)
    # It is INT8 now, and every layer has its scales.
    assert kept < set(plan.reasons)
    assert {name for each in layers for name in (each.input, each.output)} <= set(table.activation)


def test_int8_files_answer_as_fp32_does(plan: Plan, scales: Scales) -> None:
    wanted = answer(plan.graph.model)
    for form in (SIGNED, UNSIGNED):
        model = write_qdq(plan.graph, plan.layers, scales, plan.reasons, form)
        assert 0 < np.abs(answer(model) - wanted).max() < 0.05 * np.abs(wanted).max()
        assert ("ConvTranspose" in operators(model)) == (form is SIGNED)


def test_a_transposed_layer_that_was_asked_for_stays(plan: Plan, scales: Scales) -> None:
    asked = dict.fromkeys(plan.reasons, "asked for")
    model = write_qdq(plan.graph, plan.layers, scales, asked, UNSIGNED)
    assert "ConvTranspose" in operators(model)


def test_both_sides_of_a_sum_are_int8_for_onnx_runtime(plan: Plan, scales: Scales) -> None:
    (gated,) = summands(plan.graph, plan.layers)
    assert plan.graph.producer[gated].op_type == "Mul"
    model = write_qdq(plan.graph, plan.layers, scales, plan.reasons, UNSIGNED)
    add = next(n for n in model.graph.node if gated + "_dequantized" in n.input)
    assert add.op_type == "Add"
    assert all(name.endswith("_dequantized") for name in add.input)


@pytest.mark.parametrize(
    ("size", "stride", "pad"), [(4, 2, 1), (2, 2, 0), (8, 4, 2), (3, 3, 0), (6, 2, 2), (3, 1, 1)]
)
def test_an_ordinary_convolution_is_the_transposed_one(size: int, stride: int, pad: int) -> None:
    torch.manual_seed(1)
    layer = nn.ConvTranspose2d(3, 2, size, stride, padding=pad, bias=False)
    images = torch.randn(2, 3, 5, 7)
    with torch.no_grad():
        wanted = layer(images).numpy()
        weights = torch.from_numpy(as_ordinary(layer.weight.numpy(), stride, pad))
        cells = nn.functional.conv2d(images, weights, padding=weights.shape[2] // 2)
    squares = cells.numpy().reshape(2, stride, stride, 2, 5, 7).transpose(0, 3, 4, 1, 5, 2)
    np.testing.assert_allclose(squares.reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "changed",
    [{"output_padding": [1, 1]}, {"dilations": [2, 2]}, {"pads": [0] * 4}, {"strides": [2, 1]}],
    ids=lambda changed: next(iter(changed)),
)
def test_other_transposed_convolutions_are_left(changed: dict[str, list[int]]) -> None:
    wants = {"strides": [2, 2], "pads": [1] * 4} | changed
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], "up", **wants)
    model = small([node], {"w": np.ones((3, 2, 4, 4), np.float32)})
    assert operators(without_transposed(model, ["up"])) == ["ConvTranspose"]


def small(nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray]) -> ModelProto:
    """x float [n, 3, h, w] -> y."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "small",
        [value("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [value("y", TensorProto.FLOAT, ["n", "c", "high", "wide"])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_channels_are_padded_only_where_convolutions_alone_read_them() -> None:
    rng = np.random.default_rng(0)
    weights = {
        "w": rng.normal(size=(5, 3, 3, 3)).astype(np.float32),
        "b": rng.normal(size=5).astype(np.float32),
        "v": rng.normal(size=(2, 5, 1, 1)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["a"], "first", pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["r"], "relu"),
        helper.make_node("Conv", ["r", "v"], ["y"], "last"),
    ]
    model = small(nodes, weights)
    padded = with_padded_channels(model, ["first", "last"])
    shapes = {t.name: tuple(t.dims) for t in padded.graph.initializer}
    assert sorted(shapes.values()) == [(2, 16, 1, 1), (16,), (16, 3, 3, 3)]
    feed = {"x": rng.normal(size=(1, 3, 6, 6)).astype(np.float32)}
    wanted, got = (Runner(each).run(feed, ["y"])["y"] for each in (model, padded))
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    seen = [*nodes[:2], helper.make_node("Sigmoid", ["r"], ["y"], "last")]
    assert with_padded_channels(small(seen, weights), ["first"]) == small(
        seen, {name: weights[name] for name in ("w", "b")}
    )


@pytest.mark.parametrize("first", ["Cast", "Transpose"])
def test_rows_are_normalised_as_pixels_were(first: str) -> None:
    transpose = {"perm": [0, 3, 1, 2]}
    cast = {"to": TensorProto.FLOAT}
    order = [("Cast", cast), ("Transpose", transpose)]
    nodes = [
        helper.make_node(kind, [f"v{i}"], [f"v{i + 1}"], kind, **more)
        for i, (kind, more) in enumerate(order if first == "Cast" else order[::-1])
    ]
    nodes.append(helper.make_node("Mul", ["v2", "scale"], ["v3"], "Mul"))
    nodes.append(helper.make_node("Add", ["shift", "v3"], ["y"], "Add"))
    weights = {
        "scale": np.array([0.1, 0.2, 0.3], np.float32).reshape(1, 3, 1, 1),
        "shift": np.array([1, 2, 3], np.float32).reshape(1, 3, 1, 1),
    }
    model = small(nodes, weights)
    del model.graph.input[:]
    picture = helper.make_tensor_value_info("v0", TensorProto.UINT8, ["n", "h", "w", 3])
    model.graph.input.append(picture)
    rows = normalised_by_rows(model)
    assert operators(rows).index("Transpose") > operators(rows).index("Add")
    feed = {"v0": np.random.default_rng(0).integers(0, 256, (2, 3, 5, 3), dtype=np.uint8)}
    wanted, got = (Runner(each).run(feed, ["y"])["y"] for each in (model, rows))
    np.testing.assert_array_equal(got, wanted)
    # Somebody else reads the values on the way: nothing is moved.
    nodes.append(helper.make_node("Relu", ["v3"], ["z"], "Relu"))
    model.graph.node.append(nodes[-1])
    assert normalised_by_rows(model) == model


def test_what_is_added_without_being_fused_is_int8_for_openvino_too() -> None:
    weights = {"w": np.ones((3, 3, 3, 3), np.float32)}

    def conv(source: str, target: str) -> onnx.NodeProto:
        return helper.make_node("Conv", [source, "w"], [target], target, pads=[1] * 4)

    nodes = [
        conv("x", "main"),
        helper.make_node("Sigmoid", ["main"], ["gated"], "sigmoid"),
        conv("x", "side"),
        helper.make_node("Add", ["gated", "side"], ["sum"], "beside a gate"),
        conv("sum", "coarse"),
        helper.make_node("Resize", ["coarse", "", "", "size"], ["fine"], "resize"),
        conv("sum", "fused"),
        helper.make_node("Add", ["fused", "sum"], ["again"], "past a layer"),
        helper.make_node("Add", ["again", "fine"], ["y"], "past another"),
    ]
    size = np.array([1, 3, 8, 8], np.int64)
    graph = Graph(small(nodes, weights | {"size": size}))
    layers = find_layers(graph)
    fused = residuals(graph, layers)
    assert fused == {"past a layer": "sum"}
    assert summed(graph, layers, fused) == {"side", "coarse"}
    assert not read_twice(graph, layers)


def test_the_plan_of_a_network_without_sums_is_as_it_was(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], "only")
    onnx.save(small([node], {"w": np.ones((2, 3, 1, 1), np.float32)}), tmp_path / "m.onnx")
    plan = Plan.of(tmp_path / "m.onnx")
    assert not summands(plan.graph, plan.layers)
    assert Graph(plan.graph.model).outputs == ("y",)


def test_a_transposed_layer_before_a_clip_is_left(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = {
        "w": rng.normal(size=(16, 3, 3, 3)).astype(np.float32),
        "t": rng.normal(size=(16, 16, 2, 2)).astype(np.float32),
        "v": rng.normal(size=(16, 16, 3, 3)).astype(np.float32),
        "zero": np.array(0, np.float32),
        "six": np.array(6, np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "first", pads=[1] * 4),
        helper.make_node("ConvTranspose", ["a", "t"], ["b"], "up", strides=[2, 2]),
        helper.make_node("Clip", ["b", "zero", "six"], ["c"], "clip"),
        helper.make_node("Conv", ["c", "v"], ["y"], "last", pads=[1] * 4),
    ]
    onnx.save(small(nodes, weights), tmp_path / "m.onnx")
    plan = Plan.of(tmp_path / "m.onnx")
    feed = {"x": rng.normal(size=(1, 3, 6, 6)).astype(np.float32)}
    ranges = collect(plan.graph.model, plan.tensors, [lambda: feed], tmp_path, {})
    scales = plan.scales(ranges, "minmax", 100)
    model = write_qdq(plan.graph, plan.layers, scales, plan.reasons, UNSIGNED)
    assert "ConvTranspose" in operators(model)
    wanted, got = (Runner(each).run(feed, ["y"])["y"] for each in (plan.graph.model, model))
    assert np.abs(got - wanted).max() < 0.05 * np.abs(wanted).max()
