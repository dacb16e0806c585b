"""Puts the way from a camera's frame to the network's input in front of a network.

The frame is uploaded as it is; resizing, padding and the order of colours are part of the graph.
Needs the `onnx` package, at build time only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.core import EngineBuildError, InputError
from caer_ros.engines.trt.frame_engine import INPUT
from caer_ros.engines.trt.frame_format import FrameFormat, FrameLayout
from caer_ros.engines.trt.resize_weights import pad_weights, resize_weights

_CAST_OR_TURNED = {"Cast", "Transpose", "Shape"}
_ROUND = 11  # the opset that brought it


def frame_model(path: Path, frame: FrameFormat, layout: FrameLayout) -> bytes:
    """An ONNX file like `path`, but its input is `frame`, uint8 [1, height, width, channels].

    Grey levels are rounded half to even as cv2 does, and half up where both sides are halved, as
    cv2 does there; in opsets before 11, always half up. No pixel is further than one level from
    cv2's; where a frame is enlarged, about every eighth is, because cv2 truncates on its way.

    Raises:
        EngineBuildError: the file can not be read, or the onnx package is not installed.
        InputError: the network reads something else than one picture.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise EngineBuildError(
            "Building a TensorRT engine needs the onnx package.", "Run: pip install onnx"
        ) from error
    try:
        model = onnx.load_from_string(path.read_bytes())
    except OSError as error:
        raise EngineBuildError(
            f"{path} can not be read: {error.strerror}.", "Reinstall the model bundle."
        ) from error
    except DecodeError as error:
        raise EngineBuildError(
            f"{path} is no whole ONNX file: {error}.", "Reinstall the model bundle."
        ) from error
    picture = _picture(onnx, model.graph, path)
    opset = max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    added = _Added(onnx, layout, frame, opset)
    nodes = [*added.nodes(picture), *model.graph.node]
    del model.graph.node[:], model.graph.input[:]
    # What is noted there of the old input's type would contradict the new one.
    del model.graph.value_info[:]
    model.graph.node.extend(nodes)
    uint8 = onnx.TensorProto.UINT8
    model.graph.input.append(onnx.helper.make_tensor_value_info(INPUT, uint8, frame.shape))
    model.graph.initializer.extend(added.weights)
    return bytes(model.SerializeToString())


def _picture(onnx: Any, graph: Any, path: Path) -> str:
    """Name of the network's only input, which it turns and casts before all else."""
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    kinds = [value.type.tensor_type for value in inputs]
    one = len(inputs) == 1 and kinds[0].elem_type == onnx.TensorProto.UINT8
    if one and len(kinds[0].shape.dim) == 4:
        users = {node.op_type for node in graph.node if inputs[0].name in node.input}
        if users <= _CAST_OR_TURNED:
            return str(inputs[0].name)
    raise InputError(
        f"{path} reads something else than one uint8 picture.",
        "Only BENet and face detectors can be built with --frame.",
    )


class _Added:
    """The nodes in front, and the weights they need."""

    def __init__(self, onnx: Any, layout: FrameLayout, frame: FrameFormat, opset: int) -> None:
        self._onnx = onnx
        self._opset = opset
        self._layout = layout
        self._frame = frame
        self.weights: list[Any] = []
        self._nodes: list[Any] = []

    def nodes(self, output: str) -> list[Any]:
        """From `frame` to `output`: float32 [1, height, width, 3] of whole grey levels."""
        float32 = self._onnx.TensorProto.FLOAT
        # TensorRT takes uint8 as an input's type, and casts it first or not at all.
        self._node("Cast", [INPUT], "float", to=float32)
        now = self._node("Transpose", ["frame/float"], "planes", perm=[0, 3, 1, 2])
        now = self._order(self._resize(now))
        last = self._onnx.helper.make_node(
            "Transpose", [now], [output], name="frame/picture", perm=[0, 2, 3, 1]
        )
        return [*self._nodes, last]

    def _resize(self, now: str) -> str:
        frame, layout = self._frame, self._layout
        before, after = (frame.width, frame.height), (layout.width, layout.height)
        if before == layout.inner == after:
            return now
        columns, rows = resize_weights(before, layout.inner)
        if not frame.height == layout.inner[1] == layout.height:
            rows = pad_weights(rows, layout.top, layout.height)
            now = self._node("MatMul", [self._keep("row_weights", rows), now], "rows")
        if not frame.width == layout.inner[0] == layout.width:
            columns = pad_weights(columns, layout.left, layout.width)
            now = self._node("MatMul", [now, self._keep("column_weights", columns.T)], "columns")
        halved = before == (2 * layout.inner[0], 2 * layout.inner[1])
        if self._opset >= _ROUND and not halved:
            return self._node("Round", [now], "levels")
        half = self._keep("half", np.full((), 0.5, np.float32))
        return self._node("Floor", [self._node("Add", [now, half], "plus_half")], "levels")

    def _order(self, now: str) -> str:
        """The channels that the network wants, in its order; grey three times."""
        if self._frame.encoding == "mono8":
            order = [0, 0, 0]
        elif self._frame.encoding.startswith("bgr") == self._layout.bgr:
            order = [0, 1, 2]
        else:
            order = [2, 1, 0]
        if order == list(range(self._frame.shape[3])):
            return now
        return self._node(
            "Gather", [now, self._keep("order", np.array(order, np.int64))], "colours", axis=1
        )

    def _keep(self, name: str, array: np.ndarray) -> str:
        tensor = self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), f"frame/{name}")
        self.weights.append(tensor)
        return str(tensor.name)

    def _node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        output = f"frame/{name}"
        node = self._onnx.helper.make_node(kind, inputs, [output], name=output, **attributes)
        self._nodes.append(node)
        return output
