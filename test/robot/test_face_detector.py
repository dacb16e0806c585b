"""Face detectors: decoding by hand, real faces, and agreement between detectors and back ends."""

import cv2
import numpy as np
import pytest

from caer_ros.bundles import find_bundle, read_bundle
from caer_ros.bundles.install import install_detector_file
from caer_ros.core import Box, BundleError
from caer_ros.perception.face_detector import OnnxFaceDetector, _decode_centerface, _decode_yunet


@pytest.fixture(scope="module")
def centerface(photos):
    return OnnxFaceDetector(find_bundle("centerface"), "onnxruntime")


def test_centerface_decodes_the_hand_made_map():
    heat = np.zeros((1, 1, 8, 10), np.float32)
    heat[0, 0, 3, 5] = 0.8
    heat[0, 0, 6, 6] = 0.4
    scale = np.zeros((1, 2, 8, 10), np.float32)
    scale[0, :, 3, 5] = np.log([6.0, 4.0])  # height 24, width 16 pixels
    offset = np.zeros((1, 2, 8, 10), np.float32)
    offset[0, :, 3, 5] = (0.25, -0.25)
    maps = {"heatmap": heat, "scale": scale, "offset": offset}
    boxes, scores = _decode_centerface(maps, 40, 0.5)
    # centre x = (5 - 0.25 + 0.5) * 4 = 21, y = (3 + 0.25 + 0.5) * 4 = 15
    assert boxes == pytest.approx(np.array([[13, 3, 29, 27]]))
    assert scores == pytest.approx([0.8])


def test_yunet_decodes_the_hand_made_grid():
    width, height = 64, 32
    maps = {}
    for stride in (8, 16, 32):
        cells = (width // stride) * (height // stride)
        maps[f"cls_{stride}"] = np.zeros((1, cells, 1), np.float32)
        maps[f"obj_{stride}"] = np.zeros((1, cells, 1), np.float32)
        maps[f"bbox_{stride}"] = np.zeros((1, cells, 4), np.float32)
    cell = 2 * (width // 8) + 3  # row 2, column 3
    maps["cls_8"][0, cell], maps["obj_8"][0, cell] = 0.81, 1.0
    maps["bbox_8"][0, cell] = (0.5, 0.25, np.log(2), np.log(3))
    boxes, scores = _decode_yunet(maps, width, 0.5)
    # centre (28, 18), 16 x 24 pixels, score sqrt(0.81)
    assert boxes == pytest.approx(np.array([[20, 6, 36, 30]]))
    assert scores == pytest.approx([0.9])


def test_it_finds_the_face_where_it_is(centerface, astronaut):
    (face,) = centerface.detect(astronaut, "bgr8")
    assert face.iou(Box(178, 60, 270, 178)) > 0.7
    assert face.score > 0.8


def test_nobody_in_an_empty_scene(centerface):
    assert centerface.detect(np.full((480, 640, 3), 127, np.uint8), "bgr8") == []


def test_twenty_faces(centerface, crowd):
    faces = centerface.detect(crowd, "bgr8")
    assert len(faces) == 20
    scores = [face.score for face in faces]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("encoding", ["rgb8", "bgra8", "rgba8", "mono8"])
def test_every_encoding_finds_the_same_face(centerface, astronaut, encoding):
    codes = {
        "rgb8": cv2.COLOR_BGR2RGB,
        "bgra8": cv2.COLOR_BGR2BGRA,
        "rgba8": cv2.COLOR_BGR2RGBA,
        "mono8": cv2.COLOR_BGR2GRAY,
    }
    (reference,) = centerface.detect(astronaut, "bgr8")
    (face,) = centerface.detect(cv2.cvtColor(astronaut, codes[encoding]), encoding)
    assert face.iou(reference) > (0.7 if encoding == "mono8" else 0.99)


def test_large_odd_and_small_images_give_boxes_in_their_own_pixels(centerface, astronaut):
    (reference,) = centerface.detect(astronaut, "bgr8")
    for scale in (0.51, 1.37, 3.0):
        image = cv2.resize(astronaut, None, fx=scale, fy=scale * 1.05)
        (face,) = centerface.detect(image, "bgr8")
        expected = Box(
            reference.x1 * scale,
            reference.y1 * scale * 1.05,
            reference.x2 * scale,
            reference.y2 * scale * 1.05,
        )
        assert face.iou(expected) > 0.75, scale


def test_a_frame_of_another_size_leaves_nothing_behind(centerface, astronaut):
    first = centerface.detect(astronaut[:470, :], "bgr8")
    centerface.detect(np.full((500, 512, 3), 255, np.uint8), "bgr8")
    assert centerface.detect(astronaut[:470, :], "bgr8") == first


def test_min_face_and_threshold_are_obeyed(centerface, astronaut):
    (face,) = centerface.detect(astronaut, "bgr8")
    centerface.min_face = min(face.width, face.height) + 1
    assert centerface.detect(astronaut, "bgr8") == []
    centerface.min_face = 16
    centerface.threshold = 0.99
    assert centerface.detect(astronaut, "bgr8") == []
    centerface.threshold = 0.5


def test_openvino_finds_what_onnx_runtime_finds(centerface, crowd, photos):
    pytest.importorskip("openvino")
    other = OnnxFaceDetector(find_bundle("centerface"), "openvino")
    faces = centerface.detect(crowd, "bgr8")
    twins = other.detect(crowd, "bgr8")
    assert len(faces) == len(twins)
    for face in faces:
        assert max(face.iou(twin) for twin in twins) > 0.98


def test_centerface_and_yunet_agree_within_one_face(
    centerface, shared_data, tmp_path, monkeypatch, astronaut, hopper, crowd
):
    monkeypatch.setenv("CAER_HOME", str(tmp_path))
    folder = install_detector_file("yunet", shared_data / "yunet_s_dynamic.onnx", lambda _: None)
    yunet = OnnxFaceDetector(read_bundle(folder), "onnxruntime")
    images = [astronaut, hopper, crowd]
    for name in sorted(shared_data.glob("*.gif")):
        ok, image = cv2.VideoCapture(str(name)).read()
        assert ok
        images.append(image)
    for image in images:
        found = len(centerface.detect(image, "bgr8")), len(yunet.detect(image, "bgr8"))
        assert abs(found[0] - found[1]) <= 1, found


def test_an_emotion_model_is_no_detector(root):
    with pytest.raises(BundleError, match="no face detector"):
        OnnxFaceDetector(read_bundle(root / "models" / "caer_net_s"), "onnxruntime")
