"""The resize in front of a network against cv2: weights, every pixel, and whole detectors."""

from __future__ import annotations

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from caer_ros.bundles import find_bundle
from caer_ros.core import EngineBuildError, InputError
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.engines.trt.frame_engine import FrameEngine
from caer_ros.engines.trt.frame_format import CHANNELS, FrameFormat, FrameLayout, frame_identity
from caer_ros.engines.trt.frame_graph import frame_model
from caer_ros.engines.trt.onnx_graph import read_graph
from caer_ros.engines.trt.resize_weights import resize_weights
from caer_ros.perception.face_detector import OnnxFaceDetector
from caer_ros.perception.frame_layout import body_fit, bundle_layout, face_fit, layout_of


def network(folder, turned_first=False, opset=9):
    """An ONNX file that puts out its picture, [1, 3, height, width], as floats."""
    cast = {"to": TensorProto.FLOAT}
    turn = {"perm": [0, 3, 1, 2]}
    kinds = [("Transpose", turn), ("Cast", cast)] if turned_first else [("Cast", cast)]
    kinds += [] if turned_first else [("Transpose", turn)]
    names = ["image", "middle", "out"]
    nodes = [
        helper.make_node(kind, [names[i]], [names[i + 1]], **attributes)
        for i, (kind, attributes) in enumerate(kinds)
    ]
    picture = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "h", "w", 3])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3, "h", "w"])
    graph = helper.make_graph(nodes, "tiny", [picture], [out])
    if turned_first:  # as exporters note it
        graph.value_info.append(
            helper.make_tensor_value_info("middle", TensorProto.UINT8, [1, 3, "h", "w"])
        )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    path = folder / "fp32.onnx"
    onnx.save(model, str(path))
    return path


def noise(width, height, encoding, spare=0):
    """A random frame, its rows followed by `spare` bytes."""
    channels = CHANNELS[encoding]
    rows = np.random.default_rng(width).integers(
        0, 256, (height, width * channels + spare), np.uint8
    )
    image = rows[:, : width * channels].reshape(height, width, channels)
    return image[:, :, 0] if encoding == "mono8" else image


def open_with_frame(path, folder, frame, layout):
    made = folder / "with_frame.onnx"
    made.write_bytes(frame_model(path, frame, layout))
    read_graph(made)  # the checker's word on it
    return FrameEngine(OnnxRuntimeEngine(made, 1), frame)


@pytest.mark.parametrize(
    ("size", "encoding", "share"),
    [
        ((320, 180), "bgr8", 0.002),  # by 0.71 in the middle of its input
        ((128, 96), "rgb8", 0.15),  # enlarged: cv2 rounds its shares to 11 bits
        ((131, 97), "bgra8", 0.15),
        ((141, 251), "mono8", 0.002),  # upright and odd
        ((333, 129), "rgba8", 0.002),
        ((256, 128), "bgr8", 0.0),  # as it is
        ((256, 256), "bgr8", 0.0),  # halved: sums end on a half every fourth time
        ((512, 600), "bgr8", 0.0),  # by four: every 16th time, and cv2 takes the even level
        ((600, 5), "rgb8", 0.002),  # a strip
        ((600, 3), "bgr8", 0.15),
    ],
)
def test_every_pixel_is_what_the_cpu_makes_of_it(tmp_path, size, encoding, share):
    image = noise(*size, encoding, spare=7)
    fit = body_fit(*size, 128, 64)
    frame = FrameFormat(*size, encoding)
    path = network(tmp_path, turned_first=True, opset=17)
    engine = open_with_frame(path, tmp_path, frame, layout_of(fit))
    engine.take(image)
    (got,) = engine.run()["out"].transpose(0, 2, 3, 1)
    wanted = fit.apply(image, encoding)
    assert got.shape == wanted.shape
    difference = np.abs(got - wanted)
    assert difference.max() <= 1
    assert (difference > 0).mean() <= share
    engine.close()


