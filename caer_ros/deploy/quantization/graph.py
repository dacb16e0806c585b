"""An ONNX model as a graph: who makes and who reads each tensor."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import ModelProto, NodeProto, numpy_helper

from caer_ros.core import CaerError, InputError

# Per-channel QuantizeLinear came with 13.
LEAST_OPSET = 13


class Graph:
    """Reads a model; the model is not changed, except by `name_nodes`.

    Attributes:
        model: as given.
        producer: tensor -> the node that makes it; inputs and weights have none.
        readers: tensor -> the nodes that read it, in order.
        weights: name -> array of the model's constants.
        outputs: names of what the model puts out.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.producer = {name: node for node in model.graph.node for name in node.output if name}
        self.readers: dict[str, list[NodeProto]] = defaultdict(list)
        for node in model.graph.node:
            for name in dict.fromkeys(node.input):
                self.readers[name].append(node)
        self.weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        self.outputs = tuple(value.name for value in model.graph.output)

    @property
    def nodes(self) -> Iterator[NodeProto]:
        """All nodes, producers before readers."""
        return iter(self.model.graph.node)

    def reaches_output(self, tensor: str, barrier: frozenset[str]) -> bool:
        """Whether an output depends on `tensor` other than through a node type of `barrier`."""
        waiting, seen = [tensor], set()
        while waiting:
            name = waiting.pop()
            if name in self.outputs:
                return True
            for node in self.readers[name]:
                if node.op_type in barrier:
                    continue
                waiting += [made for made in node.output if made not in seen]
                seen.update(node.output)
        return False


def prepared(source: Path) -> ModelProto:
    """An ONNX file with constants folded, batch norm folded and every node named.

    Raises:
        InputError: it can not be read, or its operator set is too old.
        CaerError: ONNX Runtime can not run it, or there is no room for a temporary file.
    """
    try:
        model = onnx.load(source)
    except Exception as error:  # protobuf's own DecodeError, or an OSError
        raise InputError(f"{source} is no ONNX file ({error}).", "Export it again.") from error
    opset = max(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    if opset < LEAST_OPSET:
        raise InputError(
            f"{source} has operator set {opset}; INT8 a channel needs {LEAST_OPSET}.",
            "Export it again with a newer one.",
        )
    folded = _folded(model, source)
    # ONNX Runtime enters all domains it knows, which other readers may not.
    used = {node.domain for node in folded.graph.node} | {""}
    kept = [o for o in folded.opset_import if o.domain in used]
    del folded.opset_import[:]
    folded.opset_import.extend(kept)
    name_nodes(folded)
    return folded


def _folded(model: ModelProto, source: Path) -> ModelProto:
    """As ONNX Runtime writes it after the optimisations that stay within ONNX."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "folded.onnx"
        options.optimized_model_filepath = str(target)
        try:
            ort.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            return onnx.load(target)
        except Exception as error:  # a dozen undocumented classes
            raise CaerError(
                f"ONNX Runtime {ort.__version__} can not prepare {source}: {error}",
                f"Make room in {tempfile.gettempdir()}, or export the network again.",
            ) from error


def name_nodes(model: ModelProto) -> None:
    """Give a name to every node that has none or shares one."""
    taken: set[str] = set()
    for number, node in enumerate(model.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{number}"
        taken.add(node.name)


def float_inputs(model: ModelProto) -> frozenset[str]:
    """Names of the model's inputs that are float32."""
    kind = onnx.TensorProto.FLOAT
    return frozenset(v.name for v in model.graph.input if v.type.tensor_type.elem_type == kind)


def constant(name: str, value: np.ndarray) -> onnx.TensorProto:
    """A named constant of a graph."""
    return numpy_helper.from_array(np.asarray(value, order="C"), name)
