"""ONNX Runtime on the CPU: the back end that is always there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from caer_ros.core import EngineBuildError, EngineError
from caer_ros.engines.base import EngineBase, TensorSpec
from caer_ros.engines.model_cache import ModelCache

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

    Inputs are read where they lie. IO binding on top of that saves 6 microseconds a run (measured),
    so it is not used.

    Args:
        path: ONNX file.
        threads: threads for one inference; 0 leaves the choice to ONNX Runtime.
        cache: folder for optimised graphs, or None. A large network loads in two thirds of the time
            and less memory from there. A damaged or unwritable cache costs that gain only.

    Raises:
        EngineBuildError: the file is damaged or uses what this ONNX Runtime does not know.
    """

    backend = "onnxruntime"

    def __init__(self, path: Path, threads: int = 0, cache: Path | None = None) -> None:
        try:
            self._session: ort.InferenceSession | None = _open(path, threads, cache)
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


def _open(path: Path, threads: int, folder: Path | None) -> ort.InferenceSession:
    if folder is None:
        return _session(path, _options(threads))
    kept = ModelCache(folder, path, ["onnxruntime", ort.__version__], ".onnx")
    found = kept.find()
    if found is not None:
        options = _options(threads)
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            return _session(found, options)
        except Exception as error:  # whole, and yet not what this ONNX Runtime reads
            kept.warn(str(error))
    try:
        with kept.new_file() as new:
            options = _options(threads)
            if new is not None:
                options.optimized_model_filepath = str(new)
            return _session(path, options)
    except Exception as error:
        # The network itself may be at fault: then loading it alone says so.
        session = _session(path, _options(threads))
        kept.not_kept(str(error))
        return session


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return options


def _session(path: Path, options: ort.SessionOptions) -> ort.InferenceSession:
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _spec(node: ort.NodeArg) -> TensorSpec:
    shape = tuple(d if isinstance(d, int) else str(d) for d in node.shape)
    return TensorSpec(np.dtype(_DTYPES[node.type]), shape)
