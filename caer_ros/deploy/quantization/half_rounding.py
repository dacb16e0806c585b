"""What FP16 hardware would answer, computed on a CPU.

ONNX Runtime has no FP16 kernels on most CPUs: it computes in FP32 and leaves the rounding between
layers out, so that a network which overflows on a GPU looks well there. Here every tensor that the
file calls FP16 is rounded to it; sums inside a layer are FP32, as on tensor cores.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from caer_ros.deploy.quantization.graph import constant

_FLOAT, _SMALL = TensorProto.FLOAT, TensorProto.FLOAT16


def with_half_rounding(model: ModelProto) -> ModelProto:
    """An FP32 network with the rounding of an FP16 one."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    small = {
        value.name
        for value in inferred.graph.value_info
        if value.type.tensor_type.elem_type == _SMALL
    }
    made = ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    del made.graph.value_info[:]
    for node in model.graph.node:
        made.graph.node.extend(_rounded(node, small))
    for tensor in made.graph.initializer:
        if tensor.data_type == _SMALL:
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(constant(tensor.name, values))
    onnx.checker.check_model(made)
    return made


def _rounded(node: NodeProto, small: set[str]) -> list[NodeProto]:
    copy = NodeProto()
    copy.CopyFrom(node)
    if node.op_type == "Cast":
        # Between FP32 and what is FP32 here: only the rounding behind it counts.
        for attribute in copy.attribute:
            if attribute.name == "to" and attribute.i == _SMALL:
                attribute.i = _FLOAT
    nodes = [copy]
    for place, name in enumerate(node.output):
        if name in small:
            copy.output[place] = f"{name}_exact"
            nodes += [
                helper.make_node("Cast", [f"{name}_exact"], [f"{name}_bits"], to=_SMALL),
                helper.make_node("Cast", [f"{name}_bits"], [name], to=_FLOAT),
            ]
    return nodes
