"""Model repositories for Triton: their graphs give what the bundle gives, their files parse."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from caer_ros.bundles import Bundle, read_bundle
from caer_ros.bundles.files import sha256_of
from caer_ros.cli.main import main
from caer_ros.core import InputError
from caer_ros.deploy.triton import Options, write_repository
from caer_ros.deploy.triton_config import OnnxModel, Tensor
from caer_ros.deploy.triton_frames import boxes_to_frames, frames_to_images
from caer_ros.deploy.triton_people import people_by_camera
from caer_ros.perception.caer_static import softmax
from caer_ros.perception.fit_frame import fit_short_side

ort = pytest.importorskip("onnxruntime")


def session(model: onnx.ModelProto | Path) -> Any:
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return ort.InferenceSession(source, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def protobuf() -> Any:
    """Triton's published model_config_pb2, without the rest of its client, which wants grpc."""
    found = importlib.util.find_spec("tritonclient")
    if found is None or not found.submodule_search_locations:
        pytest.skip("tritonclient is not installed: pip install 'caer_ros[dev]'")
    path = Path(next(iter(found.submodule_search_locations))) / "grpc" / "model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("model_config_pb2", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def caer(root: Path) -> Bundle:
    return read_bundle(root / "models" / "caer_net_s")


@pytest.fixture(scope="module")
def benet(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of BENet's task whose box is the middle pixel's colour, to see who got which."""
    folder = tmp_path_factory.mktemp("bundles") / "seer"
    folder.mkdir()
    onnx.save(_seer(), str(folder / "fp32.onnx"))
    card = {
        "schema": 1,
        "name": "seer",
        "version": "1",
        "summary": "",
        "task": "person_emotion_maps",
        "labels": ["Joy", "Grief/“loss”"],
        "multi_label": True,
        "inputs": {
            "images": {
                "dtype": "uint8",
                "shape": ["images", "height", "width", 3],
                "color": "rgb",
                "short_side": 64,
                "multiple_of": 32,
            }
        },
        "outputs": {
            "boxes": {"dtype": "float32", "shape": ["images", 2, 4]},
            "peaks": {"dtype": "int64", "shape": ["images"]},
        },
        "decode": {"top_k": 2, "threshold": 0.1},
        "files": {"fp32": {"path": "fp32.onnx", "sha256": sha256_of(folder / "fp32.onnx")}},
        "notice": 'made "by hand"',
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(card, allow_unicode=True))
    return read_bundle(folder)


def _seer() -> onnx.ModelProto:
    """boxes[b] = twice (0, 0, input width, input height), peaks[b] = 2."""
    node = helper.make_node
    nodes = [
        node("Shape", ["images"], ["shape"]),
        node("Gather", ["shape", "places"], ["corner"]),
        node("Cast", ["corner"], ["row"], to=TensorProto.FLOAT),
        node("Mul", ["row", "mask"], ["box"]),
        node("Gather", ["shape", "first"], ["count"]),
        node("Concat", ["count", "tail"], ["full"], axis=0),
        node("Expand", ["box", "full"], ["boxes"]),
        node("Expand", ["two", "count"], ["peaks"]),
    ]
    constants = [
        helper.make_tensor("places", TensorProto.INT64, [4], [2, 1, 2, 1]),
        helper.make_tensor("mask", TensorProto.FLOAT, [4], [0, 0, 1, 1]),
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
        helper.make_tensor("tail", TensorProto.INT64, [2], [2, 4]),
        helper.make_tensor("two", TensorProto.INT64, [1], [2]),
    ]
    graph = helper.make_graph(
        nodes,
        "seer",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["images", "h", "w", 3])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["images", 2, 4]),
            helper.make_tensor_value_info("peaks", TensorProto.INT64, ["images"]),
        ],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize(
    ("width", "height"), [(640, 480), (201, 333), (96, 64), (1000, 40), (64, 64), (70, 101)]
)
def test_frames_are_fitted_where_the_robot_fits_them(width: int, height: int) -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    frames = coarse.repeat(-(-height // 4), 1).repeat(-(-width // 4), 2)[:, :height, :width]
    images, fit = session(frames_to_images(64, 32)).run(
        None, {"frames": np.ascontiguousarray(frames)}
    )
    short = max(min(64, 4 * 64 * min(width, height) // max(width, height)), 1)
    wanted = fit_short_side(width, height, short, 32)
    assert images.shape == (2, wanted.height, wanted.width, 3)
    scales = wanted.inner[0] / width, wanted.inner[1] / height
    assert fit == pytest.approx(np.array([[*scales, wanted.left, wanted.top]] * 2), rel=1e-6)
    for image, frame in zip(images, frames, strict=True):
        difference = np.abs(image.astype(int) - wanted.apply(np.ascontiguousarray(frame)))
        # Triangle and box differ at the blocks' edges only.
        assert np.median(difference) == 0
        assert difference.mean() < 6


def test_boxes_come_back_to_the_frame() -> None:
    fit = fit_short_side(640, 400, 64, 32)
    boxes = np.array([[[10, 20, 30, 40], [0, 0, 128, 64]]], np.float32)
    row = np.array([[fit.inner[0] / 640, fit.inner[1] / 400, fit.left, fit.top]], np.float32)
    (back,) = session(boxes_to_frames(2)).run(None, {"boxes": boxes, "fit": row})
    assert back[0] == pytest.approx(fit.to_source(boxes[0]), abs=1e-3)


def test_each_camera_keeps_its_own_scene(caer: Bundle) -> None:
    """Two frames with three faces each, as one batch, give what the bundle gives one by one."""
    network = onnx.load(str(caer.model_file("fp32", "onnxruntime")))
    rng = np.random.default_rng(1)
    face = rng.integers(0, 256, (2, 3, 96, 96, 3), dtype=np.uint8)
    context = rng.integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    got = session(people_by_camera(network, 1.5)).run(
        ["probabilities", "fusion", "attention"], {"face": face, "context": context}
    )
    plain = session(network)
    for camera in range(2):
        logits, fusion, attention = plain.run(
            ["logits", "fusion", "attention"],
            {
                "face": face[camera],
                "context": context[camera : camera + 1],
                "scene": np.zeros(3, np.int64),
            },
        )
        assert got[0][camera] == pytest.approx(softmax(logits / 1.5), abs=1e-5)
        assert got[1][camera] == pytest.approx(fusion, abs=1e-5)
        assert got[2][camera] == pytest.approx(attention[0], abs=1e-5)


def test_the_ensemble_gives_boxes_of_the_frame(benet: Bundle, tmp_path: Path) -> None:
    """Its steps run by hand: the corner of the input lies behind the frame's by the border."""
    names = write_repository(benet, tmp_path, Options(batch=4))
    assert names == ["seer", "seer_fit", "seer_network", "seer_boxes"]
    frames = np.zeros((2, 100, 130, 3), np.uint8)
    fit, network, back = (session(tmp_path / name / "1" / "model.onnx") for name in names[1:])
    images, row = fit.run(["images", "fit"], {"frames": frames})
    boxes, peaks = network.run(["boxes", "peaks"], {"images": images})
    (framed,) = back.run(None, {"boxes": boxes, "fit": row})
    wanted = fit_short_side(130, 100, 64, 32)
    corners = np.array([[0, 0, wanted.width, wanted.height]] * 2)
    assert framed == pytest.approx(np.stack([wanted.to_source(corners)] * 2), abs=1e-3)
    assert peaks.tolist() == [2, 2]


@pytest.mark.parametrize("which", ["caer", "benet"])
def test_configurations_parse_and_fit_their_models(
    which: str, protobuf: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    from google.protobuf import text_format

    write_repository(request.getfixturevalue(which), tmp_path, Options(batch=8))
    configs = {}
    for path in tmp_path.glob("*/config.pbtxt"):
        config = text_format.Parse(path.read_text(encoding="utf-8"), protobuf.ModelConfig())
        assert config.name == path.parent.name
        assert config.max_batch_size == 8
        assert (path.parent / "1").is_dir()
        configs[config.name] = config
        if config.platform == "ensemble":
            assert config.WhichOneof("scheduling_choice") == "ensemble_scheduling"
            continue
        assert config.WhichOneof("scheduling_choice") == "dynamic_batching"
        _same_tensors(config, session(path.parent / "1" / "model.onnx"), protobuf)
    for config in configs.values():
        _wired(config, configs)


def _same_tensors(config: Any, model: Any, protobuf: Any) -> None:
    kinds = {"UINT8": "tensor(uint8)", "FP32": "tensor(float)", "INT64": "tensor(int64)"}
    for said, real in ((config.input, model.get_inputs()), (config.output, model.get_outputs())):
        have = {value.name: value for value in real}
        for tensor in said:
            value = have.pop(tensor.name)
            name = protobuf.DataType.Name(tensor.data_type)
            assert kinds[name.removeprefix("TYPE_")] == value.type
            dims = list(tensor.reshape.shape if tensor.HasField("reshape") else tensor.dims)
            assert [d if isinstance(d, int) else -1 for d in value.shape[1:]] == dims
        assert said is config.output or not have  # outputs may be left out, inputs may not


def _wired(config: Any, configs: dict[str, Any]) -> None:
    """Every tensor of an ensemble comes from somewhere, with the shape that is wanted there."""
    dims = {tensor.name: list(tensor.dims) for tensor in config.input}
    for step in config.ensemble_scheduling.step:
        model = configs[step.model_name]
        assert {t.name for t in model.input} == set(step.input_map)
        for tensor in model.input:
            assert dims[step.input_map[tensor.name]] == list(tensor.dims)
        for tensor in model.output:
            if tensor.name in step.output_map:
                dims[step.output_map[tensor.name]] = list(tensor.dims)
    if config.platform == "ensemble":
        assert all(dims[tensor.name] == list(tensor.dims) for tensor in config.output)


def test_the_command_writes_a_repository(benet: Bundle, tmp_path: Path) -> None:
    assert main(["export", str(benet.folder), "--triton", str(tmp_path), "--batch", "2"]) == 0
    text = (tmp_path / "seer_network" / "config.pbtxt").read_text()
    assert "max_batch_size: 2" in text
    assert "preferred_batch_size" not in text
    assert 'made "by hand"' in (tmp_path / "README.md").read_text()


def test_the_accelerator_is_asked_for_only_where_wanted() -> None:
    tensors = [Tensor("x", "uint8", (3,))]
    assert "accelerator" not in OnnxModel("m", tensors, tensors, 8).to_text()
    assert 'name: "tensorrt"' in OnnxModel("m", tensors, tensors, 8, "tensorrt").to_text()


def test_what_can_not_be_served_is_refused(
    benet: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    detector = Bundle(**{**vars(benet), "task": "face_detection"})
    with pytest.raises(InputError, match="not served"):
        write_repository(detector, tmp_path, Options())
    with pytest.raises(InputError, match="int8"):
        write_repository(benet, tmp_path, Options(precision="int8"))
    with pytest.raises(InputError, match="1 to 256"):
        Options(batch=0)
    assert not list(tmp_path.iterdir())
    assert main(["export", "nothing.safetensors"]) == 2
    assert "--bundle and --images" in capsys.readouterr().err
