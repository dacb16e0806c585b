"""Engines: one contract, whatever runs behind it."""

import importlib.util
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from caer_ros.core import EngineBuildError, EngineError, EngineMismatch, InputError
from caer_ros.engines import choose_backend, open_engine

HAS_OPENVINO = importlib.util.find_spec("openvino") is not None
BACKENDS = ["onnxruntime"] + (["openvino"] if HAS_OPENVINO else [])


@pytest.fixture(scope="module")
def doubler(tmp_path_factory):
    """ONNX file: uint8 `x` [n, 3] -> float32 `y` = 2 x, float32 `z` = -x."""
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "f"], ["y"]),
        helper.make_node("Neg", ["f"], ["z"]),
    ]
    graph = helper.make_graph(
        nodes,
        "doubler",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["n", 3])],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, ["n", 3]) for o in "yz"],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path_factory.mktemp("onnx") / "doubler.onnx"
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_describes_itself_and_computes(doubler, backend):
    with open_engine(doubler, backend) as engine:
        assert engine.backend == backend
        assert engine.inputs["x"].dtype == np.uint8
        assert engine.inputs["x"].shape[1] == 3
        assert isinstance(engine.inputs["x"].shape[0], str)
        for rows in (1, 5, 2):
            x = np.arange(rows * 3, dtype=np.uint8).reshape(rows, 3)
            outputs = engine.run({"x": x})
            assert set(outputs) == {"y", "z"}
            assert np.array_equal(outputs["y"], 2.0 * x)
        assert set(engine.run({"x": x}, ["z"])) == {"z"}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "arrays",
    [
        {"x": np.zeros((1, 4), np.uint8)},
        {"x": np.zeros((1, 3), np.float32)},
        {"x": np.zeros(3, np.uint8)},
        {"wrong": np.zeros((1, 3), np.uint8)},
        {},
    ],
)
def test_what_does_not_fit_is_refused_and_the_engine_lives_on(doubler, backend, arrays):
    with open_engine(doubler, backend) as engine:
        with pytest.raises(EngineMismatch, match="network"):
            engine.run(arrays)
        assert engine.run({"x": np.ones((1, 3), np.uint8)})["y"].sum() == 6


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_truncated_or_missing_file_is_one_clear_error(doubler, backend, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(doubler.read_bytes()[:40])
    with pytest.raises(EngineBuildError, match=r"broken\.onnx.*Reinstall"):
        open_engine(broken, backend)
    with pytest.raises(EngineBuildError, match="does not exist"):
        open_engine(tmp_path / "nothing.onnx", backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_closed_engine_says_so(doubler, backend):
    engine = open_engine(doubler, backend)
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.run({"x": np.zeros((1, 3), np.uint8)})


def test_auto_prefers_openvino_where_there_is_no_gpu_and_says_why(monkeypatch):
    monkeypatch.setattr("caer_ros.engines.trt.available.why_not", lambda files: "no NVIDIA GPU")
    backend, why = choose_backend("auto")
    assert backend == ("openvino" if HAS_OPENVINO else "onnxruntime")
    assert "installed" in why
    assert "no TensorRT: no NVIDIA GPU" in why


def test_unknown_and_absent_backends_are_refused(monkeypatch):
    with pytest.raises(InputError, match="auto, tensorrt, openvino, onnxruntime"):
        choose_backend("cuda")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install"):
        choose_backend("openvino")
    backend, why = choose_backend("auto")
    assert backend == "onnxruntime"
    assert why.startswith("OpenVINO is not installed; no TensorRT: ")


@pytest.mark.skipif(not HAS_OPENVINO, reason="OpenVINO is not installed")
def test_an_unwritable_cache_is_no_obstacle(doubler, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with open_engine(doubler, "openvino") as engine:
        assert engine.run({"x": np.ones((1, 3), np.uint8)})["y"].sum() == 6


@pytest.mark.skipif(not HAS_OPENVINO, reason="OpenVINO is not installed")
def test_signals_are_handled_after_engines_were_closed(doubler):
    code = f"""
import faulthandler, gc, os, pathlib, signal
faulthandler.enable()
from caer_ros.engines import open_engine
path = pathlib.Path({str(doubler)!r})
first, second = open_engine(path, "openvino"), open_engine(path, "openvino")
first.close()
del first
gc.collect()
second.close()
del second
gc.collect()
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
os.kill(os.getpid(), signal.SIGUSR1)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr


def test_the_robot_side_imports_no_torch_and_no_onnx():
    code = (
        "import sys, caer_ros.perception, caer_ros.cli.main;"
        "from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine;"
        "caer_ros.cli.main.build_parser();"
        "print([m for m in ('torch', 'onnx', 'sklearn', 'rclpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
