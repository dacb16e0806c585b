"""Transposed convolutions as ordinary ones: ONNX Runtime has no INT8 kernel for them.

A transposed convolution of stride 2 fills each square of 2 x 2 cells from the same few cells of its
input. One convolution computes the four as four times the channels, and DepthToSpace lays them side
by side. The answer is the same; the kernel's corners are zeros, which cost less in INT8 than the
transposed convolution does in FP32: with ONNX Runtime not half (measured).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from caer_ros.deploy.quantization.graph import Graph, constant


def without_transposed(model: ModelProto, names: Collection[str]) -> ModelProto:
    """The model, where these transposed convolutions are ordinary ones of the same names.

    A ReLU that follows comes before DepthToSpace. Those with groups, dilation or an output of
    another size than stride times the input's stay as they are.
    """
    graph = Graph(model)
    made = ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    gone: set[str] = set()
    for node in graph.nodes:
        if node.name in gone:
            continue
        if node.name not in names or not _fits(graph, node):
            made.graph.node.append(node)
            continue
        relu = _relu_after(graph, node)
        gone |= {relu.name} if relu is not None else set()
        nodes, weights = _written(graph, node, relu)
        made.graph.node.extend(nodes)
        made.graph.initializer.extend(weights)
    read = {name for node in made.graph.node for name in node.input}
    kept = [tensor for tensor in made.graph.initializer if tensor.name in read]
    del made.graph.initializer[:]
    made.graph.initializer.extend(kept)
    return made


def as_ordinary(weights: np.ndarray, stride: int, pad: int) -> np.ndarray:
    """Weights [inputs, outputs, k, k] of a transposed convolution as those of an ordinary one.

    k = stride + 2 pad. The result is [stride² outputs, inputs, r, r], its padding r // 2; channel
    (y stride + x) outputs + c is what goes to cell (y, x) of a square.
    """
    inputs, outputs, size, _ = weights.shape
    # Cell y of a square reads input cell i + d through kernel row y + pad - stride d.
    reach = max(stride - 1 + pad, size - 1 - pad) // stride
    found = np.zeros((stride, stride, outputs, inputs, 2 * reach + 1, 2 * reach + 1), weights.dtype)
    rows = [
        (y, d, y + pad - stride * d)
        for y in range(stride)
        for d in range(-reach, reach + 1)
        if 0 <= y + pad - stride * d < size
    ]
    for y, down, row in rows:
        for x, right, column in rows:
            found[y, x, :, :, reach + down, reach + right] = weights[:, :, row, column].T
    return found.reshape(stride * stride * outputs, inputs, 2 * reach + 1, 2 * reach + 1)


def _fits(graph: Graph, node: NodeProto) -> bool:
    wants = _attributes(node)
    weights = graph.weights.get(node.input[1])
    if weights is None or weights.ndim != 4 or wants.get("auto_pad", b"NOTSET") != b"NOTSET":
        return False
    if wants.get("group", 1) != 1 or any(wants.get("output_padding", ())):
        return False
    if set(wants.get("dilations", (1,))) != {1} or "output_shape" in wants:
        return False
    strides, pads = set(wants.get("strides", (1,))), set(wants.get("pads", (0,)))
    if not len(strides) == len(pads) == 1:
        return False
    return set(weights.shape[2:]) == {min(strides) + 2 * min(pads)}


def _relu_after(graph: Graph, node: NodeProto) -> NodeProto | None:
    """The ReLU that alone reads it."""
    after = graph.readers[node.output[0]]
    alone = len(after) == 1 and node.output[0] not in graph.outputs
    return after[0] if alone and after[0].op_type == "Relu" else None


def _written(
    graph: Graph, node: NodeProto, relu: NodeProto | None
) -> tuple[list[NodeProto], list[TensorProto]]:
    wants = _attributes(node)
    stride, pad = wants["strides"][0], wants.get("pads", (0,))[0]
    weights = graph.weights[node.input[1]]
    bias = np.zeros(weights.shape[1], weights.dtype)
    if len(node.input) > 2:
        bias = graph.weights[node.input[2]]
    ordinary = as_ordinary(weights, stride, pad)
    names = [f"{node.name}_ordinary_weight", f"{node.name}_ordinary_bias"]
    constants = [constant(names[0], ordinary), constant(names[1], np.tile(bias, stride**2))]
    cells, pads = f"{node.name}_cells", [ordinary.shape[2] // 2] * 4
    nodes = [helper.make_node("Conv", [node.input[0], *names], [cells], node.name, pads=pads)]
    end = node.output[0]
    if relu is not None:
        nodes.append(helper.make_node("Relu", [cells], [f"{cells}_relu"], relu.name))
        cells, end = f"{cells}_relu", relu.output[0]
    name = f"{node.name}_side_by_side"
    nodes.append(
        helper.make_node("DepthToSpace", [cells], [end], name, blocksize=stride, mode="DCR")
    )
    return nodes, constants


def _attributes(node: NodeProto) -> dict[str, Any]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}
