"""What a measurement was made on: processor, memory, versions, how busy it was."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from caer_ros.engines.processor import processor_facts

_PACKAGES = ("numpy", "onnxruntime", "openvino", "torch", "tensorrt", "opencv-python-headless")
# Instruction sets that decide how fast integers and 16-bit numbers are.
_TELLING = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
_TELLING_ARM = ("asimddp", "i8mm", "bf16", "sve")


def cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def about_machine() -> dict[str, str]:
    """What to write beside figures; nothing in it names the machine or its user."""
    facts = " ".join(processor_facts()).split()
    known = [name for name in (*_TELLING, *_TELLING_ARM) if name in facts]
    return {
        "processor": f"{_processor()}, {cores()} cores, {platform.machine()}",
        "instructions": ", ".join(known) or "unknown",
        "memory": f"{_memory_gb():.0f} GB",
        "system": f"{platform.system()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {found}" for name in _PACKAGES if (found := _version(name))),
    }


def has_nvidia_gpu() -> bool:
    """Whether the kernel has an NVIDIA GPU's device: a graphics card's or a Jetson's."""
    names = ("nvidia[0-9]*", "nvgpu*", "nvhost-gpu")
    return any(any(Path("/dev").glob(name)) for name in names)


def load() -> float:
    """Processes that wanted to run, on average over the last minute."""
    return os.getloadavg()[0]


def peak_memory_mb() -> float:
    """Largest resident set of this process since it started, in MB (10^6 bytes).

    Linux's getrusage counts what the parent had before the start too; /proc does not.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if platform.system() == "Darwin" else peak * 1024 / 1e6


def _processor() -> str:
    facts = processor_facts()
    return facts[1] if len(facts) > 1 and facts[1] else "unknown processor"


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
