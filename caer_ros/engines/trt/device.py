"""Which GPU is here, asked of the driver alone: without a GPU, TensorRT would crash the process."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from caer_ros.core import EngineError

_LIBRARIES = ("libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1")
# Of CUdevice_attribute in cuda.h.
_MAJOR, _MINOR = 75, 76
_KERNEL_MODULE = Path("/proc/driver/nvidia/version")
_TEGRA_RELEASE = Path("/etc/nv_tegra_release")


class DeviceMissing(EngineError):
    """This machine can not run TensorRT: no GPU, no driver, or a library is not installed."""

    exit_code = 2


@dataclass(frozen=True)
class Device:
    """The first GPU that CUDA shows; CUDA_VISIBLE_DEVICES chooses another.

    Attributes:
        name: as the driver calls it, e.g. `Orin`.
        compute_capability: e.g. `8.7`.
        driver: version of the driver, on a Jetson of its system; `unknown` where it does not say.
        cuda: newest CUDA that the driver runs, e.g. `12.6`.
        memory: bytes; on a Jetson shared with the CPU.
    """

    name: str
    compute_capability: str
    driver: str
    cuda: str
    memory: int

    def __str__(self) -> str:
        return (
            f"{self.name}, compute capability {self.compute_capability}, driver {self.driver},"
            f" CUDA {self.cuda}, {self.memory / 2**30:.1f} GiB"
        )


@cache
def probe_device() -> Device:
    """Ask the driver for the first GPU.

    Raises:
        DeviceMissing: no driver, no GPU, or the driver fails; the message says which.
    """
    library = _load()
    count = ctypes.c_int(0)
    _call(library, "cuInit", 0)
    _call(library, "cuDeviceGetCount", ctypes.byref(count))
    if count.value < 1:
        raise DeviceMissing(
            "The NVIDIA driver shows no GPU.", "Check CUDA_VISIBLE_DEVICES and nvidia-smi."
        )
    return _describe(library)


def _load() -> ctypes.CDLL:
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise DeviceMissing(
        "There is no NVIDIA driver on this machine (libcuda.so.1 is not found).",
        "TensorRT needs an NVIDIA GPU; elsewhere set backend to openvino or onnxruntime.",
    )


def _describe(library: ctypes.CDLL) -> Device:
    device, version, memory = ctypes.c_int(), ctypes.c_int(), ctypes.c_size_t()
    name = ctypes.create_string_buffer(256)
    _call(library, "cuDeviceGet", ctypes.byref(device), 0)
    _call(library, "cuDeviceGetName", name, len(name), device)
    _call(library, "cuDriverGetVersion", ctypes.byref(version))
    _call(library, "cuDeviceTotalMem_v2", ctypes.byref(memory), device)
    major, minor = (_attribute(library, which, device) for which in (_MAJOR, _MINOR))
    return Device(
        name=name.value.decode(errors="replace"),
        compute_capability=f"{major}.{minor}",
        driver=_driver_version(),
        cuda=f"{version.value // 1000}.{version.value % 1000 // 10}",
        memory=memory.value,
    )


def _attribute(library: ctypes.CDLL, which: int, device: ctypes.c_int) -> int:
    value = ctypes.c_int()
    _call(library, "cuDeviceGetAttribute", ctypes.byref(value), which, device)
    return value.value


def _call(library: ctypes.CDLL, function: str, *arguments: object) -> None:
    code = getattr(library, function)(*arguments)
    if code:
        raise DeviceMissing(
            f"The NVIDIA driver fails: {function} returns error {code}.",
            "Run nvidia-smi; after an update of the driver, restart the machine.",
        )


def _driver_version() -> str:
    """From the management library, else the kernel module, else the Jetson's release."""
    return (
        _nvml_version()
        or _first_match(_KERNEL_MODULE, r"  (\d+\.\d+\S*)  ")
        or (_first_match(_TEGRA_RELEASE, r"# (R\d+).*?REVISION: ([\d.]+)") or "unknown")
    )


def _nvml_version() -> str:
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
        if library.nvmlInit_v2():
            return ""
        text = ctypes.create_string_buffer(80)
        failed = library.nvmlSystemGetDriverVersion(text, len(text))
        library.nvmlShutdown()
        return "" if failed else text.value.decode(errors="replace")
    except (OSError, AttributeError):
        return ""


def _first_match(path: Path, pattern: str) -> str:
    try:
        found = re.search(pattern, path.read_text(errors="replace"))
    except OSError:
        return ""
    return ".".join(found.groups()) if found else ""
