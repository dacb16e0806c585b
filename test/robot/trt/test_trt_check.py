"""`caer build --check`: what the builder's report says, and the check of the shipped bundle."""

import json

import pytest
from onnx import TensorProto, helper

from caer_ros.cli.main import main
from caer_ros.core import EngineBuildError
from caer_ros.deploy.trt_check import (
    MODULE,
    Checked,
    WrongTypes,
    _compare,
    built_types,
    check_file,
    meant_types,
)
from caer_ros.engines.trt.profile import parse_profile


def _line(name, kind, taken, nodes):
    metadata = "".join(f"[ONNX Layer: {node}]" for node in nodes)
    tensor = "{{ Name: a, Dimensions: [1,32,8,8], Datatype: {}, Format: (NHWC) x }}"
    return (
        f"Name: {name}, LayerType: {kind}, Inputs: [ {tensor.format(taken)}], Constants: [ "
        f"{tensor.format('Float')}], Outputs: [ {tensor.format('Float')}], TacticName: t,"
        f" Metadata: {metadata}"
    )


def test_a_node_computes_in_the_type_that_its_product_reads():
    lines = [
        "Engine Layer Information:",
        _line("k0", "kgen", "Float", ["conv", "quantise"]),
        _line("conv_myl0", "correlation", "Int8", ["conv", "weight"]),
        _line("conv [profile 1]_myl1", "correlation", "Int8", ["conv [profile 1]"]),
        _line("g0", "gemm", "Half", ["gemm"]),
        _line("k1", "kgen", "Float", ["small"]),
        # A tiny product in a kernel that reads bytes and casts them: its weights are FP32.
        _line("k2", "kgen", "Int8", ["pool", "dequantise", "tiny"]),
    ]
    found = built_types(lines, ["conv", "gemm", "small", "tiny", "folded"])
    assert found == {
        "conv": "INT8",
        "gemm": "FP16",
        "small": "FP32",
        "tiny": "FP32",
        "folded": "unreported",
    }
    assert Checked(found, 1, 1).count() == {"INT8": 1, "FP16": 1, "FP32": 2, "unreported": 1}


def test_layers_in_another_type_than_meant_are_named():
    with pytest.raises(WrongTypes, match=r"1 layers.*b in FP32, not INT8"):
        _compare("m", {"a": "INT8", "b": "INT8"}, {"a": "INT8", "b": "FP32"})
    _compare("m", {"a": "INT8"}, {"a": "unreported"})


def test_what_is_meant_is_read_off_the_weights():
    float32, half = TensorProto.FLOAT, TensorProto.FLOAT16
    weights = [
        helper.make_tensor("w", float32, [1, 1, 1, 1], [1.0]),
        helper.make_tensor("h", half, [1, 1, 1, 1], [1.0]),
        helper.make_tensor("q", TensorProto.INT8, [1, 1, 1, 1], [1]),
        helper.make_tensor("s", float32, [], [0.5]),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="plain"),
        helper.make_node("Cast", ["a"], ["b"], to=half),
        helper.make_node("Conv", ["b", "h"], ["c"], name="half"),
        helper.make_node("Cast", ["c"], ["d"], to=float32),
        helper.make_node("QuantizeLinear", ["d", "s"], ["e"]),
        helper.make_node("DequantizeLinear", ["e", "s"], ["f"]),
        helper.make_node("DequantizeLinear", ["q", "s"], ["g"]),
        helper.make_node("Conv", ["f", "g"], ["y"], name="quantised"),
        helper.make_node("Conv", ["d", "g"], ["z"], name="weights only"),
    ]
    shape = [1, 1, 4, 4]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", float32, shape)],
        [helper.make_tensor_value_info(name, float32, shape) for name in "yz"],
        initializer=weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    assert meant_types(model) == {
        "plain": "FP32",
        "half": "FP16",
        "quantised": "INT8",
        "weights only": "FP32",
    }


def test_without_the_checker_the_command_says_how_to_get_it(monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, MODULE, None)
    assert main(["build", "caer_net_s", "--check"]) == 2
    said = capsys.readouterr().err
    assert "pip install 'caer_ros[trt-check]'" in said
    assert said.count("\n") == 1


@pytest.fixture
def checker():
    return pytest.importorskip(MODULE, reason="TensorRT-RTX is not installed: trt-check")


def test_the_shipped_bundle_parses_builds_and_computes_in_the_types_meant(checker, capsys):
    assert main(["build", "caer_net_s", "--check", "--json", "--profile", "people=4,scenes=1"]) == 0
    rows = {row["precision"]: row["types"] for row in json.loads(capsys.readouterr().out)}
    assert set(rows["fp32"].values()) == {"FP32"}
    in_fp32 = {name for name, kind in rows["int8"].items() if kind == "FP32"}
    assert all("Gemm" in name or "attention/score" in name for name in in_fp32)
    assert sum(kind == "INT8" for kind in rows["int8"].values()) == 11


def test_a_file_for_another_back_end_is_refused(checker, root):
    """Unsigned activations and INT32 biases are for ONNX Runtime."""
    path = root / "models" / "caer_net_s" / "int8_onnxruntime.onnx"
    with pytest.raises(EngineBuildError, match="DequantizeLinear"):
        check_file(path, "int8", [parse_profile("people=1,scenes=1")])


def test_a_profile_that_the_network_can_not_take_is_refused(checker, capsys):
    assert main(["build", "caer_net_s", "--check", "--profile", "people=4"]) == 2
    assert "axis 'scenes'" in capsys.readouterr().err
