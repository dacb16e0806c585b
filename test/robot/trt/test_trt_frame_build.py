"""Engines with a frame in front: the seam in the readers, the cache, `caer build --frame`."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from caer_ros.bundles import find_bundle, read_bundle
from caer_ros.cli.main import main
from caer_ros.core import EngineMismatch
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.engines.trt import frame_build
from caer_ros.engines.trt.device import Device
from caer_ros.engines.trt.engine import _fill
from caer_ros.engines.trt.frame_engine import FrameEngine, FrameEngines
from caer_ros.engines.trt.frame_format import FrameFormat
from caer_ros.engines.trt.frame_graph import frame_model
from caer_ros.engines.trt.open import find_engine
from caer_ros.perception.benet import BenetReader
from caer_ros.perception.frame_layout import bundle_layout

LABELS = ["Anger", "Peace"]
OUTPUTS = {
    "boxes": [1, 3, 4],
    "scores": [1, 3],
    "emotions": [1, 3, 2],
    "peaks": [1],
}


class Fake:
    """An engine that copies its picture as TensorRT's does, and finds nobody."""

    def __init__(self):
        self.seen, self.asked, self.closed = [], [], False

    def run(self, arrays, outputs=None):
        ((name, array),) = arrays.items()
        pinned = np.full(array.shape, 99, np.uint8)
        _fill(pinned, array)
        self.seen.append((name, pinned))
        self.asked.append(outputs)
        return {
            name: np.zeros(shape, int if name == "peaks" else np.float32)
            for name, shape in OUTPUTS.items()
        }

    def close(self):
        self.closed = True


@pytest.fixture
def folder(tmp_path):
    """A BENet bundle whose network only turns its picture and casts it."""
    folder = tmp_path / "toy"
    folder.mkdir()
    nodes = [
        helper.make_node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["boxes"], to=TensorProto.FLOAT),
    ]
    picture = helper.make_tensor_value_info("images", TensorProto.UINT8, ["images", "h", "w", 3])
    out = helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["images", 3, "h", "w"])
    graph = helper.make_graph(nodes, "toy", [picture], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "fp32.onnx"))
    card = {
        "schema": 1,
        "name": "toy",
        "version": 1,
        "task": "person_emotion_maps",
        "labels": LABELS,
        "multi_label": True,
        "inputs": {
            "images": {"shape": ["images", "h", "w", 3], "short_side": 64, "multiple_of": 64}
        },
        "outputs": {name: {"shape": shape} for name, shape in OUTPUTS.items()},
        "decode": {"top_k": 3, "threshold": 0.3},
        "files": {
            "fp32": {
                "path": "fp32.onnx",
                "sha256": hashlib.sha256((folder / "fp32.onnx").read_bytes()).hexdigest(),
            }
        },
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(card))
    return folder


