"""OpenVINO on the CPU: measured the fastest CPU back end by far, above all with INT8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import openvino as ov

from caer_ros.core import EngineBuildError, EngineError
from caer_ros.engines.base import EngineBase, TensorSpec


class OpenVinoEngine(EngineBase):
    """An ONNX file compiled by OpenVINO for the CPU.

    Args:
        path: ONNX file.
        threads: threads for one inference; 0 leaves the choice to OpenVINO.
        cache: folder for compiled models, or None. An INT8 network takes seconds to compile, and a
            fraction of that from the cache.

    FP32 files run in FP32: OpenVINO would choose BF16 on newer CPUs, which changes results.

    Raises:
        EngineBuildError: the file is damaged or uses what this OpenVINO does not know.
    """

    backend = "openvino"

    def __init__(self, path: Path, threads: int = 0, cache: Path | None = None) -> None:
        options: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        if cache is not None:
            options["CACHE_DIR"] = str(cache)
        try:
            model = _core().compile_model(str(path), "CPU", options)
        except Exception as error:  # OpenVINO raises bare RuntimeError for everything
            raise EngineBuildError(
                f"OpenVINO {ov.__version__} can not load {path}: {_one_line(error)}",
                "Reinstall the model bundle, or set backend:=onnxruntime.",
            ) from error
        self.inputs = {_name(p): _spec(p) for p in model.inputs}
        self.outputs = {_name(p): _spec(p) for p in model.outputs}
        self._request: ov.InferRequest | None = model.create_infer_request()

    def run(
        self, arrays: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """See Engine.run."""
        if self._request is None:
            raise EngineError("The engine was closed.")
        self.check(arrays)
        try:
            self._request.infer(dict(arrays), share_inputs=True)
            names = self.outputs if outputs is None else outputs
            return {name: self._request.get_tensor(name).data for name in names}
        except Exception as error:  # as above
            raise EngineError(f"OpenVINO failed: {_one_line(error)}") from error

    def close(self) -> None:
        self._request = None


@cache
def _core() -> ov.Core:
    """The one Core of this process, never let go.

    A Core gives the thread a signal stack of its own, and puts back the one before when it goes. Of
    two that do not go in reverse order, the second puts back the first one's freed memory: the next
    signal that Python handles (Ctrl-C, a child that ends) then crashes the process. One Core also
    loads the CPU plugin once for all networks.
    """
    return ov.Core()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _name(port: ov.Output) -> str:
    # A tensor can carry several names, of which OpenVINO's any_name picks one at random; the node
    # keeps the one that the ONNX graph gives its input or output.
    return str(port.get_node().get_friendly_name()).split("/sink_port_")[0]


def _spec(port: ov.Output) -> TensorSpec:
    shape = tuple(
        str(dim) if dim.is_dynamic else dim.get_length() for dim in port.get_partial_shape()
    )
    return TensorSpec(np.dtype(port.get_element_type().to_dtype()), shape)
