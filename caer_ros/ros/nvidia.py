"""Memory and temperature of an NVIDIA GPU, where the package pynvml is installed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_MB = 1e6


class Gpu:
    """The first GPU of the machine.

    Args:
        nvml: the module pynvml, or what stands for it.

    Raises:
        Exception: of pynvml's own, where there is no driver or no GPU.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        nvml.nvmlInit()
        self._device = nvml.nvmlDeviceGetHandleByIndex(0)

    def read(self) -> dict[str, float | str]:
        """What the driver tells: a GPU of a Jetson tells less than a graphics card."""
        nvml, device = self._nvml, self._device
        readings: dict[str, float | str] = {}
        with suppress(nvml.NVMLError):
            readings["GPU"] = _text(nvml.nvmlDeviceGetName(device))
        with suppress(nvml.NVMLError):
            kind = nvml.NVML_TEMPERATURE_GPU
            readings["GPU [°C]"] = float(nvml.nvmlDeviceGetTemperature(device, kind))
        with suppress(nvml.NVMLError):
            memory = nvml.nvmlDeviceGetMemoryInfo(device)
            readings["GPU memory in use [MB]"] = memory.used / _MB
            readings["GPU memory [MB]"] = memory.total / _MB
        with suppress(nvml.NVMLError):
            for process in nvml.nvmlDeviceGetComputeRunningProcesses(device):
                if process.pid == os.getpid() and process.usedGpuMemory is not None:
                    readings["GPU memory of this process [MB]"] = process.usedGpuMemory / _MB
        return readings

    def close(self) -> None:
        """Let go of the driver."""
        with suppress(self._nvml.NVMLError):
            self._nvml.nvmlShutdown()


def _import_nvml() -> Any:
    import pynvml

    return pynvml


def open_gpu(load: Callable[[], Any] = _import_nvml) -> Gpu | None:
    """The GPU, or None where pynvml, driver or GPU is missing."""
    try:
        nvml = load()
    except ImportError:
        return None
    try:
        return Gpu(nvml)
    except nvml.NVMLError:
        return None


def _text(name: str | bytes) -> str:
    """Old versions of pynvml hand out bytes."""
    return name.decode(errors="replace") if isinstance(name, bytes) else name
