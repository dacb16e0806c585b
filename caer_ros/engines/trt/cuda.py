"""The little of CUDA that an engine needs, and the choice between the two packages that offer it.

Both work on the GPU's primary context, which TensorRT uses too. An engine makes its own `Cuda`, in
its own thread; all calls but `close` are made inside `with cuda.active():`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np

from caer_ros.engines.trt.device import DeviceMissing

PACKAGES = ("pycuda", "cuda-bindings")
_MODULES = {"pycuda": "pycuda", "cuda-bindings": "cuda.bindings"}
_INSTALL = "Run: pip install cuda-bindings (or pycuda, on a Jetson)."


class Graph(Protocol):
    """Work that was recorded once and is replayed with one call."""

    def launch(self) -> None:
        """Put all of it on the stream."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


class Cuda(Protocol):
    """One stream, and the memory that one engine uses. Thread-confined.

    Attributes:
        name: of the package behind it.
        stream: handle of the stream, as TensorRT takes it.

    Every call raises EngineError where CUDA fails, OutOfMemory where memory is short.
    """

    name: str
    stream: int

    def active(self) -> AbstractContextManager[None]:
        """Push the context on entering, pop it on leaving; may be nested."""
        ...

    def pinned(self, size: int) -> np.ndarray:
        """Page-locked host memory, uint8 [size]; it goes with `close`."""
        ...

    def device(self, size: int) -> int:
        """Address of `size` bytes on the GPU; they go with `close`."""
        ...

    def upload(self, target: int, source: np.ndarray) -> None:
        """Queue a copy of pinned, contiguous memory to the GPU."""
        ...

    def download(self, target: np.ndarray, source: int) -> None:
        """Queue a copy from the GPU to pinned, contiguous memory."""
        ...

    def synchronize(self) -> None:
        """Wait until the stream is empty."""
        ...

    def capture(self, work: Callable[[], None]) -> Graph:
        """Record what `work` queues, without running it."""
        ...

    def close(self) -> None:
        """Free everything. Closing twice is fine."""
        ...


def installed_package() -> str:
    """The package that open_cuda would take, pycuda first; empty where there is none."""
    return next((name for name in PACKAGES if _is_installed(_MODULES[name])), "")


def open_cuda(package: str = "") -> Cuda:
    """Open the GPU through the named package, or through the one that is installed.

    Raises:
        DeviceMissing: none is installed, or it does not load.
    """
    package = package or installed_package()
    if not package:
        raise DeviceMissing("Neither pycuda nor cuda-bindings is installed.", _INSTALL)
    try:
        if package == "pycuda":
            from caer_ros.engines.trt.cuda_pycuda import PycudaCuda

            return PycudaCuda()
        from caer_ros.engines.trt.cuda_bindings import BindingsCuda

        return BindingsCuda()
    except ImportError as error:
        raise DeviceMissing(f"{package} does not load: {error}", _INSTALL) from error


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the parent package is not there
        return False
