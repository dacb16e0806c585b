"""CAER-Net on clips, from network to bundle to robot: the same answers all along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from caer_ros.bundles import read_bundle
from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.cuts import Cut, cut_context
from caer_ros.datasets.scene_source import SceneSource
from caer_ros.datasets.scenes import SceneControls
from caer_ros.deploy.card import About
from caer_ros.deploy.export import export_bundle
from caer_ros.deploy.export_clip import (
    Arrays,
    caer_net_card,
    check_clip_parity,
    clip_batch,
    pan,
)
from caer_ros.deploy.onnx_file import ParityError
from caer_ros.deploy.people_onnx import INPUTS, OUTPUTS
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.networks.caer_net import CaerNet
from caer_ros.networks.caer_net_config import CaerNetConfig
from caer_ros.networks.checkpoint import save_checkpoint
from caer_ros.perception import Pipeline, PipelineConfig
from caer_ros.perception.clip_context import make_clip_context
from caer_ros.perception.clip_inputs import read_clip_inputs

pytestmark = pytest.mark.usefixtures("one_thread")


def random_network(seed: int, **switches: object) -> CaerNet:
    """Random weights with batch-norm statistics that are not the identity, and with logits that
    differ as those of a trained network do."""
    torch.manual_seed(seed)
    network = CaerNet(CaerNetConfig(**switches)).train()
    with torch.no_grad():
        network(torch.randn(4, 3, 8, 32, 32), torch.randn(4, 3, 8, 32, 32), torch.arange(4))
        network.fusion.classifier[-1].weight *= 50
    return network.eval()


@pytest.fixture(scope="module")
def clips() -> CaerNet:
    return random_network(0)


@pytest.fixture(scope="module")
def exported(clips: CaerNet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A bundle of an untrained network, and what it was compared on."""
    folder = tmp_path_factory.mktemp("clips")
    checkpoint = folder / "random.safetensors"
    save_checkpoint(clips, checkpoint, {"recipe": {"name": "none"}})
    picture = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    bundle = folder / "caer_net_untrained"
    parity = export_bundle(checkpoint, bundle, [picture], "0.0.1", True, "only a test")
    assert parity.difference <= 1e-4
    return bundle, parity.compared


def drawn_batch() -> Arrays:
    """One drawn clip, cut as in training."""
    source = SceneSource(3, "test", SceneControls(), 1, Cut(context=112, cropped=True), 16)
    (example,) = source.views(0)
    return {
        "face": example.face[None],
        "context": example.context[None],
        "scene": np.zeros(1, np.int64),
    }


def test_the_bundle_says_what_the_robot_must_know(exported: tuple[Path, str]) -> None:
    folder, compared = exported
    bundle = read_bundle(folder)
    assert compared.startswith("5 clips (ONNX Runtime")
    assert (bundle.task, bundle.labels, bundle.notice) == ("caer_clip", CAER7, "only a test")
    assert bundle.outputs["attention"]["shape"] == ["scenes", 2, 7, 7]
    inputs = read_clip_inputs(bundle)
    clip = inputs.clip
    assert (clip.rate, clip.hop, clip.frames, clip.lag) == (10.0, 8, 16, 0.75)
    assert (clip.face_size, clip.context_size) == (96, 112)
    assert (inputs.rows, inputs.columns, inputs.margin, inputs.fill) == (128, 171, 0.1, 0)
    graph = onnx.load(folder / "fp32.onnx").graph
    shapes = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in graph.input}
    assert shapes == {"face": [0, 16, 96, 96, 3], "context": [0, 16, 112, 112, 3], "scene": [0]}
    assert [o.name for o in graph.output] == list(OUTPUTS)
    assert "BatchNormalization" not in {node.op_type for node in graph.node}


def test_both_back_ends_say_what_torch_says_of_a_drawn_clip(
    clips: CaerNet, exported: tuple[Path, str]
) -> None:
    pytest.importorskip("openvino")
    parity = check_clip_parity(clips, exported[0] / "fp32.onnx", [drawn_batch()])
    assert parity.difference <= 1e-4
    assert parity.compared == "1 clips (ONNX Runtime and OpenVINO)"


