"""Whether TensorRT can run something here; if not, why not, in one clause."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from caer_ros.core import EngineError
from caer_ros.engines.trt.cache import EngineCache
from caer_ros.engines.trt.compat import load_tensorrt
from caer_ros.engines.trt.cuda import installed_package
from caer_ros.engines.trt.device import probe_device
from caer_ros.engines.trt.key import Machine
from caer_ros.engines.trt.open import find_engine


def why_not(files: Sequence[Path] | None = None) -> str:
    """Empty where TensorRT can run these ONNX files now, else what is in the way.

    files: None asks only whether some engine was built on this machine.
    """
    try:
        device = probe_device()
    except EngineError:
        return "no NVIDIA GPU"
    if importlib.util.find_spec("tensorrt") is None:
        return "TensorRT is not installed"
    if not installed_package():
        return "neither pycuda nor cuda-bindings is installed"
    try:
        trt = load_tensorrt()
        if files is None:
            here = Machine.here(device, trt.__version__)
            return "" if EngineCache().holds_any(here) else "no engine is built: caer build --all"
        for path in files:
            find_engine(path, Machine.here(device, trt.__version__)).read()
    except EngineError as error:
        return str(error).rstrip(".")
    return ""


def can_build() -> bool:
    """Whether `caer build` can make engines here: a GPU and TensorRT."""
    try:
        probe_device()
        load_tensorrt()
    except EngineError:
        return False
    return True
