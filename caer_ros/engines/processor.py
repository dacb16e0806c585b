"""Which processor this is: what a back end compiled for one may crash on another."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

_LINES = ("model name", "cpu implementer", "cpu architecture", "cpu part", "flags", "features")


@cache
def processor_facts(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, ...]:
    """Architecture, model and instruction sets of the first core, as the kernel lists them."""
    try:
        first = cpuinfo.read_text(errors="replace").split("\n\n")[0]
    except OSError:
        return (platform.machine(), platform.processor())
    lines = (line.partition(":") for line in first.splitlines())
    facts = [value.strip() for name, _, value in lines if name.strip().lower() in _LINES]
    return (platform.machine(), *facts)
