"""What a build needs to know of an ONNX file, and the little that must change in it.

Needs the `onnx` package, at build time only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.core import EngineBuildError
from caer_ros.engines.base import TensorSpec


@dataclass(frozen=True)
class OnnxGraph:
    """An ONNX file, read.

    Attributes:
        path: where it lies.
        sha256: of the file as it lies there.
        data: the model as TensorRT gets it: casts from uint8 come before transpositions, and every
            node has a name, by which TensorRT speaks of it.
        inputs, outputs: as the file says, with the names of dynamic axes.
        quantized: whether it has QuantizeLinear nodes.
        half: whether some of its weights or casts are FP16.
    """

    path: Path
    sha256: str
    data: bytes
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
    quantized: bool
    half: bool


def read_graph(path: Path) -> OnnxGraph:
    """Read an ONNX file.

    Raises:
        EngineBuildError: it is missing or damaged, or the onnx package is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise EngineBuildError(
            "Building a TensorRT engine needs the onnx package.", "Run: pip install onnx"
        ) from error
    try:
        raw = path.read_bytes()
        model = onnx.load_from_string(raw)
        onnx.checker.check_model(model)
    except OSError as error:
        raise EngineBuildError(
            f"{path} can not be read: {error.strerror}.", "Reinstall the model bundle."
        ) from error
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise EngineBuildError(
            f"{path} is no whole ONNX file: {' '.join(str(error).split())}.",
            "Reinstall the model bundle.",
        ) from error
    half = onnx.TensorProto.FLOAT16
    graph = model.graph
    _cast_first(graph, onnx.TensorProto.UINT8)
    for node in graph.node:
        node.name = node.name or f"{node.op_type}_{node.output[0]}"
    return OnnxGraph(
        path=path,
        sha256=hashlib.sha256(raw).hexdigest(),
        data=bytes(model.SerializeToString()),
        inputs={value.name: _spec(onnx, value) for value in _real_inputs(graph)},
        outputs={value.name: _spec(onnx, value) for value in graph.output},
        quantized=any(node.op_type == "QuantizeLinear" for node in graph.node),
        half=any(weight.data_type == half for weight in graph.initializer)
        or any(_casts_to(node) == half for node in graph.node),
    )


def _cast_first(graph: Any, uint8: int) -> None:
    """Turn Transpose + Cast of a uint8 input into Cast + Transpose, which computes the same.

    TensorRT takes uint8 as an input's type, but the only thing it does with it is to cast it.
    """
    pictures = {v.name for v in graph.input if v.type.tensor_type.elem_type == uint8}
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    for node in graph.node:
        if node.op_type != "Transpose" or node.input[0] not in pictures:
            continue
        after = users.get(node.output[0], [])
        if len(after) == 1 and after[0].op_type == "Cast":
            _swap(node, after[0])


def _swap(first: Any, second: Any) -> None:
    first.op_type, second.op_type = second.op_type, first.op_type
    first.name, second.name = second.name, first.name
    mine, others = list(first.attribute), list(second.attribute)
    del first.attribute[:], second.attribute[:]
    first.attribute.extend(others)
    second.attribute.extend(mine)


def _real_inputs(graph: Any) -> list[Any]:
    weights = {weight.name for weight in graph.initializer}
    return [value for value in graph.input if value.name not in weights]


def _casts_to(node: Any) -> int:
    if node.op_type != "Cast":
        return 0
    return next(int(a.i) for a in node.attribute if a.name == "to")


def _spec(onnx: Any, value: Any) -> TensorSpec:
    kind = value.type.tensor_type
    shape = tuple(
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or f"{value.name}_{i}"
        for i, dim in enumerate(kind.shape.dim)
    )
    return TensorSpec(np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)), shape)
