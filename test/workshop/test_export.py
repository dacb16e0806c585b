"""From network to ONNX: the same answers all along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from caer_ros.bundles.bundle import read_bundle
from caer_ros.core import InputError
from caer_ros.deploy.export import (
    INPUTS,
    OUTPUTS,
    ParityError,
    check_parity,
    export_bundle,
    read_pictures,
    to_onnx,
)
from caer_ros.engines import open_engine
from caer_ros.networks.caer_net_s import CaerNetS, CaerNetSConfig
from caer_ros.networks.inputs import CaerNetSGraph


@pytest.fixture(scope="module")
def onnx_file(network: CaerNetS, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "fp32.onnx"
    path.write_bytes(to_onnx(network))
    return path


def arrays(people: int, scenes: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(people * 10 + scenes)
    return {
        "face": rng.integers(0, 256, (people, 96, 96, 3), dtype=np.uint8),
        "context": rng.integers(0, 256, (scenes, 224, 224, 3), dtype=np.uint8),
        "scene": rng.integers(0, scenes, people),
    }


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_every_back_end_says_what_torch_says(
    network: CaerNetS, onnx_file: Path, backend: str
) -> None:
    pytest.importorskip(backend)
    graph = CaerNetSGraph(network).eval()
    with open_engine(onnx_file, backend) as engine:
        for people, scenes in ((1, 1), (3, 2), (20, 1), (1, 1)):
            given = arrays(people, scenes)
            with torch.inference_mode():
                wanted = graph(*(torch.from_numpy(given[name]) for name in INPUTS))
            got = engine.run(given)
            for name, tensor in zip(OUTPUTS, wanted, strict=True):
                np.testing.assert_allclose(got[name], tensor.numpy(), atol=1e-4, err_msg=name)


def test_graph_reads_pictures_and_has_no_batch_norm(onnx_file: Path) -> None:
    graph = onnx.load(onnx_file).graph
    kinds = {i.name: i.type.tensor_type.elem_type for i in graph.input}
    types = onnx.TensorProto
    assert kinds == {"face": types.UINT8, "context": types.UINT8, "scene": types.INT64}
    assert [o.name for o in graph.output] == list(OUTPUTS)
    assert "BatchNormalization" not in {node.op_type for node in graph.node}


def test_graph_normalises(network: CaerNetS) -> None:
    white = torch.full((1, 2, 2, 3), 255, dtype=torch.uint8)
    normalised = CaerNetSGraph(network).normalize(white)[0, :, 0, 0]
    expected = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    torch.testing.assert_close(normalised, torch.tensor(expected))


def test_another_network_is_noticed(onnx_file: Path) -> None:
    torch.manual_seed(1)
    with pytest.raises(ParityError, match="differs from the network"):
        check_parity(CaerNetS(CaerNetSConfig()).eval(), onnx_file, [np.zeros((9, 9, 3), np.uint8)])


def test_export_writes_a_bundle_that_the_robot_reads(checkpoint: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "mine"
    parity = export_bundle(
        checkpoint, bundle, [np.zeros((50, 50, 3), np.uint8)], "1.2.3", True, "only a test"
    )
    assert parity.difference <= 1e-4
    read = read_bundle(bundle)
    assert (read.name, read.version, read.demonstration) == ("mine", "1.2.3", True)
    assert read.notice == "only a test"
    assert read.model_file("fp32", "onnxruntime").name == "fp32.onnx"
    assert sorted(path.name for path in bundle.iterdir()) == ["fp32.onnx", "model.yaml"]


def test_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="PNG or JPEG"):
        read_pictures(tmp_path)
    (tmp_path / "half.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="None of the pictures"):
        read_pictures(tmp_path)
