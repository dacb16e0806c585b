"""Which layers of a network can be INT8, and which are left alone whatever the pictures say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnx import NodeProto

from caer_ros.deploy.quantization.graph import Graph

OPERATORS = frozenset({"Conv", "ConvTranspose"})
# Why a layer is left alone for which ONNX Runtime's file has another form, see onnxruntime_form.
TRANSPOSED = "transposed"
_ACTIVATIONS = frozenset({"Relu", "Clip"})
_GATES = frozenset({"Sigmoid", "HardSigmoid", "Softmax", "Tanh"})
# They pass values on as they are, so that both sides can share one scale.
_SAME_VALUES = frozenset({"MaxPool", "DepthToSpace"})


@dataclass(frozen=True)
class Layer:
    """A convolution with constant weights.

    Attributes:
        name: of the node.
        operator: `Conv` or `ConvTranspose`.
        input, weight, bias: names; bias may be empty.
        raw: what the node puts out.
        output: the same after the ReLU that follows, if nothing else reads `raw`.
        axis: of the weights that counts output channels.
        weights: how many numbers.
    """

    name: str
    operator: str
    input: str
    weight: str
    bias: str
    raw: str
    output: str
    axis: int
    weights: int


def find_layers(graph: Graph) -> list[Layer]:
    """All layers that could be INT8, in the order of the graph."""
    return [
        _layer(graph, node)
        for node in graph.nodes
        if node.op_type in OPERATORS and node.input[1] in graph.weights and not _grouped_up(node)
    ]


def protected(graph: Graph, layers: Sequence[Layer]) -> dict[str, str]:
    """Name -> why this layer stays in higher precision: nothing is won, or too much is lost.

    Neither TensorRT nor ONNX Runtime has an INT8 kernel for transposed convolutions; the latter's
    file has ordinary ones instead. Gates and one-channel maps go through a sigmoid or softmax and
    then scale everything else; the 1×1 layers at the end have the answers' own resolution, and cost
    next to nothing.
    """
    reasons: dict[str, str] = {}
    for layer in layers:
        shape = graph.weights[layer.weight].shape
        if layer.operator == "ConvTranspose":
            reasons[layer.name] = TRANSPOSED
        elif shape[layer.axis] == 1:
            reasons[layer.name] = "map of one channel"
        elif any(node.op_type in _GATES for node in graph.readers[layer.output]):
            reasons[layer.name] = "gate"
        elif shape[2:] == (1,) * len(shape[2:]) and graph.reaches_output(layer.raw, OPERATORS):
            reasons[layer.name] = "last layer"
    return reasons


def groups(graph: Graph, layers: Sequence[Layer]) -> list[tuple[str, ...]]:
    """The tensors that need a scale, those that share one together, in the order of the graph."""
    wanted = dict.fromkeys(name for layer in layers for name in (layer.input, layer.output))
    wanted |= dict.fromkeys(summands(graph, layers))
    place: dict[str, list[str]] = {}
    for name in wanted:
        own = place.setdefault(name, [name])
        maker = graph.producer.get(name)
        if maker is None or maker.op_type not in _SAME_VALUES or maker.input[0] not in wanted:
            continue
        before = place.setdefault(maker.input[0], [maker.input[0]])
        if before is not own:
            before += own
            place.update(dict.fromkeys(own, before))
    return list(dict.fromkeys(tuple(members) for members in place.values()))


def summands(graph: Graph, layers: Sequence[Layer]) -> list[str]:
    """Products (of a map and its gate) that are added to what a layer reads or puts out.

    Both sides must be INT8 for ONNX Runtime to add them so; this side is no layer's.
    """
    known = {name for layer in layers for name in (layer.input, layer.output)}
    found: dict[str, None] = {}
    for node in graph.nodes:
        if node.op_type != "Add" or not known.intersection(node.input):
            continue
        makers = [(name, graph.producer.get(name)) for name in node.input if name not in known]
        found.update({name: None for name, maker in makers if maker and maker.op_type == "Mul"})
    return list(found)


def sources(graph: Graph, tensor: str) -> list[str]:
    """A tensor and those before it that have the same values, but for which of them."""
    found = [tensor]
    while (node := graph.producer.get(found[-1])) and node.op_type in _SAME_VALUES:
        found.append(node.input[0])
    return found


def _layer(graph: Graph, node: NodeProto) -> Layer:
    raw = node.output[0]
    after = graph.readers[raw]
    fused = len(after) == 1 and after[0].op_type in _ACTIVATIONS and raw not in graph.outputs
    return Layer(
        name=node.name,
        operator=node.op_type,
        input=node.input[0],
        weight=node.input[1],
        bias=node.input[2] if len(node.input) > 2 else "",
        raw=raw,
        output=after[0].output[0] if fused else raw,
        axis=0 if node.op_type == "Conv" else 1,
        weights=int(graph.weights[node.input[1]].size),
    )


def _grouped_up(node: NodeProto) -> bool:
    """Whether it is a transposed convolution in groups: one axis does not count its channels."""
    if node.op_type != "ConvTranspose":
        return False
    return any(a.name == "group" and a.i != 1 for a in node.attribute)
