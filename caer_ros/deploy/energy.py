"""Energy as the machine itself measures it: RAPL, NVML or a Jetson's power rails.

All of them measure the whole chip or board, with what it takes when it does nothing.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Protocol

_POWERCAP = Path("/sys/class/powercap")
_RAIL = re.compile(r"\b(V\w+) (\d+)(?:mW)?/\d+")


class EnergyMeter(Protocol):
    """A counter of energy that only grows.

    Attributes:
        name: what is measured, for the report.
    """

    name: str

    def joules(self) -> float:
        """Since some moment in the past."""
        ...

    def close(self) -> None: ...


def open_meter(gpu: bool, powercap: Path = _POWERCAP) -> tuple[EnergyMeter | None, str]:
    """The meter for what runs on the GPU or on the CPU, or None and why there is none."""
    try:
        if shutil.which("tegrastats"):
            return Tegrastats(), ""
        return (Nvml() if gpu else Rapl(powercap)), ""
    except PermissionError:
        return None, f"{powercap} may only be read by root"
    except OSError:
        return None, "no tegrastats, and no " + ("NVML" if gpu else "RAPL")


class Rapl:
    """The processor's packages, from Linux's powercap.

    Raises:
        OSError: there is none, or it may not be read.
    """

    def __init__(self, powercap: Path = _POWERCAP) -> None:
        # intel-rapl:0 is a package (AMD's too), intel-rapl:0:1 a part of it.
        packages = [
            path
            for path in sorted(powercap.glob("*-rapl:*/energy_uj"))
            if path.parent.name.count(":") == 1
        ]
        if not packages:
            raise FileNotFoundError("no RAPL")
        self.name = f"RAPL, {len(packages)} processor package(s)"
        self._packages = packages
        self._last = [_number(path) for path in packages]
        self._total = 0.0

    def joules(self) -> float:
        """See EnergyMeter. To be asked more often than the counters overflow, once in a minute."""
        for index, path in enumerate(self._packages):
            now = _number(path)
            grown = now - self._last[index]
            if grown < 0:
                grown += _number(path.with_name("max_energy_range_uj"))
            self._total += grown / 1e6
            self._last[index] = now
        return self._total

    def close(self) -> None:
        """Nothing is held."""


class Nvml:
    """The first NVIDIA GPU, from the driver's library.

    Raises:
        OSError: there is no driver, no GPU, or it does not count energy (before Volta).
    """

    name = "NVML, GPU 0"

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libnvidia-ml.so.1")
        self._device = ctypes.c_void_p()
        self._call("nvmlInit_v2")
        self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(0), ctypes.byref(self._device))
        self.joules()

    def joules(self) -> float:
        """See EnergyMeter."""
        millijoules = ctypes.c_ulonglong()
        call = "nvmlDeviceGetTotalEnergyConsumption"
        self._call(call, self._device, ctypes.byref(millijoules))
        return millijoules.value / 1000

    def close(self) -> None:
        """Let go of the driver."""
        self._call("nvmlShutdown")

    def _call(self, name: str, *arguments: object) -> None:
        code = getattr(self._library, name)(*arguments)
        if code:
            raise OSError(f"{name} failed with {code}")


class Tegrastats:
    """A Jetson's rails, asked every 0.1 s by NVIDIA's tegrastats and added up here."""

    name = "tegrastats, the module's rails"

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["tegrastats", "--interval", "100"], stdout=subprocess.PIPE, text=True
        )
        self._lock = threading.Lock()
        self._total = 0.0
        self._watts = 0.0
        self._since = time.monotonic()
        threading.Thread(target=self._read, daemon=True).start()

    def joules(self) -> float:
        """See EnergyMeter; the power of the last line holds until the next one."""
        with self._lock:
            now = time.monotonic()
            self._total += self._watts * (now - self._since)
            self._since = now
            return self._total

    def close(self) -> None:
        """End tegrastats."""
        self._process.terminate()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.joules()
            self._watts = rail_watts(line)


def rail_watts(line: str) -> float:
    """Power of the whole module from one line of tegrastats, in watts.

    Orin Nano, Orin NX and Xavier NX have a rail for the input; AGX Orin has the input's parts, of
    which VDDQ_VDD2_1V8AO is fed from VIN_SYS_5V0 and does not count twice.
    """
    rails = {name: int(milliwatts) / 1000 for name, milliwatts in _RAIL.findall(line)}
    if "VDD_IN" in rails:
        return rails["VDD_IN"]
    return sum(watts for name, watts in rails.items() if not name.startswith("VDDQ"))


def _number(path: Path) -> int:
    return int(path.read_text())