@pytest.mark.parametrize("size", [(1280, 720), (641, 7), (100, 60), (97, 331)])
def test_shrinking_along_one_side_only_and_blue_first(tmp_path, size):
    width, height = size
    image = noise(width, height, "rgb8")
    fit = face_fit(width, height, 320 if width == 1280 else 640, 32)
    layout = layout_of(fit, bgr=True)
    engine = open_with_frame(
        network(tmp_path), tmp_path, FrameFormat(width, height, "rgb8"), layout
    )
    engine.take(image)
    (got,) = engine.run()["out"].transpose(0, 2, 3, 1)
    wanted = np.zeros((fit.height, fit.width, 3), np.uint8)
    small = cv2.resize(image, fit.inner, interpolation=cv2.INTER_AREA)
    wanted[: fit.inner[1], : fit.inner[0]] = small[..., ::-1]
    difference = np.abs(got - wanted)
    # By four, sums end on a half every 16th time; cv2 then takes the even level, opset 9 can not.
    assert difference.max() <= 1
    assert (difference > 0).mean() <= (0.04 if width == 1280 else 0.0)
    engine.close()


def test_the_detector_finds_the_same_faces(photos, hopper, tmp_path, monkeypatch):
    """The whole network, on a photograph, through the detector's own seam."""
    bundle = find_bundle("centerface")
    image = cv2.resize(hopper, (683, 801), interpolation=cv2.INTER_CUBIC)
    wanted = OnnxFaceDetector(bundle, "onnxruntime").detect(image, "bgr8")
    assert wanted
    frame = FrameFormat(683, 801, "bgr8")
    layout = bundle_layout(bundle, 683, 801)
    path = bundle.model_file("fp32", "onnxruntime")
    engine = open_with_frame(path, tmp_path, frame, layout)

    class Engines:
        def find(self, shape, encoding, asked):
            assert asked == layout
            return engine if engine.fits(shape, encoding) else None

        def close(self):
            engine.close()

    monkeypatch.setattr(
        "caer_ros.perception.face_detector.frame_engines", lambda path, backend: Engines()
    )
    detector = OnnxFaceDetector(bundle, "onnxruntime")
    detector._fill_input = None  # the frame's own engine needs no picture resized by the CPU
    found = detector.detect(image, "bgr8")
    detector.run_bare()
    detector.close()
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.iou(other) > 0.99
        assert one.score == pytest.approx(other.score, abs=5e-3)


def test_weights_add_up_and_are_cv2s_areas():
    columns, rows = resize_weights((5, 4), (2, 3))
    np.testing.assert_allclose(columns, [[0.4, 0.4, 0.2, 0, 0], [0, 0, 0.2, 0.4, 0.4]], atol=1e-6)
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-6)
    columns, _ = resize_weights((2, 2), (4, 4))
    np.testing.assert_allclose(columns, [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])


def test_networks_that_read_something_else_are_refused(root, tmp_path):
    frame, layout = FrameFormat(64, 64, "bgr8"), FrameLayout((32, 32), 0, 0, 32, 32)
    with pytest.raises(InputError, match="something else than one uint8 picture"):
        frame_model(root / "models" / "caer_net_s" / "fp32.onnx", frame, layout)
    with pytest.raises(InputError, match="reads no whole frames"):
        bundle_layout(find_bundle(str(root / "models" / "caer_net_s")), 64, 64)
    (tmp_path / "broken.onnx").write_bytes(b"\xff no onnx")
    with pytest.raises(EngineBuildError, match="no whole ONNX file"):
        frame_model(tmp_path / "broken.onnx", frame, layout)
    with pytest.raises(EngineBuildError, match="can not be read"):
        frame_model(tmp_path / "missing.onnx", frame, layout)


def test_a_frame_is_written_and_read_the_same():
    assert str(FrameFormat.parse("1280x720:bgr8")) == "1280x720:bgr8"
    assert FrameFormat.parse("640x480:mono8").shape == (1, 480, 640, 1)
    for text in ("1280x720", "1280x720:yuyv", "0x720:bgr8", "x:bgr8", ""):
        with pytest.raises(InputError, match="WIDTHxHEIGHT:ENCODING"):
            FrameFormat.parse(text)


def test_the_identity_holds_file_frame_and_layout():
    layout = FrameLayout((320, 180), 0, 0, 320, 192)
    frame = FrameFormat(640, 360, "bgr8")
    every = {
        frame_identity("a", frame, layout),
        frame_identity("b", frame, layout),
        frame_identity("a", FrameFormat(640, 360, "rgb8"), layout),
        frame_identity("a", frame, FrameLayout((320, 180), 0, 6, 320, 192)),
    }
    assert len(every) == 4
    assert frame_identity("a", frame, layout) in every
