"""What gets a quantiser beside what INT8 layers read, in the file for TensorRT and OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caer_ros.deploy.quantization.graph import Graph
from caer_ros.deploy.quantization.layers import Layer


def residuals(graph: Graph, layers: Sequence[Layer]) -> dict[str, str]:
    """Add -> its side that comes past an INT8 layer, whose sum TensorRT can then fuse."""
    raw = {layer.raw for layer in layers}
    read = {layer.input for layer in layers}
    found = {}
    for node in graph.nodes:
        if node.op_type != "Add":
            continue
        for name, other in (tuple(node.input), tuple(node.input)[::-1]):
            alone = len(graph.readers[other]) == 1
            if other in raw and alone and name in read and name not in raw:
                found[node.name] = name
    return found


def read_twice(graph: Graph, layers: Sequence[Layer]) -> set[str]:
    """What INT8 layers put out without a ReLU, where more than one node reads it.

    OpenVINO (2026.4) folds a gate into the layer that it is made from and scales, and answers
    wrongly by some percent; with a quantiser in between it does not.
    """
    return {name for name in _without_relu(layers) if len(graph.readers[name]) > 1}


def summed(graph: Graph, layers: Sequence[Layer], fused: Mapping[str, str]) -> set[str]:
    """What INT8 layers put out without a ReLU, and no engine sums up while it computes it: a
    quarter of the bytes are moved.

    fused: as `residuals` has it.
    """
    raw = set(_without_relu(layers))
    found: set[str] = set()
    for node in graph.nodes:
        here = [name for name in node.input if name in raw]
        if node.op_type == "Resize" or (node.op_type == "Add" and node.name not in fused):
            found.update(here[-1:])
    return found


def _without_relu(layers: Sequence[Layer]) -> list[str]:
    return [layer.raw for layer in layers if layer.output == layer.raw]
