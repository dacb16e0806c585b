"""INT8 files with explicit QuantizeLinear and DequantizeLinear, in the two forms that engines want.

Both are written from one table of scales. SIGNED is for TensorRT and OpenVINO, UNSIGNED for ONNX
Runtime, which is slower than FP32 on the signed one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from caer_ros.deploy.quantization.graph import Graph, constant
from caer_ros.deploy.quantization.layers import Layer, protected, sources, summands
from caer_ros.deploy.quantization.onnxruntime_form import for_onnxruntime
from caer_ros.deploy.quantization.placement import read_twice, residuals, summed
from caer_ros.deploy.quantization.scales import Scales, rounded_weights, zero_point


@dataclass(frozen=True)
class Form:
    """One kind of INT8 file.

    Attributes:
        unsigned: activations are uint8, else int8 with a zero point of 0.
        whole: what INT8 layers put out is INT8 too, whoever reads it, but for layers that were kept
            because rounding hurts them; biases are INT32 and weights are stored as bytes. Otherwise
            only what a layer reads is INT8, and weights stay FP32 behind a QuantizeLinear.
    """

    unsigned: bool
    whole: bool


# TensorRT's parser refuses INT32 biases and asymmetric activations, and wants weights as Q + DQ.
# Layers' outputs stay unquantised there: the fused ReLU and pool come before the next Q.
SIGNED = Form(unsigned=False, whole=False)
# ONNX Runtime's integer kernels want to quantise their own outputs.
UNSIGNED = Form(unsigned=True, whole=True)


def write_qdq(
    graph: Graph, layers: Sequence[Layer], scales: Scales, kept: Collection[str], form: Form
) -> ModelProto:
    """The network with all `layers` but the `kept` ones in INT8.

    Args:
        graph: FP32, prepared.
        scales: of all layers.
        kept: names of layers left in FP32.

    Raises:
        onnx.checker.ValidationError: the file would be malformed, which would be a fault of ours.
    """
    if form.whole:
        graph, layers, scales, kept = for_onnxruntime(graph, layers, scales, kept)
    chosen = {layer.name: layer for layer in layers if layer.name not in kept}
    # Layers protected by their kind read what there is; one tensor's rounding does them no harm.
    spared = set(kept) - set(protected(graph, layers))
    exact = [layer for layer in layers if layer.name in spared]
    writer = _Writer(graph, scales, form, chosen, exact)
    for node in graph.nodes:
        writer.add(node)
    return writer.model()


class _Writer:
    """Copies a graph node by node and puts the quantisers in."""

    def __init__(
        self,
        graph: Graph,
        scales: Scales,
        form: Form,
        layers: dict[str, Layer],
        exact: Sequence[Layer],
    ) -> None:
        self.graph, self.scales, self.form, self.layers = graph, scales, form, layers
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        self.rounded: dict[str, str] = {}
        self.tensors = {layer.input for layer in layers.values()}
        self.residuals: dict[str, str] = {}
        self.raw: set[str] = set()
        if not form.whole:
            found = list(layers.values())
            self.residuals = residuals(graph, found)
            self.raw = read_twice(graph, found) | summed(graph, found, self.residuals)
        self.exact = {layer.name for layer in exact}
        self.tensors |= self.raw
        if form.whole:
            spared = {name for layer in exact for name in sources(graph, layer.input)}
            self.tensors |= {x.output for x in layers.values()} - spared
            self.tensors |= set(summands(graph, list(layers.values())))

    def add(self, node: NodeProto) -> None:
        """Copy a node; what it reads is replaced by its INT8 form where that is wanted."""
        layer = self.layers.get(node.name)
        copy = NodeProto()
        copy.CopyFrom(node)
        for place, name in enumerate(node.input):
            if self._wants_rounded(node, name, layer):
                copy.input[place] = self._activation(name)
        if layer is not None:
            copy.input[1] = self._weight(layer)
            if layer.bias in self.graph.weights and self.form.whole:
                copy.input[2] = self._bias(layer)
        self.nodes.append(copy)

    def model(self) -> ModelProto:
        """The finished file, without the constants that nobody reads any more."""
        made = ModelProto()
        made.CopyFrom(self.graph.model)
        del made.graph.node[:]
        made.graph.node.extend(self.nodes)
        read = {name for node in self.nodes for name in node.input}
        whole = [t for t in self.graph.model.graph.initializer if t.name in read]
        del made.graph.initializer[:]
        made.graph.initializer.extend([*whole, *self.constants.values()])
        del made.graph.value_info[:]
        onnx.checker.check_model(made)
        return made

    def _wants_rounded(self, node: NodeProto, name: str, layer: Layer | None) -> bool:
        if name not in self.tensors:
            return False
        if self.form.whole or name in self.raw:
            return node.name not in self.exact
        return (layer is not None and name == layer.input) or name == self.residuals.get(node.name)

    def _activation(self, tensor: str) -> str:
        if tensor not in self.rounded:
            kind = np.uint8 if self.form.unsigned else np.int8
            point = zero_point(self.scales, tensor) if self.form.unsigned else 0
            scale = np.array(self.scales.activation[tensor], np.float32)
            self.rounded[tensor] = self._pair(tensor, scale, np.array(point, kind))
        return self.rounded[tensor]

    def _weight(self, layer: Layer) -> str:
        scale = self.scales.weight[layer.name]
        # By layer: two layers may share weights, and differ in their biases.
        name = f"{layer.name}_weight"
        zeros = np.zeros(len(scale), np.int8)
        if not self.form.whole:
            return self._pair(layer.weight, scale, zeros, name, layer.axis)
        weights = rounded_weights(self.graph.weights[layer.weight], scale, layer.axis)
        self._constant(f"{name}_quantized", weights)
        return self._dequantize(f"{name}_quantized", name, scale, zeros, layer.axis)

    def _bias(self, layer: Layer) -> str:
        scale = self.scales.weight[layer.name] * np.float32(self.scales.activation[layer.input])
        bias = np.rint(self.graph.weights[layer.bias].astype(np.float64) / scale)
        name = f"{layer.name}_bias"
        self._constant(f"{name}_quantized", bias.astype(np.int32))
        return self._dequantize(f"{name}_quantized", name, scale, np.zeros(len(scale), np.int32), 0)

    def _pair(
        self, tensor: str, scale: np.ndarray, zero: np.ndarray, name: str = "", axis: int = 1
    ) -> str:
        name = name or tensor
        inputs = [tensor, *self._scale(name, scale, zero)]
        more = {"axis": axis} if scale.ndim else {}
        node = helper.make_node(
            "QuantizeLinear", inputs, [f"{name}_quantized"], f"{name}_QuantizeLinear", **more
        )
        self.nodes.append(node)
        return self._dequantize(f"{name}_quantized", name, scale, zero, axis)

    def _dequantize(
        self, stored: str, name: str, scale: np.ndarray, zero: np.ndarray, axis: int
    ) -> str:
        inputs = [stored, *self._scale(name, scale, zero)]
        more = {"axis": axis} if scale.ndim else {}
        target = f"{name}_dequantized"
        node = helper.make_node(
            "DequantizeLinear", inputs, [target], f"{name}_DequantizeLinear", **more
        )
        self.nodes.append(node)
        return target

    def _scale(self, name: str, scale: np.ndarray, zero: np.ndarray) -> tuple[str, str]:
        self._constant(f"{name}_scale", scale)
        self._constant(f"{name}_zero_point", zero)
        return f"{name}_scale", f"{name}_zero_point"

    def _constant(self, name: str, value: np.ndarray) -> None:
        self.constants[name] = constant(name, value)
