"""A model in memory on ONNX Runtime, with whichever of its tensors are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
import onnxruntime as ort
from onnx import ModelProto

from caer_ros.core import EngineBuildError, EngineError

Arrays = Mapping[str, np.ndarray]


class Runner:
    """Runs a model whose file need not exist.

    Args:
        model: with its outputs; it is not changed.
        extra: names of float tensors inside it that are to come out too.

    Raises:
        EngineBuildError: ONNX Runtime can not load it.
    """

    def __init__(self, model: ModelProto, extra: Iterable[str] = ()) -> None:
        known = {value.name for value in model.graph.output}
        opened = ModelProto()
        opened.CopyFrom(model)
        opened.graph.output.extend(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            for name in dict.fromkeys(extra)
            if name not in known
        )
        options = ort.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                opened.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # a dozen undocumented classes
            raise EngineBuildError(
                f"ONNX Runtime {ort.__version__} can not load the network: {error}",
                "Export it again; if it is new, ONNX Runtime may be too old for it.",
            ) from error

    def run(self, arrays: Arrays, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """The named tensors.

        Raises:
            EngineError: the network failed.
        """
        try:
            made = self._session.run(list(outputs), dict(arrays))
        except Exception as error:  # as above
            raise EngineError(f"ONNX Runtime failed: {error}") from error
        return dict(zip(outputs, made, strict=True))
