"""Every network as ONNX: the same numbers, at any batch."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from caer_ros.networks.caer_net_config import TABLE_3
from caer_ros.networks.inputs import CaerNetSGraph, WholePictureGraph
from caer_ros.networks.registry import build_network

pytestmark = pytest.mark.usefixtures("one_thread")

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def exported(
    graph: nn.Module, example: dict[str, torch.Tensor], outputs: list[str]
) -> onnxruntime.InferenceSession:
    """The graph in ONNX Runtime, its first axes dynamic."""
    buffer = io.BytesIO()
    people = {name: {0: "people"} for name in ("face", "scene", "logits", "fusion")}
    scenes = {name: {0: "scenes"} for name in ("context", "attention")}
    names = [*example, *outputs]
    axes = {name: axis for name, axis in (people | scenes).items() if name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(),
            tuple(example.values()),
            buffer,
            input_names=list(example),
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    onnx.checker.check_model(onnx.load_from_string(buffer.getvalue()), full_check=True)
    return onnxruntime.InferenceSession(buffer.getvalue(), providers=["CPUExecutionProvider"])


def two_streams(name: str, people: int, scenes: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(people)
    frames = () if name == "caer_net_s" else (8,)
    shape = (*frames, 32, 32, 3)
    return {
        "face": torch.randint(0, 256, (people, *shape), generator=generator, dtype=torch.uint8),
        "context": torch.randint(0, 256, (scenes, *shape), generator=generator, dtype=torch.uint8),
        "scene": torch.arange(people) % scenes,
    }


def same(got: list[np.ndarray], wanted: list[torch.Tensor]) -> None:
    for array, tensor in zip(got, wanted, strict=True):
        assert array.shape == tuple(tensor.shape)
        np.testing.assert_allclose(array, tensor.numpy(), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "row"),
    [*(("caer_net_s", row) for row in TABLE_3), ("caer_net", "F+C"), ("caer_net", "F+C+cA+fA")],
)
def test_rows_of_table_3(name: str, row: str) -> None:
    torch.manual_seed(0)
    graph = CaerNetSGraph(build_network(name, **TABLE_3[row])).eval()
    session = exported(graph, two_streams(name, 2, 2), ["logits", "fusion", "attention"])
    read = {node.name for node in session.get_inputs()}
    for people, scenes in ((1, 1), (5, 2)):
        arrays = two_streams(name, people, scenes)
        with torch.no_grad():
            wanted = graph(*arrays.values())
        feed = {k: v.numpy() for k, v in arrays.items() if k in read}
        same(session.run(None, feed), list(wanted))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("alexnet", (64, 64, 3)),
        pytest.param("vgg16", (32, 32, 3), marks=pytest.mark.slow),
        pytest.param("resnet50", (64, 64, 3), marks=pytest.mark.slow),
        pytest.param("c3d", (16, 32, 32, 3), marks=pytest.mark.slow),
    ],
)
def test_baselines(name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    graph = WholePictureGraph(build_network(name)).eval()
    pictures = torch.randint(0, 256, (3, *shape), dtype=torch.uint8)
    session = exported(graph, {"context": pictures[:2]}, ["logits"])
    with torch.no_grad():
        wanted = graph(pictures)
    # ResNet's maps are large with random batch norms: compare on the logits' own scale.
    scale = wanted.abs().max().item()
    together = session.run(None, {"context": pictures.numpy()})[0]
    alone = [session.run(None, {"context": pictures[i : i + 1].numpy()})[0] for i in range(3)]
    np.testing.assert_allclose(together, wanted.numpy(), atol=1e-4 * scale)
    np.testing.assert_allclose(np.concatenate(alone), wanted.numpy(), atol=1e-4 * scale)
