"""ONNX Runtime on the CPU: the back end that is always there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from caer_ros.core import EngineBuildError, EngineError
from caer_ros.engines.base import EngineBase, TensorSpec

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class OnnxRuntimeEngine(EngineBase):
    """An ONNX file in an `onnxruntime.InferenceSession`.

    Args:
        path: ONNX file.
        threads: threads for one inference; 0 leaves the choice to ONNX Runtime.

    Raises:
        EngineBuildError: the file is damaged or uses what this ONNX Runtime does not know.
    """

    backend = "onnxruntime"

    def __init__(self, path: Path, threads: int = 0) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session: ort.InferenceSession | None = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except (
            Exception
        ) as error:  # ONNX Runtime raises a dozen classes of its own, none documented
            raise EngineBuildError(
                f"ONNX Runtime {ort.__version__} can not load {path}: {error}",
                "Reinstall the model bundle; if it is new, ONNX Runtime may be too old for it.",
            ) from error
        self.inputs = {i.name: _spec(i) for i in self._session.get_inputs()}
        self.outputs = {o.name: _spec(o) for o in self._session.get_outputs()}

    def run(
        self, arrays: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """See Engine.run."""
        if self._session is None:
            raise EngineError("The engine was closed.")
        self.check(arrays)
        names = list(self.outputs if outputs is None else outputs)
        try:
            return dict(zip(names, self._session.run(names, dict(arrays)), strict=True))
        except Exception as error:  # as above
            raise EngineError(f"ONNX Runtime failed: {error}") from error

    def close(self) -> None:
        self._session = None


def _spec(node: ort.NodeArg) -> TensorSpec:
    shape = tuple(d if isinstance(d, int) else str(d) for d in node.shape)
    return TensorSpec(np.dtype(_DTYPES[node.type]), shape)
