"""Every difference between TensorRT 8.6, 10 and 11 that this package meets.

Read from the Python bindings of 8.6.1 to 11.4.0:

| name                                    | 8.6 | 10.0 to 10.16 | 11 |
| --------------------------------------- | --- | ------------- | -- |
| NetworkDefinitionCreationFlag.EXPLICIT_BATCH | needed | ignored | gone |
| NetworkDefinitionCreationFlag.STRONGLY_TYPED | -   | yes     | always on |
| BuilderFlag.FP16, BuilderFlag.INT8      | yes | deprecated from 10.12 | gone |
| IProgressMonitor                        | -   | yes           | yes |
| DataType.INT64                          | -   | yes           | yes |
| OnnxParserFlag.ADJUST_FOR_DLA           | -   | from 10.16 at the latest | yes |

What the rest of this room uses is the same in all of them.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np

from caer_ros.engines.trt.device import DeviceMissing, probe_device

Trt = ModuleType  # the tensorrt package, or one with the same names
LEAST = (8, 6)

_NUMPY = {
    "FLOAT": np.float32,
    "HALF": np.float16,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT32": np.int32,
    "INT64": np.int64,
    "BOOL": np.bool_,
}


def load_tensorrt() -> Trt:
    """Import TensorRT, after making sure that there is a GPU.

    Raises:
        DeviceMissing: no GPU, TensorRT is not installed, does not load, or is older than 8.6.
    """
    probe_device()
    try:
        trt = importlib.import_module("tensorrt")
        found = version(trt)
    except ModuleNotFoundError as error:
        raise DeviceMissing(
            "TensorRT is not installed.",
            "Run: pip install tensorrt (on a Jetson: sudo apt install python3-libnvinfer).",
        ) from error
    except Exception as error:  # a missing libnvinfer, a wheel that is only a stub: anything
        raise DeviceMissing(
            f"TensorRT does not load: {error}", "Reinstall TensorRT for this Python."
        ) from error
    if found < LEAST:
        raise DeviceMissing(f"TensorRT {trt.__version__} is too old.", "Install 8.6 or newer.")
    return trt


def version(trt: Trt) -> tuple[int, int]:
    """Major and minor version."""
    major, minor = str(trt.__version__).split(".")[:2]
    return int(major), int(minor)


def strongly_typed(trt: Trt) -> bool:
    """Whether the types in the ONNX file alone decide what a layer computes in."""
    return hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")


def network_flags(trt: Trt) -> int:
    """Flags of a network with an explicit batch axis, strongly typed where that exists."""
    known = trt.NetworkDefinitionCreationFlag
    names = ("STRONGLY_TYPED",) if strongly_typed(trt) else ("EXPLICIT_BATCH",)
    return sum(1 << int(getattr(known, name)) for name in names)


def allow_precisions(trt: Trt, config: Any, quantized: bool, half: bool, tf32: bool) -> None:
    """Let a weakly typed builder (8.6) use the types that the file has, and no others.

    TF32 rounds the factors of FP32 products to 10 bits; it is on by default in every version.
    """
    if not tf32:
        config.clear_flag(trt.BuilderFlag.TF32)
    if strongly_typed(trt):
        return
    if quantized:
        config.set_flag(trt.BuilderFlag.INT8)
    if half:
        config.set_flag(trt.BuilderFlag.FP16)


def limit_workspace(trt: Trt, config: Any, mebibytes: int) -> None:
    """Most memory that one layer may use beside its tensors; also bounds the build's own use."""
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, mebibytes << 20)


def use_dla(trt: Trt, builder: Any, parser: Any, config: Any, core: int) -> None:
    """Put what can run there on a Deep Learning Accelerator, the rest on the GPU.

    Raises:
        DeviceMissing: this machine, or this TensorRT, has no such core.
    """
    if core >= builder.num_DLA_cores:
        raise DeviceMissing(
            f"There is no DLA core {core}: TensorRT {trt.__version__} sees {builder.num_DLA_cores}"
            " here.",
            "DLA needs a Jetson Xavier or Orin and TensorRT up to 10.7, or 11.4.1 and newer.",
        )
    config.default_device_type = trt.DeviceType.DLA
    config.DLA_core = core
    config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    if hasattr(trt.OnnxParserFlag, "ADJUST_FOR_DLA"):
        parser.set_flag(trt.OnnxParserFlag.ADJUST_FOR_DLA)


def make_portable(trt: Trt, config: Any) -> None:
    """Make an engine that also runs on other GPUs of compute capability 8.0 and newer, slower."""
    config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.AMPERE_PLUS


def attach_timing_cache(config: Any, data: bytes) -> Any:
    """Reuse what earlier builds on this machine measured; starts empty where `data` do not fit."""
    cache = config.create_timing_cache(data)
    if not data or cache is None or not config.set_timing_cache(cache, False):
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, False)
    return cache


def numpy_type(dtype: Any) -> np.dtype:
    """numpy's type for a TensorRT DataType (8.6's own `nptype` fails with newer NumPy).

    Raises:
        KeyError: it has none.
    """
    return np.dtype(_NUMPY[dtype.name])