def test_people_of_one_scene_share_its_context(exported: tuple[Path, str]) -> None:
    rng = np.random.default_rng(2)
    face = rng.integers(0, 256, (1, 16, 96, 96, 3), dtype=np.uint8)
    contexts = rng.integers(0, 256, (2, 16, 112, 112, 3), dtype=np.uint8)
    contexts[1] //= 4
    scene = np.array([0, 1, 0])
    with OnnxRuntimeEngine(exported[0] / "fp32.onnx") as engine:
        got = engine.run({"face": np.repeat(face, 3, 0), "context": contexts, "scene": scene})
    np.testing.assert_allclose(got["logits"][0], got["logits"][2], atol=1e-4)
    assert np.abs(got["logits"][0] - got["logits"][1]).max() > 1e-2
    assert got["attention"].shape == (2, 2, 7, 7)
    np.testing.assert_allclose(got["attention"].sum(axis=(2, 3)), 1, atol=1e-5)


def test_another_network_is_noticed(exported: tuple[Path, str]) -> None:
    with pytest.raises(ParityError, match="differs from the network"):
        check_clip_parity(random_network(1), exported[0] / "fp32.onnx", [drawn_batch()])


@pytest.mark.parametrize("switches", [{"streams": "face"}, {"num_classes": 5}])
def test_a_network_that_the_robot_can_not_use_is_refused(switches: dict) -> None:
    with pytest.raises(InputError, match="Export one that reads both"):
        caer_net_card(CaerNet(CaerNetConfig(**switches)), About("x", "1", {}, True, ""))


@pytest.mark.parametrize("size", [(48, 64), (480, 640), (720, 1280), (256, 342), (300, 200)])
def test_the_robot_cuts_the_context_as_the_tests_of_training_do(size: tuple[int, int]) -> None:
    height, width = size
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    faces = [
        Box(width * 0.4, height * 0.3, width * 0.5, height * 0.6),
        Box(-5, -5, width / 4, height / 4),
    ]
    wanted = cut_context(image, faces, Cut(context=112, cropped=True))
    out = np.empty((112, 112, 3), np.uint8)
    assert make_clip_context(image, faces, "bgr8", out, (128, 171)) is out
    assert np.array_equal(out, wanted)
    assert (out == 0).all(axis=-1).any()
    rgb = np.ascontiguousarray(image[:, :, ::-1])
    assert np.array_equal(make_clip_context(rgb, faces, "rgb8", out, (128, 171)), wanted)
    grey = make_clip_context(image[:, :, 0], [], "mono8", out, (128, 171))
    assert (grey == grey[:, :, :1]).all()


def test_clips_to_compare_on_move() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    clip = pan(picture)
    assert clip.shape == (16, 30, 45, 3)
    assert np.array_equal(clip[0], picture[:30, :45])
    assert np.array_equal(clip[-1], picture[10:, 15:])
    batch = clip_batch([clip, clip])
    assert [batch[name].shape[0] for name in INPUTS] == [2, 1, 2]


def test_the_robot_runs_the_bundle_on_a_film(
    exported: tuple[Path, str], astronaut: np.ndarray
) -> None:
    pytest.importorskip("norfair")
    config = PipelineConfig(
        model=str(exported[0]), backend="onnxruntime", tracking="always", smoothing_s=0.0
    )
    with Pipeline.open(config) as pipeline:
        assert pipeline.notice == "only a test"
        results = [
            pipeline.process(np.roll(astronaut, frame, axis=1), "bgr8", True, 5 + frame / 10)
            for frame in range(20)
        ]
    lags = [[round(e.lag, 2) for p in r.people for e in p.estimates] for r in results]
    # The second sighting gives the id; 16 frames later the clip is whole, then the next hop counts.
    assert lags == [[]] * 16 + [[0.75], [0.85], [0.95], [1.05]]
    (person,) = results[-1].people
    assert person.track_id
    assert person.estimates[0].probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert results[-1].attention.shape == (128, 171)
    assert results[3].attention is None
