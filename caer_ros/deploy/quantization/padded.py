"""Convolutions with output channels that come with nothing: zeros that nobody counts.

ONNX Runtime's integer convolutions take twice as long for 29 or 17 channels as for 32 (measured).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from onnx import ModelProto, NodeProto

from caer_ros.deploy.quantization.graph import Graph, constant
from caer_ros.deploy.quantization.layers import Layer, find_layers

_MULTIPLE = 16


def with_padded_channels(model: ModelProto, names: Collection[str]) -> ModelProto:
    """The model with the output channels of these layers rounded up to a multiple of 16.

    Only layers whose values go through a ReLU, or nothing, into other convolutions are changed;
    those get as many zeros for weights. The answer is the same.
    """
    graph = Graph(model)
    layers = {layer.name: layer for layer in find_layers(graph)}
    made = ModelProto()
    made.CopyFrom(model)
    nodes = {node.name: node for node in made.graph.node}
    changed: dict[str, np.ndarray] = {}
    for name in names:
        layer = layers[name]
        more = -graph.weights[layer.weight].shape[layer.axis] % _MULTIPLE
        if not more or not _is_inside(graph, layer):
            continue
        own = [(layer, 1, 0), *([(layer, 2, 0)] if layer.bias else [])]
        after = [(layers[node.name], 1, 1) for node in graph.readers[layer.output]]
        for each, place, axis in [*own, *after]:
            node = nodes[each.name]
            values = changed.get(node.input[place], graph.weights.get(node.input[place]))
            assert values is not None
            widths = [(0, more if a == axis else 0) for a in range(values.ndim)]
            # By layer and place: a constant may be another layer's too.
            node.input[place] = f"{each.name}_padded_{place}"
            changed[node.input[place]] = np.pad(values, widths)
    read = {name for node in made.graph.node for name in node.input}
    whole = [tensor for tensor in made.graph.initializer if tensor.name in read]
    del made.graph.initializer[:]
    made.graph.initializer.extend(whole)
    made.graph.initializer.extend(constant(k, v) for k, v in changed.items() if k in read)
    return made


def _is_inside(graph: Graph, layer: Layer) -> bool:
    if layer.output in graph.outputs:
        return False
    if layer.output != layer.raw and graph.producer[layer.output].op_type != "Relu":
        return False
    after = graph.readers[layer.output]
    return bool(after) and all(
        _is_plain(graph, node) for node in (graph.producer[layer.raw], *after)
    )


def _is_plain(graph: Graph, node: NodeProto) -> bool:
    """Whether all its output channels read all its input's, by constant weights."""
    grouped = any(a.name == "group" and a.i != 1 for a in node.attribute)
    return node.op_type == "Conv" and node.input[1] in graph.weights and not grouped
