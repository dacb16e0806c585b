"""Pictures normalised along whole rows: the same values, in a fraction of ONNX Runtime's time.

ONNX Runtime moves the transposition behind the normalisation and then multiplies three numbers at a
time. Here the three factors are repeated along a row first, and a row is multiplied at once.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from caer_ros.deploy.quantization.graph import Graph, constant

# Shape with `start` came with 15.
LEAST_OPSET = 15


def normalised_by_rows(model: ModelProto) -> ModelProto:
    """The model, where its pictures uint8 [..., H, W, C] are transposed, cast, multiplied and
    shifted, each by nodes that nobody else reads; else as it is.
    """
    if max(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")) < LEAST_OPSET:
        return model
    graph = Graph(model)
    chains = [_chain(graph, v.name) for v in model.graph.input if _is_picture(v)]
    found = {chain[0].name: chain for chain in chains if chain}
    gone = {node.name for chain in found.values() for node in chain}
    made = ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    for node in graph.nodes:
        if node.name in found:
            nodes, weights = _by_rows(graph, found[node.name])
            made.graph.node.extend(nodes)
            made.graph.initializer.extend(weights)
        elif node.name not in gone:
            made.graph.node.append(node)
    return made


def _is_picture(value: object) -> bool:
    kind = value.type.tensor_type  # type: ignore[attr-defined]
    return bool(kind.elem_type == TensorProto.UINT8 and len(kind.shape.dim) > 2)


def _chain(graph: Graph, picture: str) -> list[NodeProto]:
    """Transpose and Cast in either order, Mul, Add; empty if it is anything else."""
    found: list[NodeProto] = []
    last = picture
    for wanted in ({"Transpose", "Cast"}, {"Transpose", "Cast"}, {"Mul"}, {"Add"}):
        readers = graph.readers[last]
        if len(readers) != 1 or readers[0].op_type not in wanted or last in graph.outputs:
            return []
        found.append(readers[0])
        last = readers[0].output[0]
    if found[0].op_type == found[1].op_type:
        return []
    transpose = next(node for node in found if node.op_type == "Transpose")
    order = list(transpose.attribute[0].ints)
    channels_first = [0, len(order) - 1, *range(1, len(order) - 1)]
    usable = all(_values(graph, node, len(order)) is not None for node in found[2:])
    return found if usable and order == channels_first else []


def _values(graph: Graph, node: NodeProto, rank: int) -> np.ndarray | None:
    """A constant that is one number a channel, float32 [C]; None if it is not."""
    constants = [graph.weights[name] for name in node.input if name in graph.weights]
    if len(constants) != 1 or constants[0].ndim != rank:
        return None
    shape = constants[0].shape
    return constants[0].reshape(-1) if constants[0].size == shape[1] else None


def _by_rows(graph: Graph, chain: list[NodeProto]) -> tuple[list[NodeProto], list[TensorProto]]:
    transpose = next(node for node in chain if node.op_type == "Transpose")
    rank = len(transpose.attribute[0].ints)
    picture, end = chain[0].input[0], chain[-1].output[0]
    row, last = f"{picture}_row", f"{picture}_float"
    nodes = [
        helper.make_node("Shape", [picture], [row], f"{row}_Shape", start=rank - 2),
        helper.make_node("Cast", [picture], [last], f"{last}_Cast", to=TensorProto.FLOAT),
    ]
    weights = []
    for node in chain[2:]:
        values = _values(graph, node, rank)
        assert values is not None
        names = [f"{node.name}_channels", f"{node.name}_row", f"{node.name}_by_rows"]
        weights.append(constant(names[0], values))
        nodes.append(helper.make_node("Expand", [names[0], row], [names[1]], names[1]))
        nodes.append(helper.make_node(node.op_type, [last, names[1]], [names[2]], node.name))
        last = names[2]
    order = list(transpose.attribute[0].ints)
    nodes.append(helper.make_node("Transpose", [last], [end], transpose.name, perm=order))
    return nodes, weights
