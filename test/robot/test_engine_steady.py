"""An engine for sizes that stay: when it compiles for them, and when it gives up."""

from __future__ import annotations

import numpy as np
import pytest

from caer_ros.core import EngineBuildError, EngineError, EngineMismatch
from caer_ros.engines import TensorSpec, open_engine
from caer_ros.engines.base import EngineBase
from caer_ros.engines.steady import SteadyEngine


class _Doubles(EngineBase):
    """Doubles float [h, w]; of the sizes it was made for alone, where there are some."""

    backend = "openvino"

    def __init__(self, shapes):
        axes = shapes.get("x", ("h", "w"))
        self.inputs = {"x": TensorSpec(np.dtype(np.float32), tuple(axes))}
        self.outputs = {"y": TensorSpec(np.dtype(np.float32), ("h", "w"))}
        self.runs = 0
        self.closed = False

    def run(self, arrays, outputs=None):
        assert not self.closed
        self.check(arrays)
        self.runs += 1
        return {"y": 2 * arrays["x"]}

    def close(self):
        self.closed = True


class _Opener:
    def __init__(self, refuse=False):
        self.made = []
        self.refuse = refuse

    def __call__(self, shapes):
        if shapes and self.refuse:
            raise EngineBuildError("No.", "Nothing.")
        self.made.append((dict(shapes), _Doubles(shapes)))
        return self.made[-1][1]


def _run(engine, height, width):
    array = np.ones((height, width), np.float32)
    np.testing.assert_array_equal(engine.run({"x": array})["y"], 2 * array)


def test_it_compiles_for_sizes_that_came_five_times():
    opener = _Opener()
    with SteadyEngine(opener) as engine:
        for _ in range(4):
            _run(engine, 3, 4)
        assert [shapes for shapes, _ in opener.made] == [{}]
        for _ in range(3):
            _run(engine, 3, 4)
        assert [shapes for shapes, _ in opener.made] == [{}, {"x": (3, 4)}]
        assert [each.runs for _, each in opener.made] == [4, 3]
        # A single camera costs the memory of one network.
        assert opener.made[0][1].closed
    assert all(each.closed for _, each in opener.made)


def test_another_size_opens_the_one_for_any_again():
    opener = _Opener()
    engine = SteadyEngine(opener)
    for _ in range(5):
        _run(engine, 3, 4)
    _run(engine, 5, 6)
    _run(engine, 3, 4)
    assert [shapes for shapes, _ in opener.made] == [{}, {"x": (3, 4)}, {}]
    assert opener.made[1][1].runs == 2
    engine.close()
    engine.close()
    assert all(each.closed for _, each in opener.made)


def test_sizes_that_vary_stay_with_the_one_for_any():
    opener = _Opener()
    engine = SteadyEngine(opener)
    for width in range(1, 30):
        _run(engine, 3, width)
    assert len(opener.made) == 1
    for width in range(1, 30):
        for _ in range(5):
            _run(engine, 3, width)
    # Three sizes are compiled for, and no more.
    assert sum(bool(shapes) for shapes, _ in opener.made) == 3


def test_what_can_not_be_compiled_goes_on_as_it_is(caplog):
    opener = _Opener(refuse=True)
    engine = SteadyEngine(opener)
    for _ in range(20):
        _run(engine, 3, 4)
    assert opener.made[0][1].runs == 20
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) == 1


def test_inputs_are_checked_and_a_closed_engine_says_so():
    engine = SteadyEngine(_Opener())
    with pytest.raises(EngineMismatch):
        engine.run({"x": np.ones((3, 4), np.float64)})
    with pytest.raises(EngineMismatch):
        engine.run({"z": np.ones((3, 4), np.float32)})
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        _run(engine, 3, 4)


def test_openvino_answers_alike_before_and_after(tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    onnx = pytest.importorskip("onnx")
    monkeypatch.setenv("CAER_HOME", str(tmp_path))
    helper = onnx.helper
    sides = ["n", 2, "h", "w"]
    value = helper.make_tensor_value_info
    weights = np.arange(36, dtype=np.float32).reshape(2, 2, 3, 3) / 10
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4)],
        "one",
        [value("x", onnx.TensorProto.FLOAT, sides)],
        [value("y", onnx.TensorProto.FLOAT, sides)],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    path = tmp_path / "one.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    array = np.random.default_rng(0).normal(size=(1, 2, 6, 8)).astype(np.float32)
    with open_engine(path, "openvino", threads=1, steady=True) as engine:
        assert isinstance(engine, SteadyEngine)
        first = engine.run({"x": array})["y"].copy()
        for _ in range(6):
            last = engine.run({"x": array})["y"].copy()
    np.testing.assert_allclose(last, first, rtol=1e-5, atol=1e-5)
    # One blob for any size, one for this.
    assert len(list((tmp_path / "cache" / "openvino").glob("*.blob"))) == 2
