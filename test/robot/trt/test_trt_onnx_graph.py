"""What a build reads of an ONNX file, and that what it changes computes the same."""

import hashlib

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from caer_ros.core import EngineBuildError
from caer_ros.engines.trt.onnx_graph import read_graph

UINT8, FLOAT, HALF = TensorProto.UINT8, TensorProto.FLOAT, TensorProto.FLOAT16


def _write(path, nodes, outputs, initializers=()):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", UINT8, ["images", 4, "width", 3])],
        [
            helper.make_tensor_value_info(name, kind, shape or [None] * 4)
            for name, kind, shape in outputs
        ],
        initializer=list(initializers),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def _head(to=FLOAT):
    return [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["t"], ["y"], to=to),
    ]


def _run(model, x):
    return ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), np.uint8)


def test_casts_from_uint8_come_first_and_compute_the_same(tmp_path, picture):
    path = _write(tmp_path / "m.onnx", _head(), [("y", FLOAT, ["images", 3, 4, "width"])])
    graph = read_graph(path)
    assert [node.op_type for node in onnx.load_from_string(graph.data).graph.node] == [
        "Cast",
        "Transpose",
    ]
    assert np.array_equal(_run(graph.data, picture)[0], _run(path.read_bytes(), picture)[0])
    assert graph.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_transposition_that_others_read_too_stays(tmp_path, picture):
    outputs = [("y", FLOAT, None), ("t2", UINT8, None)]
    nodes = [*_head(), helper.make_node("Identity", ["t"], ["t2"])]
    path = _write(tmp_path / "m.onnx", nodes, outputs)
    changed, same = _run(read_graph(path).data, picture), _run(path.read_bytes(), picture)
    assert all(np.array_equal(a, b) for a, b in zip(changed, same, strict=True))


def test_inputs_and_outputs_keep_the_names_of_their_axes(tmp_path):
    path = _write(tmp_path / "m.onnx", _head(), [("y", FLOAT, ["images", 3, 4, None])])
    graph = read_graph(path)
    assert str(graph.inputs["x"]) == "uint8[images, 4, width, 3]"
    assert graph.outputs["y"].shape == ("images", 3, 4, "y_3")
    assert not graph.quantized
    assert not graph.half


def test_it_tells_quantised_and_half_files(tmp_path):
    scale = [
        helper.make_tensor("s", FLOAT, [], [0.1]),
        helper.make_tensor("z", TensorProto.INT8, [], [0]),
    ]
    nodes = [*_head(), helper.make_node("QuantizeLinear", ["y", "s", "z"], ["q"])]
    quantised = _write(tmp_path / "q.onnx", nodes, [("q", TensorProto.INT8, None)], scale)
    assert read_graph(quantised).quantized
    half = _write(tmp_path / "h.onnx", _head(HALF), [("y", HALF, None)])
    assert read_graph(half).half
    assert not read_graph(half).quantized


def test_every_node_has_a_name(tmp_path):
    path = _write(tmp_path / "m.onnx", _head(), [("y", FLOAT, None)])
    nodes = onnx.load_from_string(read_graph(path).data).graph.node
    assert len({node.name for node in nodes} - {""}) == 2


@pytest.mark.parametrize("keep", [0, 10, 60])
def test_a_truncated_or_missing_file_is_one_clear_error(tmp_path, keep):
    path = _write(tmp_path / "m.onnx", _head(), [("y", FLOAT, None)])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(EngineBuildError, match=r"no whole ONNX file.*Reinstall"):
        read_graph(path)
    with pytest.raises(EngineBuildError, match="can not be read"):
        read_graph(tmp_path / "none.onnx")


def test_the_shipped_bundle_is_read(root):
    folder = root / "models" / "caer_net_s"
    graph = read_graph(folder / "int8.onnx")
    assert graph.quantized
    assert str(graph.inputs["face"]) == "uint8[people, 96, 96, 3]"
    assert str(graph.outputs["attention"]) == "float32[scenes, 14, 14]"
    kinds = {n.input[0]: n.op_type for n in onnx.load_from_string(graph.data).graph.node}
    assert kinds["face"] == kinds["context"] == "Cast"
