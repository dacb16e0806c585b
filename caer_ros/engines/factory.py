"""Which back end runs a network here, and why."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from caer_ros.core import EngineBuildError, InputError
from caer_ros.engines.base import Engine
from caer_ros.engines.folders import cache_folder

BACKENDS = ("auto", "tensorrt", "openvino", "onnxruntime")


def choose_backend(requested: str, files: Sequence[Path] | None = None) -> tuple[str, str]:
    """Resolve `auto` to the fastest back end that can run here: TensorRT, OpenVINO, ONNX Runtime.

    Args:
        requested: one of BACKENDS.
        files: the ONNX files to run on TensorRT; `auto` takes it only where their engines are
            built. None: where any engine is.

    Returns:
        The back end's name and one clause that says why it was chosen, and why not those before it.

    Raises:
        InputError: the name is unknown, or the back end asked for can not run here.
    """
    if requested not in BACKENDS:
        raise InputError(f"Unknown backend '{requested}'.", f"Use one of {', '.join(BACKENDS)}.")
    if requested == "onnxruntime":
        return "onnxruntime", "asked for"
    has_openvino = importlib.util.find_spec("openvino") is not None
    if requested == "openvino":
        if has_openvino:
            return "openvino", "asked for"
        raise InputError(
            "backend:=openvino, but OpenVINO is not installed.",
            "Run: pip install 'openvino>=2024.0', or set backend:=onnxruntime.",
        )
    if requested == "tensorrt":
        return "tensorrt", "asked for"  # what is missing, open_engine tells in full
    from caer_ros.engines.trt.available import why_not

    no_tensorrt = why_not(files)
    if not no_tensorrt:
        return "tensorrt", "installed, with an engine for this GPU"
    if has_openvino:
        return "openvino", f"installed, fastest on CPU; no TensorRT: {no_tensorrt}"
    return "onnxruntime", f"OpenVINO is not installed; no TensorRT: {no_tensorrt}"


def open_engine(
    path: Path, backend: str, threads: int = 0, hint: str = "f32", steady: bool = False
) -> Engine:
    """Load an ONNX file into the named back end (as choose_backend returned it).

    TensorRT loads the engine that `caer build` made of the file; the others keep what they compile
    in the cache folder.

    Args:
        threads: threads for one inference on the CPU; 0 leaves the choice to the back end.
        hint: see OpenVinoEngine; the other back ends have none.
        steady: inputs mostly keep their sizes: OpenVINO compiles for them, see SteadyEngine. The
            others win nothing by that.

    Raises:
        EngineBuildError: the file is missing, damaged, or not for this back end.
        EngineMismatch: TensorRT has no engine of this file for this machine.
        EngineError: TensorRT can not run on this machine.
    """
    if not path.is_file():
        raise EngineBuildError(f"{path} does not exist.", "Reinstall the model bundle.")
    # Imported here: each back end costs 40 to 60 MB and 0.1 s, and only one is wanted.
    if backend == "tensorrt":
        from caer_ros.engines.trt.open import open_tensorrt

        return open_tensorrt(path)
    if backend == "openvino":
        from caer_ros.engines.open_vino import OpenVinoEngine

        cache = _writable(cache_folder() / "openvino")
        if not steady:
            return OpenVinoEngine(path, threads, cache, hint)
        from caer_ros.engines.steady import SteadyEngine

        return SteadyEngine(lambda shapes: OpenVinoEngine(path, threads, cache, hint, shapes))
    from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(path, threads, _writable(cache_folder() / "onnxruntime"))


def _writable(folder: Path) -> Path | None:
    # A read-only home is normal on robots; the cache is a gain, never a condition.
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
