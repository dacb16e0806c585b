"""The network with a switch a layer: INT8's rounding on or off, chosen at each run.

One network that is loaded once, instead of a file a layer: the sweep runs it with one switch on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from caer_ros.deploy.quantization.graph import Graph, constant
from caer_ros.deploy.quantization.layers import Layer
from caer_ros.deploy.quantization.scales import Scales, rounded_weights


def with_switches(graph: Graph, layers: Sequence[Layer], scales: Scales) -> ModelProto:
    """A model whose further inputs are the bools of `switch_feed`, for ONNX Runtime only."""
    by_name = {layer.name: (number, layer) for number, layer in enumerate(layers)}
    constants: list[TensorProto] = []
    nodes: list[NodeProto] = []
    done: set[str] = set()
    for node in graph.nodes:
        copy = NodeProto()
        copy.CopyFrom(node)
        if node.name in by_name:
            number, layer = by_name[node.name]
            if layer.input not in done:
                nodes += _rounded(layer.input, scales, constants)
                done.add(layer.input)
            pair = [f"{layer.input}_rounded", layer.input]
            copy.input[0] = _choice(number, "input", pair, nodes)
            constants.append(_weight(graph, layer, scales))
            copy.input[1] = _choice(number, "weight", [constants[-1].name, layer.weight], nodes)
        nodes.append(copy)
    made = ModelProto()
    made.CopyFrom(graph.model)
    del made.graph.node[:]
    del made.graph.value_info[:]
    made.graph.node.extend(nodes)
    made.graph.initializer.extend(constants)
    made.graph.input.extend(
        helper.make_tensor_value_info(_switch(number), TensorProto.BOOL, [])
        for number in range(len(layers))
    )
    onnx.checker.check_model(made)
    return made


def switch_feed(layers: Sequence[Layer], on: Iterable[str]) -> dict[str, np.ndarray]:
    """The further inputs: which layers, by name, are INT8 in this run."""
    chosen = set(on)
    return {_switch(n): np.array(layer.name in chosen) for n, layer in enumerate(layers)}


def _switch(number: int) -> str:
    return f"switch_{number}"


def _choice(number: int, what: str, pair: list[str], nodes: list[NodeProto]) -> str:
    name = f"switched_{what}_{number}"
    nodes.append(helper.make_node("Where", [_switch(number), *pair], [name], name))
    return name


def _rounded(tensor: str, scales: Scales, constants: list[TensorProto]) -> list[NodeProto]:
    names = [f"{tensor}_switch_scale", f"{tensor}_switch_zero"]
    constants.append(constant(names[0], np.array(scales.activation[tensor], np.float32)))
    constants.append(constant(names[1], np.array(0, np.int8)))
    stored, target = f"{tensor}_switch_bytes", f"{tensor}_rounded"
    return [
        helper.make_node("QuantizeLinear", [tensor, *names], [stored], f"{stored}_q"),
        helper.make_node("DequantizeLinear", [stored, *names], [target], f"{stored}_dq"),
    ]


def _weight(graph: Graph, layer: Layer, scales: Scales) -> TensorProto:
    weights, scale = graph.weights[layer.weight], scales.weight[layer.name]
    shape = [1] * weights.ndim
    shape[layer.axis] = -1
    values = rounded_weights(weights, scale, layer.axis) * scale.reshape(shape)
    return constant(f"{layer.name}_switch_weight", values.astype(np.float32))
