"""What one run of an ONNX graph costs at least: multiplications counted, bytes that must move."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from caer_ros.core import InputError

# Operators that multiply and add: where their data and their weights stand among the inputs.
_OPERANDS = {
    "Conv": (0, 1),
    "ConvInteger": (0, 1),
    "ConvTranspose": (0, 1),
    "Gemm": (0, 1),
    "MatMul": (0, 1),
    "MatMulInteger": (0, 1),
    "QLinearConv": (0, 3),
    "QLinearMatMul": (0, 3),
}
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """One run of a graph.

    Attributes:
        macs: multiply-adds of convolutions and matrix products; everything else is left out.
        by_operator: the same, by operator.
        weights: numbers in the constants that those operators read, each constant once.
        io_bytes: of the graph's inputs and outputs, as far as their shapes are known.
    """

    macs: int
    by_operator: Mapping[str, int]
    weights: int
    io_bytes: int

    def least_bytes(self, bytes_per_weight: int) -> int:
        """Bytes to and from memory if every intermediate result stays in the caches."""
        return self.io_bytes + self.weights * bytes_per_weight


def count(path: Path, shapes: Mapping[str, Sequence[int]]) -> Cost:
    """Count an ONNX file's work with inputs of these shapes.

    Raises:
        InputError: the file is no ONNX file, or a shape in it can not be known beforehand.
    """
    try:
        model = onnx.load(str(path))
        return count_model(model, shapes)
    except (onnx.shape_inference.InferenceError, DecodeError, ValueError, OSError) as error:
        raise InputError(f"{path} can not be counted: {error}", "Give an ONNX file.") from error


def count_model(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]]) -> Cost:
    """As `count`; `model` is not changed.

    Raises:
        ValueError: a shape can not be known beforehand.
    """
    known = _Shapes(_with_shapes(model, shapes))
    macs: Counter[str] = Counter()
    weights: dict[str, int] = {}
    for node in known.graph.node:
        if node.op_type not in _OPERANDS:
            continue
        data, weight = (node.input[i] for i in _OPERANDS[node.op_type])
        macs[node.op_type] += _macs(node, known, data, weight)
        for name in (data, weight):
            if known.is_constant(name):
                weights[known.origin(name)] = math.prod(known.of(name))
    return Cost(sum(macs.values()), dict(macs), sum(weights.values()), known.io_bytes())


def _macs(node: onnx.NodeProto, known: _Shapes, data: str, weight: str) -> int:
    if node.op_type == "ConvTranspose":
        # Every input value goes into each output channel, once a cell of the kernel.
        return math.prod(known.of(data)) * math.prod(known.of(weight)[1:])
    out = math.prod(known.of(node.output[0]))
    if "Conv" in node.op_type:
        return out * math.prod(known.of(weight)[1:])
    transposed = any(a.name == "transA" and a.i for a in node.attribute)
    shape = known.of(data)
    return out * (shape[0] if transposed else shape[-1])


class _Shapes:
    """Shapes of a graph's tensors, and which of them are constants however they are wrapped."""

    # What a constant passes through on its way to the operator that reads it.
    _WRAPPERS = ("QuantizeLinear", "DequantizeLinear", "Identity", "Cast", "Transpose")

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = graph = model.graph
        self._constants = {t.name for t in graph.initializer}
        self._constants |= {n.output[0] for n in graph.node if n.op_type == "Constant"}
        self._wrapped = {n.output[0]: n.input[0] for n in graph.node if n.op_type in self._WRAPPERS}
        self._shapes: dict[str, Shape | None] = {t.name: tuple(t.dims) for t in graph.initializer}
        for value in (*graph.input, *graph.output, *graph.value_info):
            self._shapes.setdefault(value.name, _shape(value))

    def of(self, name: str) -> Shape:
        shape = self._shapes.get(name)
        if shape is None:
            raise ValueError(f"the shape of '{name}' depends on what runs through the network")
        return shape

    def origin(self, name: str) -> str:
        while name not in self._constants and name in self._wrapped:
            name = self._wrapped[name]
        return name

    def is_constant(self, name: str) -> bool:
        return self.origin(name) in self._constants

    def io_bytes(self) -> int:
        return sum(
            math.prod(shape) * _bytes(value)
            for value in (*self.graph.input, *self.graph.output)
            if (shape := self._shapes[value.name]) is not None
        )


def _with_shapes(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    constants = {tensor.name for tensor in copy.graph.initializer}
    for value in copy.graph.input:
        if value.name in constants:
            continue
        if value.name not in shapes:
            raise ValueError(f"no shape was given for the input '{value.name}'")
        dims = value.type.tensor_type.shape.dim
        if len(dims) != len(shapes[value.name]):
            raise ValueError(f"'{value.name}' has {len(dims)} axes, not {shapes[value.name]}")
        for dim, size in zip(dims, shapes[value.name], strict=True):
            dim.dim_value = size
    # What an exporter wrote down holds the names of dynamic axes; inferred anew, they are numbers.
    del copy.graph.value_info[:]
    for value in copy.graph.output:
        value.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(copy, data_prop=True)


def _shape(value: onnx.ValueInfoProto) -> Shape | None:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape") or any(not d.HasField("dim_value") for d in tensor.shape.dim):
        return None
    return tuple(d.dim_value for d in tensor.shape.dim)


def _bytes(value: onnx.ValueInfoProto) -> int:
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    return int(np.dtype(dtype).itemsize)
