"""Temperatures, memory and GPU: read where they are told, absent where they are not."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from caer_ros.ros.machine import MachineReader
from caer_ros.ros.nvidia import open_gpu


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def no_gpu() -> None:
    return None


class NvmlError(Exception):
    pass


def fake_nvml(**changes: object) -> SimpleNamespace:
    """A stand-in for pynvml with one GPU."""

    def missing(*arguments: object) -> None:
        raise NvmlError("Not Supported")

    calls = {
        "NVMLError": NvmlError,
        "NVML_TEMPERATURE_GPU": 0,
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda device: b"Some GPU",
        "nvmlDeviceGetTemperature": lambda device, kind: 61,
        "nvmlDeviceGetMemoryInfo": lambda device: SimpleNamespace(used=2e9, total=8e9),
        "nvmlDeviceGetComputeRunningProcesses": lambda device: [
            SimpleNamespace(pid=1, usedGpuMemory=7e9),
            SimpleNamespace(pid=os.getpid(), usedGpuMemory=5e8),
        ],
    }
    return SimpleNamespace(**calls | {k: missing if v is None else v for k, v in changes.items()})


def test_a_jetson_tells_temperatures_and_load(tmp_path):
    zone = "class/thermal/thermal_zone"
    sys = write(
        tmp_path / "sys",
        {
            f"{zone}0/type": "cpu-thermal\n",
            f"{zone}0/temp": "48500\n",
            f"{zone}1/type": "gpu-thermal\n",
            f"{zone}1/temp": "-256000\n",  # switched off
            f"{zone}2/type": "PMIC-Die\n",
            f"{zone}2/temp": "100000\n",
            f"{zone}3/type": "soc-thermal\n",
            f"{zone}3/temp": "not ready\n",
            f"{zone}10/type": "cpu-thermal\n",
            f"{zone}10/temp": "51000\n",
            "devices/platform/bus@0/17000000.gpu/load": "425\n",
        },
    )
    reader = MachineReader(sys, tmp_path / "nothing", no_gpu)
    assert reader.read() == {
        "cpu-thermal [°C]": 48.5,
        "cpu-thermal 2 [°C]": 51.0,
        "GPU load [%]": 42.5,
    }
    (sys / f"{zone}0/temp").unlink()
    (sys / f"{zone}10/temp").write_text("52000\n")
    assert reader.read() == {"cpu-thermal 2 [°C]": 52.0, "GPU load [%]": 42.5}


def test_memory_comes_from_proc(tmp_path):
    proc = write(
        tmp_path,
        {
            "self/statm": "9999 2500 300 1 0 900 0\n",
            "meminfo": "MemFree: 7 kB\nMemAvailable: 1000 kB",
        },
    )
    reader = MachineReader(tmp_path / "nothing", proc, no_gpu)
    assert reader.read() == {
        "memory of this process [MB]": 2500 * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "memory available [MB]": 1.024,
    }


def test_a_machine_that_tells_nothing_is_no_error(tmp_path):
    write(tmp_path, {"self/statm": "", "meminfo": "MemAvailable: none"})
    assert MachineReader(tmp_path, tmp_path, no_gpu).read() == {}


def test_this_machine_tells_its_memory():
    reader = MachineReader()
    memory = reader.read()["memory of this process [MB]"]
    assert isinstance(memory, float)
    assert 5 < memory < 100_000
    reader.close()


def test_a_graphics_card_tells_all(tmp_path):
    nvml = fake_nvml()
    reader = MachineReader(tmp_path, tmp_path, lambda: open_gpu(lambda: nvml))
    assert reader.read() == {
        "GPU": "Some GPU",
        "GPU [°C]": 61.0,
        "GPU memory in use [MB]": 2000.0,
        "GPU memory [MB]": 8000.0,
        "GPU memory of this process [MB]": 500.0,
    }
    reader.close()
    assert reader.read() == {}


def test_a_gpu_that_tells_little_is_read_as_far_as_it_goes():
    nvml = fake_nvml(
        nvmlDeviceGetMemoryInfo=None,
        nvmlDeviceGetComputeRunningProcesses=None,
        nvmlDeviceGetName=lambda device: "Orin",
    )
    gpu = open_gpu(lambda: nvml)
    assert gpu is not None
    assert gpu.read() == {"GPU": "Orin", "GPU [°C]": 61.0}


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetHandleByIndex"])
def test_without_driver_or_gpu_there_is_none(broken):
    assert open_gpu(lambda: fake_nvml(**{broken: None})) is None


def test_without_the_package_there_is_none():
    def absent() -> None:
        raise ImportError("pynvml")

    assert open_gpu(absent) is None
