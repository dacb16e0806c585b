"""FP16 files, strongly typed: each tensor has one type, and casts say where it changes.

Convolutions are FP16, and what lies between them. FP32 stays what needs more than eleven bits or
costs nothing: reading and normalising pictures, sums over a whole map, linear layers, gates,
softmax, sorting and coordinates, and every layer whose values come near FP16's largest, 65504.
Never made of an INT8 file: FP16 beside QuantizeLinear gave wrong answers on ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from caer_ros.deploy.quantization.graph import Graph, constant
from caer_ros.deploy.quantization.layers import Layer

# Eight times below 65504: pictures not calibrated on may go further.
LARGEST = 8192.0
# They start FP16.
_HALF = frozenset({"Conv", "ConvTranspose"})
# They go on with it, if something they read is FP16 already.
_FOLLOWING = frozenset(
    {"Relu", "Clip", "LeakyRelu", "Add", "Sub", "Mul", "MaxPool", "Concat", "Resize"}
)
# Its further inputs are sizes and scales, which keep their types.
_FIRST_ONLY = frozenset({"Resize"})
_FLOAT, _SMALL = TensorProto.FLOAT, TensorProto.FLOAT16


def too_large(layers: Collection[Layer], largest: Mapping[str, float]) -> dict[str, str]:
    """Name -> why this layer stays FP32 in the FP16 file.

    largest: tensor -> largest |value| seen.
    """
    found = {}
    for layer in layers:
        value = max(largest[layer.input], largest[layer.output])
        if value > LARGEST:
            found[layer.name] = f"values up to {value:.3g}"
    return found


def to_half(graph: Graph, kept: Collection[str] = ()) -> ModelProto:
    """The network with its layers in FP16; inputs and outputs keep their types.

    Args:
        graph: FP32, prepared.
        kept: names of layers left in FP32.
    """
    writer = _HalfWriter(graph, frozenset(kept))
    for node in graph.nodes:
        writer.add(node)
    return writer.model()


class _HalfWriter:
    def __init__(self, graph: Graph, kept: frozenset[str]) -> None:
        self.graph, self.kept = graph, kept
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        # Tensors that are computed in FP16, under another name.
        self.half: set[str] = set()
        # Tensors that exist in the other type too.
        self.cast: set[str] = set()
        self.floats = _float_tensors(graph)

    def add(self, node: NodeProto) -> None:
        copy = NodeProto()
        copy.CopyFrom(node)
        if self._is_half(node):
            for place, name in enumerate(node.input):
                if name in self.floats and (place == 0 or node.op_type not in _FIRST_ONLY):
                    copy.input[place] = self._small(name)
            for place, name in enumerate(node.output):
                copy.output[place] = _half_name(name)
                self.half.add(name)
            self.nodes.append(copy)
            for name in node.output:
                if name in self.graph.outputs:
                    self._full(name)
            return
        for name in node.input:
            if name in self.half:
                self._full(name)
        self.nodes.append(copy)

    def model(self) -> ModelProto:
        made = ModelProto()
        made.CopyFrom(self.graph.model)
        del made.graph.node[:]
        del made.graph.value_info[:]
        made.graph.node.extend(self.nodes)
        read = {name for node in self.nodes for name in node.input}
        whole = [t for t in self.graph.model.graph.initializer if t.name in read]
        del made.graph.initializer[:]
        made.graph.initializer.extend([*whole, *self.constants.values()])
        onnx.checker.check_model(made, full_check=True)
        return made

    def _is_half(self, node: NodeProto) -> bool:
        if node.name in self.kept:
            return False
        if node.op_type in _HALF:
            return node.input[0] in self.floats
        return node.op_type in _FOLLOWING and any(name in self.half for name in node.input)

    def _small(self, name: str) -> str:
        """The FP16 form of a tensor or constant."""
        target = _half_name(name)
        if name in self.graph.weights:
            limit = float(np.finfo(np.float16).max)
            value = np.clip(self.graph.weights[name], -limit, limit).astype(np.float16)
            self.constants[target] = constant(target, value)
        elif name not in self.half and name not in self.cast:
            self._cast(name, target, _SMALL)
        return target

    def _full(self, name: str) -> None:
        """Make sure that the FP32 form of a half tensor exists, under its own name."""
        if name not in self.cast:
            self._cast(_half_name(name), name, _FLOAT)

    def _cast(self, source: str, target: str, kind: int) -> None:
        self.cast.add(source if kind == _SMALL else target)
        self.nodes.append(helper.make_node("Cast", [source], [target], f"{target}_Cast", to=kind))


def _half_name(name: str) -> str:
    return f"{name}_half"


def _float_tensors(graph: Graph) -> frozenset[str]:
    """Names of all FP32 tensors and constants."""
    inferred = onnx.shape_inference.infer_shapes(graph.model)
    values = [*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output]
    found = {v.name for v in values if v.type.tensor_type.elem_type == _FLOAT}
    found |= {name for name, value in graph.weights.items() if value.dtype == np.float32}
    return frozenset(found)
