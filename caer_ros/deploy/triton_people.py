"""CAER-Net-S with one item a camera, so that a server can join the requests of many cameras."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import ModelProto, TensorProto

from caer_ros.deploy.onnx_builder import GraphBuilder, value

_INSIDE = "network/"


def people_by_camera(network: ModelProto, temperature: float) -> ModelProto:
    """The bundle's graph with other axes: its own takes people and scenes, whose numbers differ,
    and Triton joins requests along one axis that all tensors share.

    `face` uint8 [cameras, faces, S, S, 3] and `context` uint8 [cameras, C, C, 3] -> `probabilities`
    float32 [cameras, faces, classes], `fusion` [cameras, faces, 2], `attention` [cameras, h, w].
    Which scene a face belongs to follows from its place.
    """
    side = _dims(network, "face")[1]
    g = GraphBuilder()
    shape = g.node("Shape", ["face"])
    cameras, faces = g.pick(shape, 0), g.pick(shape, 1)
    g.node("Reshape", ["face", g.ints(-1, side, side, 3)], f"{_INSIDE}face")
    g.node("Identity", ["context"], f"{_INSIDE}context")
    _scenes(g, cameras, faces)
    inner = ModelProto()
    inner.CopyFrom(network)
    inner = onnx.compose.add_prefix(inner, _INSIDE)
    g.nodes.extend(inner.graph.node)
    g.constants.extend(inner.graph.initializer)
    by_face = g.join(cameras, faces, g.ints(-1))
    warm = g.div(f"{_INSIDE}logits", g.constant(temperature, np.float32))
    g.node("Reshape", [g.node("Softmax", [warm], axis=-1), by_face], "probabilities")
    g.node("Reshape", [f"{_INSIDE}fusion", by_face], "fusion")
    g.node("Identity", [f"{_INSIDE}attention"], "attention")
    uint8, real = TensorProto.UINT8, TensorProto.FLOAT
    return g.model(
        [
            value("face", uint8, ["cameras", "faces", side, side, 3]),
            value("context", uint8, ["cameras", *_dims(network, "context")[1:]]),
        ],
        [
            value("probabilities", real, ["cameras", "faces", _dims(network, "logits")[1]]),
            value("fusion", real, ["cameras", "faces", 2]),
            value("attention", real, ["cameras", *_dims(network, "attention")[1:]]),
        ],
        max(each.version for each in network.opset_import if not each.domain),
    )


def _scenes(g: GraphBuilder, cameras: str, faces: str) -> None:
    """int64 [cameras * faces]: 0 for the faces of the first camera, and so on."""
    scalar = g.ints()
    first, last = (g.node("Reshape", [name, scalar]) for name in (g.ints(0), cameras))
    step = g.node("Reshape", [g.ints(1), scalar])
    numbers = g.node("Unsqueeze", [g.node("Range", [first, last, step]), g.ints(1)])
    spread = g.node("Expand", [numbers, g.join(cameras, faces)])
    g.node("Reshape", [spread, g.ints(-1)], f"{_INSIDE}scene")


def _dims(network: ModelProto, name: str) -> list[int]:
    """Sizes of an input or output; 0 for a dynamic axis."""
    values = (*network.graph.input, *network.graph.output)
    found = next(each for each in values if each.name == name)
    return [dim.dim_value for dim in found.type.tensor_type.shape.dim]
