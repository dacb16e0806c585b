"""BENet's maps as ONNX: the same numbers at any batch, height and width."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.registry import build_network

pytestmark = pytest.mark.usefixtures("one_thread")

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def ready(**switches: object) -> BENet:
    """Norms with statistics, and answers of the size of one, so that 1e-4 is a small difference."""
    torch.manual_seed(0)
    network = build_network("benet", width=8, num_classes=5, **switches)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(("answer.3.weight", "vad.3.weight")):
                weight.normal_(std=0.1)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 1.0
                layer.weight.fill_(1)  # blocks start as if they were not there
        network(torch.randn(4, 3, 64, 64))
    return network.eval()


def exported(graph: nn.Module, names: list[str]) -> onnx.ModelProto:
    buffer = io.BytesIO()
    axes = {0: "images", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            (torch.zeros(2, 64, 96, 3, dtype=torch.uint8),),
            buffer,
            input_names=["images"],
            output_names=names,
            dynamic_axes={"images": {0: "images", 1: "height", 2: "width"}}
            | {name: {axis: f"{name}_{size}" for axis, size in axes.items()} for name in names},
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    onnx.checker.check_model(model, full_check=True)
    return model


@pytest.fixture(scope="module", params=[False, True], ids=["emotions", "emotions and VAD"])
def file(request: pytest.FixtureRequest) -> tuple[BENet, onnx.ModelProto]:
    network = ready(vad=request.param)
    names = [f"{kind}_{part}" for part in ("quarter", "half") for kind in kinds(network)]
    return network, exported(network.inference_part(), names)


def kinds(network: BENet) -> list[str]:
    return ["heat", "size", "emotion", *(["vad"] if network.config.vad else [])]


def test_same_numbers_at_any_batch_and_size(file: tuple[BENet, onnx.ModelProto]) -> None:
    network, model = file
    graph = network.inference_part()
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for batch, height, width in ((1, 32, 64), (3, 96, 64)):
        generator = torch.Generator().manual_seed(batch)
        shape = (batch, height, width, 3)
        images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        with torch.no_grad():
            maps = graph(images)
        wanted = [getattr(part, kind) for part in maps for kind in kinds(network)]
        got = session.run(None, {"images": images.numpy()})
        for array, tensor in zip(got, wanted, strict=True):
            assert array.shape == tuple(tensor.shape)
            assert tensor.std() > 0.1
            np.testing.assert_allclose(array, tensor.numpy(), atol=1e-4, rtol=0)


def test_only_what_the_robot_runs_is_in_the_file(file: tuple[BENet, onnx.ModelProto]) -> None:
    network, model = file
    graph = network.inference_part()
    ran: list[nn.Module] = []
    for layer in graph.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda layer, *_: ran.append(layer))
    with torch.no_grad():
        graph(torch.zeros(1, 32, 32, 3, dtype=torch.uint8))
    # The last layers of the backbone's coarser maps are neither run nor stored.
    assert len(ran) < sum(isinstance(layer, nn.Conv2d) for layer in graph.modules())
    nodes = [node.op_type for node in model.graph.node]
    # Those of two maps, of largest and mean channel, are written out.
    assert nodes.count("Conv") == len([each for each in ran if each.in_channels > 2])
    stored = sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer)
    assert stored < sum(each.numel() for each in graph.parameters())
    # It takes the axis of a batch of one along with the others.
    assert "Squeeze" not in nodes