@pytest.fixture
def jetson(trt10, cuda, monkeypatch, tmp_path):
    """A fake GPU and TensorRT; what is opened is kept in its list `opened`."""
    device = Device("Orin", "8.7", "540.4.0", "12.6", 8 << 30)
    monkeypatch.setenv("CAER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(frame_build, "probe_device", lambda: device)
    monkeypatch.setattr(frame_build, "load_tensorrt", lambda: trt10)
    monkeypatch.setattr(frame_build, "open_cuda", lambda package: cuda)
    trt10.opened = []

    def engine(trt, plan, side, cuda, command):
        trt10.opened.append((plan, side, command))
        return Fake()

    monkeypatch.setattr(frame_build, "TensorRtEngine", engine)
    return trt10


def test_the_engine_of_a_frame_is_built_once_and_found(jetson, folder, capsys):
    build = ["build", str(folder), "--precision", "fp32", "--frame"]
    assert main([*build, "160x120:bgr8", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["fresh"]
    assert row["frame"] == "160x120:bgr8"
    assert "toy-fp32-160x120-bgr8-" in row["engine"]
    assert main([*build, "160x120:bgr8"]) == 0
    assert "toy fp32 160x120:bgr8: " in capsys.readouterr().out
    assert len(jetson.fake.configs) == 1, "built again"
    ((shapes,),) = (config._profiles for config in jetson.fake.configs)
    assert shapes == {"frame": ((1, 120, 160, 3),) * 3}

    bundle = read_bundle(folder)
    path = bundle.model_file("fp32", "tensorrt")
    layout = bundle_layout(bundle, 160, 120)
    frame = FrameFormat(160, 120, "bgr8")
    frame_build.open_frame_engine(path, frame, layout)
    ((_, side, command),) = jetson.opened
    assert str(side.inputs["frame"]) == "uint8[1, 120, 160, 3]"
    assert side.key.options == "frame=160x120:bgr8"
    assert command.endswith("toy --precision fp32 --frame 160x120:bgr8")
    with pytest.raises(EngineMismatch, match="--frame 160x120:rgb8"):
        frame_build.open_frame_engine(path, FrameFormat(160, 120, "rgb8"), layout)
    with pytest.raises(EngineMismatch, match="No TensorRT engine has been built"):
        frame_build.open_frame_engine(path, frame, bundle_layout(bundle, 160, 100))
    with pytest.raises(EngineMismatch, match="No TensorRT engine has been built"):
        find_engine(path, side.key.machine)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--frame", "160:bgr8"], "Frame '160:bgr8' can not be read"),
        (["--frame", "160x120:yuyv"], "reach the network as bgr8"),
        (["--frame", "9x9:bgr8", "--profile", "h=1"], "neither --all nor --profile"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(jetson, folder, arguments, complaint, capsys):
    assert main(["build", str(folder), *arguments]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert "Traceback" not in said


@pytest.mark.parametrize("encoding", ["bgr8", "mono8", "bgra8"])
def test_a_frame_with_padded_rows_is_uploaded_as_it_is(folder, encoding):
    channels = {"bgr8": 3, "mono8": 1, "bgra8": 4}[encoding]
    rows = np.random.default_rng(0).integers(0, 256, (120, 160 * channels + 9), np.uint8)
    image = np.lib.stride_tricks.as_strided(
        rows, (120, 160, channels), (rows.strides[0], channels, 1)
    )
    image = image[:, :, 0] if channels == 1 else image
    ordinary, other = Fake(), Fake()
    asked = []

    def open_one(frame, layout):
        asked.append((frame, layout))
        if frame.width != 160:
            raise EngineMismatch("No TensorRT engine has been built yet.")
        return other

    bundle = read_bundle(folder)
    reader = BenetReader(bundle, ordinary, frames=FrameEngines(open_one))
    for _ in range(2):
        reader.prepare(image, encoding)
        reader.infer(want_heat=False)
        assert not ordinary.seen
        name, picture = other.seen.pop()
        assert name == "frame"
        np.testing.assert_array_equal(picture[0], image.reshape(120, 160, channels))
    assert asked == [(FrameFormat(160, 120, encoding), bundle_layout(bundle, 160, 120))]
    assert other.asked[-1] == ["boxes", "scores", "emotions", "peaks"]
    reader.run_bare(1)
    assert not other.seen.pop()[1].any(), "the frame was kept"

    for _ in range(2):
        reader.prepare(image[:60, :80], encoding)
        reader.infer(want_heat=False)
    assert [name for name, _ in ordinary.seen] == ["images"] * 2
    assert len(asked) == 2, "looked for at every frame"
    reader.prepare(image, encoding)
    reader.infer(want_heat=False)
    assert len(other.seen) == 1
    reader.close()
    assert ordinary.closed
    assert other.closed


def test_the_verification_script_compares_both_ways(photos, root, monkeypatch, tmp_path):
    """With ONNX Runtime in TensorRT's place: the script's own arithmetic, on a whole network."""
    spec = importlib.util.spec_from_file_location(
        "verify_frames_on_gpu", root / "scripts" / "verify_on_gpu.py"
    )
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "verify_frames_on_gpu", script)
    spec.loader.exec_module(script)
    made = tmp_path / "with_frame.onnx"
    blank = []

    class Runtime(OnnxRuntimeEngine):
        replays = 1

    def provide(path, frame, layout, *_, **__):
        if blank:
            layout = replace(layout, top=3)
        made.write_bytes(frame_model(path, frame, layout))

    monkeypatch.setattr(script, "provide_frame_engine", provide)
    monkeypatch.setattr(script, "open_frame_engine", lambda *_: Runtime(made, 1))
    monkeypatch.setattr(script, "open_tensorrt", lambda path, *_: Runtime(path, 1))
    verify = script.verify_frame
    frame = FrameFormat(700, 60, "bgr8")
    on_cpu, on_gpu = verify(find_bundle("centerface"), "fp32", frame, 1)
    assert on_cpu.title == "centerface fp32, 700x60:bgr8, resized by the CPU"
    assert on_gpu.good
    assert on_gpu.p50_ms > 0
    blank.append(True)
    _, wrong = verify(find_bundle("centerface"), "fp32", frame, 1)
    assert not wrong.good
    caer_net = find_bundle(str(root / "models" / "caer_net_s"))
    assert list(verify(caer_net, "fp32", frame, 1)) == []


def test_an_engine_fits_only_its_frames():
    engine = FrameEngine(Fake(), FrameFormat(8, 6, "bgr8"))
    assert engine.fits((6, 8, 3), "bgr8")
    assert not engine.fits((8, 6, 3), "bgr8")
    assert not engine.fits((6, 8, 3), "rgb8")
    assert not engine.fits((6, 8, 4), "bgr8")
    assert not engine.fits((6, 8), "mono8")
    assert FrameEngine(Fake(), FrameFormat(8, 6, "mono8")).fits((6, 8), "mono8")


def test_cameras_of_any_size_end_the_search():
    asked = []

    def none(frame, layout):
        asked.append(frame)
        raise EngineMismatch("none")

    engines = FrameEngines(none)
    for width in range(1, 100):
        assert engines.find((4, width, 3), "bgr8", None) is None
    assert len(asked) == 16


def test_other_back_ends_have_none(folder):
    assert frame_build.frame_engines(folder / "fp32.onnx", "openvino") is None
    assert frame_build.frame_engines(folder / "fp32.onnx", "tensorrt") is not None
