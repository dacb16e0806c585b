"""From an ONNX file to a running engine: find the engine that was built for it, and load it."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

from caer_ros.engines.trt.cache import CachedEngine, EngineCache
from caer_ros.engines.trt.compat import load_tensorrt
from caer_ros.engines.trt.cuda import open_cuda
from caer_ros.engines.trt.device import probe_device
from caer_ros.engines.trt.engine import TensorRtEngine
from caer_ros.engines.trt.key import Machine


def find_engine(path: Path, here: Machine, cache: EngineCache | None = None) -> CachedEngine:
    """The engine of an ONNX file for this machine.

    Raises:
        EngineMismatch: there is none, or only one of another machine.
    """
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return (cache or EngineCache()).find(sha256, here, build_command(path))


def open_tensorrt(
    path: Path, cache: EngineCache | None = None, package: str = ""
) -> TensorRtEngine:
    """Load the engine that was built for an ONNX file.

    Args:
        package: pycuda or cuda-bindings; empty takes what is installed.

    Raises:
        DeviceMissing: no GPU, no TensorRT, or no CUDA package.
        EngineMismatch: no engine, one of another machine, or a damaged one.
    """
    device = probe_device()
    trt = load_tensorrt()
    engine = find_engine(path, Machine.here(device, trt.__version__), cache)
    return TensorRtEngine(trt, engine.read(), engine.side, open_cuda(package), engine.command)


def build_command(path: Path) -> str:
    """What a user runs to build the engine of a bundle's ONNX file."""
    folder = path.resolve().parent
    return f"caer build {shlex.quote(str(folder))} --precision {path.stem.split('_')[0]}"
