"""Bundles: read, verified, refused when they are not what they promise."""

import shutil

import pytest
import yaml

from caer_ros.bundles import find_bundle, list_bundles, read_bundle, sha256_of, write_atomically
from caer_ros.core import BundleError

MANIFEST = {
    "schema": 1,
    "name": "toy",
    "version": "1",
    "task": "caer_static",
    "labels": ["A", "B"],
    "inputs": {},
    "outputs": {},
    "files": {},
}


@pytest.fixture
def toy(tmp_path):
    """A bundle with three files, and the dictionary to change its model.yaml with."""
    folder = tmp_path / "toy"
    files = {}
    for key in ("fp32", "int8", "int8_onnxruntime"):
        write_atomically(folder / f"{key}.onnx", key.encode())
        files[key] = {"path": f"{key}.onnx", "sha256": sha256_of(folder / f"{key}.onnx")}

    def write(**changes):
        manifest = {**MANIFEST, "files": files, **changes}
        (folder / "model.yaml").write_text(yaml.safe_dump(manifest))
        return folder

    write()
    return folder, write, files


def test_int8_gives_each_backend_the_file_made_for_it(toy):
    bundle = read_bundle(toy[0])
    assert bundle.model_file("int8", "openvino").read_text() == "int8"
    assert bundle.model_file("int8", "onnxruntime").read_text() == "int8_onnxruntime"
    assert bundle.model_file("fp32", "onnxruntime").read_text() == "fp32"
    assert bundle.precisions() == ("fp32", "int8")


def test_an_exchanged_file_is_refused(toy):
    folder, _, _ = toy
    (folder / "fp32.onnx").write_text("something else")
    with pytest.raises(BundleError, match=r"damaged or was exchanged\. Reinstall"):
        read_bundle(folder).model_file("fp32", "openvino")


def test_a_missing_file_and_a_missing_precision_are_told_apart(toy):
    folder, _, _ = toy
    (folder / "fp32.onnx").unlink()
    with pytest.raises(BundleError, match=r"fp32\.onnx is missing"):
        read_bundle(folder).model_file("fp32", "openvino")
    with pytest.raises(BundleError, match=r"no fp16 file for openvino\. It has fp32, int8"):
        read_bundle(folder).model_file("fp16", "openvino")


def test_a_signed_int8_file_alone_is_not_run_by_onnx_runtime(toy):
    folder, write, files = toy
    write(files={key: files[key] for key in ("fp32", "int8")})
    with pytest.raises(BundleError, match="no int8 file for onnxruntime"):
        read_bundle(folder).model_file("int8", "onnxruntime")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"schema": 2}, "schema 2 is not 1"),
        ({"task": "poetry"}, "task 'poetry'"),
        ({"labels": "A"}, "'labels' has the wrong kind"),
        ({"inputs": None}, "'inputs' is missing"),
        ({"files": {"fp32": {"path": "a.onnx", "sha256": "abc"}}}, "64 hex digits"),
        ({"files": {"fp32": {"path": "../a.onnx", "sha256": "0" * 64}}}, "not a plain file name"),
        ({"files": {"int8": {"path": "a.onnx", "sha256": "0" * 64}}}, "files.fp32 is missing"),
    ],
)
def test_a_malformed_manifest_is_refused_by_name(toy, changes, complaint):
    folder = toy[1](**changes)
    with pytest.raises(BundleError, match=complaint) as caught:
        read_bundle(folder)
    assert "model.yaml" in str(caught.value)


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "\x00", ""])
def test_what_is_no_yaml_mapping_is_refused(toy, text):
    (toy[0] / "model.yaml").write_text(text)
    with pytest.raises(BundleError):
        read_bundle(toy[0])


def test_a_bundle_is_found_by_name_and_by_path(toy, monkeypatch):
    folder, _, _ = toy
    monkeypatch.setenv("CAER_HOME", str(folder.parent / "home"))
    shutil.copytree(folder, folder.parent / "home" / "models" / "toy")
    assert find_bundle("toy").folder == folder.parent / "home" / "models" / "toy"
    assert find_bundle(str(folder)).folder == folder
    assert "toy" in [bundle.name for bundle in list_bundles()]


def test_an_unknown_name_says_what_is_there_and_what_to_do():
    with pytest.raises(BundleError, match="caer models install nothere"):
        find_bundle("nothere")
    with pytest.raises(BundleError, match="No model was named"):
        find_bundle("")
    with pytest.raises(BundleError, match="no model bundle"):
        find_bundle("./nothere")


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_every_shipped_file_is_as_promised(root):
    manifests = sorted((root / "models").glob("*/model.yaml"))
    assert manifests
    for manifest in manifests:
        bundle = read_bundle(manifest.parent)
        for key, (path, promised) in bundle.files.items():
            assert sha256_of(manifest.parent / path) == promised, (bundle.name, key)
        assert (manifest.parent / "README.md").is_file(), "every model has its card"
