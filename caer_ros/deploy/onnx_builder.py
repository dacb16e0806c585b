"""Small ONNX graphs, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

_IR = 8  # what ONNX Runtime 1.12 and TensorRT 8.6 read


class GraphBuilder:
    """Collects nodes and constants; every method returns the name of what it made."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def node(self, operator: str, inputs: Sequence[str], output: str = "", **more: Any) -> str:
        """One node with one output; an empty `output` is given a name."""
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **more))
        return output

    def constant(self, values: object, dtype: type[np.generic]) -> str:
        """A constant tensor."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def ints(self, *values: int) -> str:
        """int64 [n]."""
        return self.constant(values, np.int64)

    def cast(self, name: str, kind: int) -> str:
        """`name` as another of TensorProto's types."""
        return self.node("Cast", [name], to=kind)

    def pick(self, shape: str, axis: int) -> str:
        """One entry of a shape as int64 [1]."""
        return self.node("Gather", [shape, self.ints(axis)], axis=0)

    def add(self, *operands: str) -> str:
        return self.node("Add", operands)

    def sub(self, *operands: str) -> str:
        return self.node("Sub", operands)

    def mul(self, *operands: str) -> str:
        return self.node("Mul", operands)

    def div(self, *operands: str) -> str:
        """Whole numbers: rounded towards 0."""
        return self.node("Div", operands)

    def join(self, *parts: str, axis: int = 0) -> str:
        return self.node("Concat", parts, axis=axis)

    def model(
        self, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto], opset: int
    ) -> ModelProto:
        """The checked model."""
        graph = helper.make_graph(self.nodes, "graph", inputs, outputs, self.constants)
        opsets = [helper.make_opsetid("", opset)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
        onnx.checker.check_model(model, full_check=True)
        return model


def value(name: str, kind: int, shape: Sequence[int | str]) -> ValueInfoProto:
    """An input or output; a text is the name of a dynamic axis."""
    return helper.make_tensor_value_info(name, kind, list(shape))
