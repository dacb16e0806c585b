"""From what was seen of a small network to INT8 and FP16 files of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from caer_ros.core import CaerError, EngineError, InputError
from caer_ros.deploy.export import to_onnx
from caer_ros.deploy.files_made import TARGETS, open_target
from caer_ros.deploy.quantization.collect import collect
from caer_ros.deploy.quantization.half import LARGEST, to_half, too_large
from caer_ros.deploy.quantization.half_rounding import with_half_rounding
from caer_ros.deploy.quantization.plan import Plan
from caer_ros.deploy.quantization.qdq import SIGNED, UNSIGNED, write_qdq
from caer_ros.deploy.quantization.ranges import BINS, Ranges
from caer_ros.deploy.quantization.runner import Runner
from caer_ros.deploy.quantization.switches import switch_feed, with_switches
from caer_ros.deploy.quantization.thresholds import METHODS, thresholds
from caer_ros.evaluation.predict import softmax
from caer_ros.networks.caer_net_s import CaerNetS

LAYERS = ("first", "second", "gate", "head")


def tiny(path: Path, gain: float = 1.0) -> Path:
    """uint8 picture -> first, pool, second + what it read -> times a gate -> head (1x1)."""
    rng = np.random.default_rng(0)

    def weight(name: str, *shape: int, scale: float = 0.3) -> onnx.TensorProto:
        return numpy_helper.from_array((rng.normal(size=shape) * scale).astype(np.float32), name)

    def conv(name: str, source: str, padding: int = 1) -> onnx.NodeProto:
        inputs = [source, f"{name}_w", f"{name}_b"]
        return helper.make_node("Conv", inputs, [f"{name}_raw"], name, pads=[padding] * 4)

    nodes = [
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["chw"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["chw", "scale"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "half"], ["normal"]),
        conv("first", "normal"),
        helper.make_node("Relu", ["first_raw"], ["first_out"]),
        helper.make_node("MaxPool", ["first_out"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        conv("second", "pooled"),
        helper.make_node("Add", ["second_raw", "pooled"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["second_out"]),
        conv("gate", "second_out"),
        helper.make_node("Sigmoid", ["gate_raw"], ["gate_out"]),
        helper.make_node("Mul", ["second_out", "gate_out"], ["gated"]),
        conv("head", "gated", 0),
        helper.make_node("ReduceMean", ["head_raw"], ["answer"], axes=[2, 3], keepdims=0),
    ]
    constants = [
        numpy_helper.from_array(np.array(gain / 255, np.float32), "scale"),
        numpy_helper.from_array(np.array(gain / 2, np.float32), "half"),
        *(weight(f"{n}_w", 8, 3 if n == "first" else 8, 3, 3) for n in ("first", "second")),
        weight("gate_w", 8, 8, 3, 3),
        weight("head_w", 4, 8, 1, 1, scale=3),
        *(weight(f"{n}_b", 4 if n == "head" else 8) for n in LAYERS),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n", 4])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def feeds(count: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    return [{"images": rng.integers(0, 256, (1, 16, 24, 3), dtype=np.uint8)} for _ in range(count)]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return Plan.of(tiny(tmp_path_factory.mktemp("tiny") / "tiny.onnx"))


@pytest.fixture(scope="module")
def ranges(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Ranges:
    folder = tmp_path_factory.mktemp("state")
    return collect(plan.graph.model, plan.tensors, [lambda f=f: f for f in feeds(6)], folder, {})


def test_plan_knows_the_layers_and_what_to_leave(plan: Plan) -> None:
    assert [layer.name for layer in plan.layers] == list(LAYERS)
    assert plan.reasons == {"gate": "gate", "head": "last layer"}
    # The pool's two sides share a scale; the ReLU belongs to the layer before.
    assert ("first_out", "pooled") in plan.groups
    assert plan.layers[0].output == "first_out"
    assert plan.layers[1].output == "second_raw"


def test_keep_takes_patterns_and_refuses_strangers(tmp_path: Path) -> None:
    path = tiny(tmp_path / "tiny.onnx")
    assert Plan.of(path, ["sec*"]).reasons["second"] == "asked for"
    with pytest.raises(InputError, match="No layer's name fits 'third'"):
        Plan.of(path, ["third"])


def test_ranges_are_what_numpy_sees(plan: Plan, ranges: Ranges) -> None:
    runner = Runner(plan.graph.model, plan.tensors)
    values = np.concatenate([runner.run(f, ["pooled"])["pooled"].ravel() for f in feeds(6)])
    index = ranges.tensors.index("pooled")
    assert ranges.low[index] == values.min()
    assert ranges.high[index] == values.max()
    counts, _ = np.histogram(np.abs(values), BINS, (0, np.abs(values).max()))
    # Values on an edge may fall to either side.
    assert np.abs(np.cumsum(counts) - np.cumsum(ranges.counts[index])).max() <= 3


def test_methods_give_ordered_thresholds(ranges: Ranges) -> None:
    minmax, percentile, entropy = (thresholds(ranges, method) for method in METHODS)
    assert (percentile <= minmax).all()
    assert (entropy <= minmax).all()
    assert (thresholds(ranges, "percentile", 99) < minmax).all()
    assert (thresholds(ranges, "percentile", 100) == minmax).all()


def test_percentile_clips_what_it_says() -> None:
    ranges = Ranges.empty(("t",))
    values = np.arange(1, 1001) / 1000
    ranges.widen(0, values)
    ranges.count(0, values)
    assert thresholds(ranges, "percentile", 90)[0] == pytest.approx(0.9, abs=2 / BINS)


def test_entropy_clips_a_lonely_outlier_and_keeps_a_flat_range() -> None:
    ranges = Ranges.empty(("lonely", "flat"))
    rng = np.random.default_rng(0)
    lonely = np.append(np.abs(rng.normal(size=100_000)), 40.0)
    flat = rng.uniform(0, 1, 100_000)
    for index, values in enumerate((lonely, flat)):
        ranges.widen(index, values)
        ranges.count(index, values)
    clipped, whole = thresholds(ranges, "entropy")
    assert clipped < 8
    assert whole > 0.95


@pytest.mark.parametrize("method", ["mean", "percentile"])
def test_impossible_methods(ranges: Ranges, method: str) -> None:
    with pytest.raises(InputError):
        thresholds(ranges, method, percentile=20)


def test_both_int8_files_have_one_table_of_scales(plan: Plan, ranges: Ranges) -> None:
    scales = plan.scales(ranges, "minmax", 100)
    kept = plan.reasons
    signed = _constants(write_qdq(plan.graph, plan.layers, scales, kept, SIGNED))
    unsigned = _constants(write_qdq(plan.graph, plan.layers, scales, kept, UNSIGNED))
    names = {name for name in signed if name.endswith("_scale")}
    assert names == {"normal_scale", "pooled_scale", "first_weight_scale", "second_weight_scale"}
    for name in names:
        np.testing.assert_array_equal(signed[name], unsigned[name])
        zero = name.replace("_scale", "_zero_point")
        assert signed[zero].dtype == np.int8
        assert not signed[zero].any()
    # The same steps, counted from the least value there can be.
    assert unsigned["normal_zero_point"] == np.uint8(128)
    assert unsigned["pooled_zero_point"] == np.uint8(0)
    assert unsigned["pooled_zero_point"].dtype == np.uint8


def test_signed_file_is_what_tensorrt_reads(plan: Plan, ranges: Ranges) -> None:
    scales = plan.scales(ranges, "minmax", 100)
    model = write_qdq(plan.graph, plan.layers, scales, plan.reasons, SIGNED)
    kinds = {t.data_type for t in model.graph.initializer}
    assert TensorProto.INT32 not in kinds
    readers = {n.name: list(n.input) for n in model.graph.node}
    assert readers["second"][:2] == ["pooled_dequantized", "second_weight_dequantized"]
    # The residual comes rounded too, so that the sum can be fused; kept layers read what there is.
    add = next(list(n.input) for n in model.graph.node if n.op_type == "Add")
    assert add == ["second_raw", "pooled_dequantized"]
    assert readers["gate"][0] == "second_out"
    assert readers["head"][1] == "head_w"


def gated(path: Path) -> Path:
    """A layer without bias whose output is scaled by a gate that is made from it."""
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.2, 3, (32, 1, 1, 1))
    weight = (rng.normal(size=(32, 32, 1, 1)) * spread / 6).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["y"], "body"),
        helper.make_node("ReduceMean", ["y"], ["mean"], axes=[2, 3], keepdims=1),
        helper.make_node("Sigmoid", ["mean"], ["gate"]),
        helper.make_node("Mul", ["y", "gate"], ["answer"]),
    ]
    graph = helper.make_graph(
        nodes,
        "gated",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 32, "h", "w"])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n", 32, "h", "w"])],
        [numpy_helper.from_array(weight, "w")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path


def test_every_engine_answers_alike_behind_a_gate(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    plan = Plan.of(gated(tmp_path / "gated.onnx"))
    # As it stands the layer is the last one: here it stands for one in the middle.
    plan = replace(plan, reasons={})
    feed = {"x": np.random.default_rng(1).normal(size=(1, 32, 24, 40)).astype(np.float32)}
    ranges = collect(plan.graph.model, plan.tensors, [lambda: feed], tmp_path, {})
    scales = plan.scales(ranges, "minmax", 100)
    model = write_qdq(plan.graph, plan.layers, scales, (), SIGNED)
    path = tmp_path / "int8.onnx"
    path.write_bytes(model.SerializeToString())
    wanted = Runner(plan.graph.model).run(feed, ["answer"])["answer"]
    target, _ = TARGETS["int8"]
    for got in (Runner(model).run(feed, ["answer"]), open_target(path, target).run(feed)):
        assert np.abs(got["answer"] - wanted).max() < 0.015 * np.abs(wanted).max()


@pytest.mark.parametrize("form", [SIGNED, UNSIGNED], ids=["s8s8", "u8s8"])
def test_a_spared_layer_reads_what_was_never_rounded(plan: Plan, ranges: Ranges, form) -> None:
    scales = plan.scales(ranges, "minmax", 100)
    kept = {**plan.reasons, "second": "cost most"}
    model = write_qdq(plan.graph, plan.layers, scales, kept, form)
    rounded = {n.input[0] for n in model.graph.node if n.op_type == "QuantizeLinear"}
    assert "normal" in rounded
    # Neither what it reads nor what that was pooled from.
    assert not rounded & {"pooled", "first_out"}


@pytest.mark.parametrize("form", [SIGNED, UNSIGNED], ids=["s8s8", "u8s8"])
def test_int8_answers_as_fp32_does(plan: Plan, ranges: Ranges, form) -> None:
    scales = plan.scales(ranges, "minmax", 100)
    model = write_qdq(plan.graph, plan.layers, scales, plan.reasons, form)
    wanted, got = (Runner(m).run(feeds(1)[0], ["answer"]) for m in (plan.graph.model, model))
    spread = np.abs(wanted["answer"]).max()
    assert 0 < np.abs(wanted["answer"] - got["answer"]).max() < 0.03 * spread


def test_caer_net_s_keeps_its_answers(network: CaerNetS, tmp_path: Path) -> None:
    (tmp_path / "fp32.onnx").write_bytes(to_onnx(network))
    plan = Plan.of(tmp_path / "fp32.onnx")
    assert len(plan.layers) == 12
    assert list(plan.reasons.values()) == ["map of one channel"]
    rng = np.random.default_rng(2)
    feed = {
        "face": rng.integers(0, 256, (4, 96, 96, 3), dtype=np.uint8),
        "context": rng.integers(0, 256, (4, 224, 224, 3), dtype=np.uint8),
        "scene": np.arange(4),
    }
    ranges = collect(plan.graph.model, plan.tensors, [lambda: feed], tmp_path, {})
    scales = plan.scales(ranges, "minmax", 100)
    wanted = softmax(Runner(plan.graph.model).run(feed, ["logits"])["logits"])
    for target, form in zip(TARGETS["int8"], (SIGNED, UNSIGNED), strict=True):
        model = write_qdq(plan.graph, plan.layers, scales, plan.reasons, form)
        path = tmp_path / target.name
        path.write_bytes(model.SerializeToString())
        with open_target(path, target) as engine:
            got = softmax(engine.run(feed, ["logits"])["logits"])
        assert np.abs(got - wanted).mean() < 0.01


def test_switches_are_the_signed_file(plan: Plan, ranges: Ranges) -> None:
    scales = plan.scales(ranges, "minmax", 100)
    runner = Runner(with_switches(plan.graph, plan.free, scales))
    feed = feeds(1)[0]

    def answer(*on: str) -> np.ndarray:
        return runner.run({**feed, **switch_feed(plan.free, on)}, ["answer"])["answer"]

    fp32 = Runner(plan.graph.model).run(feed, ["answer"])["answer"]
    np.testing.assert_allclose(answer(), fp32, rtol=1e-4)
    first = write_qdq(plan.graph, plan.layers, scales, {*plan.reasons, "second"}, SIGNED)
    np.testing.assert_allclose(
        answer("first"), Runner(first).run(feed, ["answer"])["answer"], rtol=1e-4
    )
    assert np.abs(answer("first") - fp32).max() > 1e-5


def test_fp16_has_one_type_a_tensor_and_no_quantiser(plan: Plan) -> None:
    model = to_half(plan.graph)
    kinds = {t.name: t.data_type for t in model.graph.initializer}
    assert kinds["second_w_half"] == TensorProto.FLOAT16
    assert kinds["scale"] == TensorProto.FLOAT
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    types = {v.name: v.type.tensor_type.elem_type for v in inferred.graph.value_info}
    assert types["sum_half"] == TensorProto.FLOAT16
    assert types["gate_out"] == TensorProto.FLOAT
    assert "QuantizeLinear" not in {n.op_type for n in model.graph.node}
    wanted, got = (Runner(m).run(feeds(1)[0], ["answer"]) for m in (plan.graph.model, model))
    assert got["answer"].dtype == np.float32
    np.testing.assert_allclose(got["answer"], wanted["answer"], rtol=0.01, atol=0.01)


def test_fp16_leaves_large_values_in_fp32(tmp_path: Path) -> None:
    plan = Plan.of(tiny(tmp_path / "large.onnx", gain=1e5))
    ranges = collect(
        plan.graph.model, plan.tensors, [lambda f=f: f for f in feeds(2)], tmp_path, {}
    )
    largest = dict(zip(ranges.tensors, ranges.largest, strict=True))
    kept = too_large(plan.layers, largest)
    assert "first" in kept
    assert all(largest[x.input] <= LARGEST for x in plan.layers if x.name not in kept)

    def answer(without: object) -> np.ndarray:
        model = with_half_rounding(to_half(plan.graph, without))
        return Runner(model).run(feeds(1)[0], ["answer"])["answer"]

    assert np.isfinite(answer(kept)).all()
    # Where nothing is kept, values overflow: a CPU that does not round would hide it.
    assert not np.isfinite(answer({})).all()


def test_fp16_rounding_is_seen(plan: Plan) -> None:
    feed = feeds(1)[0]
    half = to_half(plan.graph)
    wanted, lax, strict = (
        Runner(m).run(feed, ["answer"])["answer"]
        for m in (plan.graph.model, half, with_half_rounding(half))
    )
    np.testing.assert_allclose(strict, wanted, rtol=0.01, atol=0.01)
    assert np.abs(strict - wanted).max() > 0
    assert not np.array_equal(strict, lax)


def test_a_broken_network_is_named(tmp_path: Path) -> None:
    plan = Plan.of(tiny(tmp_path / "nan.onnx", gain=float("nan")))
    with pytest.raises(EngineError, match="NaN or infinity at 'normal'"):
        collect(plan.graph.model, plan.tensors, [lambda: feeds(1)[0]], tmp_path, {})


def test_full_disk_while_calibrating_is_said(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("caer_ros.deploy.quantization.ranges.write_atomically", full)
    with pytest.raises(CaerError, match=r"state\.npz can not be written: No space left"):
        collect(plan.graph.model, plan.tensors, [lambda: feeds(1)[0]], tmp_path, {})


def test_ladder_gives_up_half_at_most(plan: Plan) -> None:
    steps = list(plan.ladder(["second", "first"]))
    assert steps == [dict(plan.reasons), {**plan.reasons, "second": "cost most in the sweep"}]


def test_no_onnx_file(tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"no")
    with pytest.raises(InputError, match="is no ONNX file"):
        Plan.of(tmp_path / "no.onnx")


def _constants(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
