"""OpenVINO on the CPU: measured the fastest CPU back end by far, above all with INT8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import openvino as ov

from caer_ros.core import EngineBuildError, EngineError, InputError
from caer_ros.engines.base import EngineBase, TensorSpec
from caer_ros.engines.model_cache import ModelCache

# Arithmetic of an FP32 file's layers, as INFERENCE_PRECISION_HINT has it.
HINTS = ("f32", "bf16", "f16")


class OpenVinoEngine(EngineBase):
    """An ONNX file compiled by OpenVINO for the CPU.

    Inputs are read where they lie, and outputs are views of OpenVINO's memory: nothing is copied.

    Args:
        path: ONNX file.
        threads: threads for one inference; 0 leaves the choice to OpenVINO.
        cache: folder for compiled networks, or None. An INT8 BENet takes ten seconds to compile,
            and one from the cache. A damaged or unwritable cache costs that time and nothing else.
        hint: `f32` computes an FP32 file in FP32; left alone, OpenVINO takes BF16 on newer CPUs.
            `bf16` and `f16` are faster where the CPU has them and change results: only for models
            on which that was measured.
        shapes: of inputs whose sizes never change, -1 for an axis that does. OpenVINO fuses more
            where it knows them: a tenth to a fifth less time (measured), above all with INT8.

    Raises:
        InputError: the hint is unknown, or this CPU does not have its arithmetic.
        EngineBuildError: the file is damaged or uses what this OpenVINO does not know.
    """

    backend = "openvino"

    def __init__(
        self,
        path: Path,
        threads: int = 0,
        cache: Path | None = None,
        hint: str = "f32",
        shapes: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        _check_hint(hint)
        options: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": hint,
        }
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            model = _compile(path, options, cache, shapes or {})
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


def hints_here() -> tuple[str, ...]:
    """Those of HINTS whose arithmetic this CPU has."""
    known = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    names = {"f32": "FP32", "bf16": "BF16", "f16": "FP16"}
    return tuple(hint for hint in HINTS if names[hint] in known)


def _check_hint(hint: str) -> None:
    if hint not in HINTS:
        raise InputError(f"Unknown precision hint '{hint}'.", f"Use one of {', '.join(HINTS)}.")
    if hint not in hints_here():
        raise InputError(f"This CPU does not compute in {hint.upper()}.", "Use the hint f32.")


def _compile(
    path: Path,
    options: dict[str, object],
    folder: Path | None,
    shapes: Mapping[str, Sequence[int]],
) -> ov.CompiledModel:
    if folder is None:
        return _core().compile_model(_read(path, shapes), "CPU", options)
    said = [f"{name}={value}" for name, value in options.items()]
    said += [f"{name}={list(shape)}" for name, shape in sorted(shapes.items())]
    kept = ModelCache(folder, path, ["openvino", ov.__version__, *said], ".blob")
    found = kept.find()
    if found is not None:
        try:
            return _core().import_model(found.read_bytes(), "CPU", options)
        except Exception as error:  # whole, and yet not what this OpenVINO reads
            kept.warn(_one_line(error))
    model = _core().compile_model(_read(path, shapes), "CPU", options)
    with kept.new_file() as new:
        if new is not None:
            _export(model, new, kept)
    return model


def _read(path: Path, shapes: Mapping[str, Sequence[int]]) -> ov.Model:
    model = _core().read_model(str(path))
    if shapes:
        model.reshape({name: ov.PartialShape(list(shape)) for name, shape in shapes.items()})
    return model


def _export(model: ov.CompiledModel, path: Path, kept: ModelCache) -> None:
    try:
        path.write_bytes(model.export_model().getvalue())
    except Exception as error:  # a full disk, or a network that can not be exported
        path.write_bytes(b"")
        kept.not_kept(_one_line(error))


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
