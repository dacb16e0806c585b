"""How the machine does: temperatures, memory, GPU. What it does not tell is left out."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from caer_ros.ros.nvidia import Gpu, open_gpu

Readings = dict[str, float | str]

# What the keys of temperatures end with.
DEGREES = "[°C]"

# A sensor outside this range is broken or not there.
_SENSIBLE_C = (-40.0, 150.0)
# Jetsons have a zone that says 100 °C (50 °C on some) at all times.
_CONSTANT = ("PMIC-Die",)
# Where Jetsons tell how busy their GPU is, in thousandths, from the oldest to the newest.
_JETSON_LOAD = (
    "devices/gpu.0/load",
    "devices/platform/gpu.0/load",
    "devices/platform/*/*.gpu/load",
)


class MachineReader:
    """Reads the same places again and again. Takes about a millisecond a time.

    Args:
        sys: where sysfs is mounted.
        proc: where procfs is mounted.
        find_gpu: asked once; None: there is no NVIDIA GPU that tells.
    """

    def __init__(
        self,
        sys: Path = Path("/sys"),
        proc: Path = Path("/proc"),
        find_gpu: Callable[[], Gpu | None] = open_gpu,
    ) -> None:
        self._zones = _zones(sys)
        self._loads = [path for pattern in _JETSON_LOAD for path in sorted(sys.glob(pattern))][:1]
        self._proc = proc
        self._gpu = find_gpu()

    def read(self) -> Readings:
        """By what is measured and its unit, such as `memory of this process [MB]` (10^6 bytes)."""
        readings: Readings = {}
        for key, path in self._zones.items():
            with suppress(OSError, ValueError):
                degrees = int(path.read_text()) / 1000
                if _SENSIBLE_C[0] <= degrees <= _SENSIBLE_C[1]:
                    readings[key] = degrees
        with suppress(OSError, ValueError, IndexError):
            pages = int((self._proc / "self" / "statm").read_text().split()[1])
            readings["memory of this process [MB]"] = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        with suppress(OSError, ValueError):
            for line in (self._proc / "meminfo").read_text().splitlines():
                if line.startswith("MemAvailable:"):
                    readings["memory available [MB]"] = int(line.split()[1]) * 1024 / 1e6
        for path in self._loads:
            with suppress(OSError, ValueError):
                readings["GPU load [%]"] = int(path.read_text()) / 10
        return readings | (self._gpu.read() if self._gpu else {})

    def close(self) -> None:
        """Let go of the GPU's driver."""
        if self._gpu is not None:
            self._gpu.close()
            self._gpu = None


def _zones(sys: Path) -> dict[str, Path]:
    """The files of the temperatures, by key; zones of one name are numbered from the second on."""
    zones: dict[str, Path] = {}
    for folder in sorted(sys.glob("class/thermal/thermal_zone*"), key=_number):
        with suppress(OSError):
            name = (folder / "type").read_text().strip()
            if name in _CONSTANT:
                continue
            count, key = 1, f"{name} {DEGREES}"
            while key in zones:
                count += 1
                key = f"{name} {count} {DEGREES}"
            zones[key] = folder / "temp"
    return zones


def _number(folder: Path) -> int:
    digits = folder.name.removeprefix("thermal_zone")
    return int(digits) if digits.isdigit() else 0
