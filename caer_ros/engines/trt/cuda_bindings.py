"""CUDA through NVIDIA's cuda-bindings: the driver's own interface, which any CUDA version has."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from cuda.bindings import driver

from caer_ros.core import EngineError, OutOfMemory
from caer_ros.engines.trt.cuda import Graph

_NON_BLOCKING = driver.CUstream_flags.CU_STREAM_NON_BLOCKING
# Other threads of the process may go on allocating while this one records.
_THREAD_LOCAL = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL


class BindingsCuda:
    """See cuda.Cuda."""

    name = "cuda-bindings"

    def __init__(self) -> None:
        _call(driver.cuInit, 0)
        self._device = _call(driver.cuDeviceGet, 0)
        self._context = _call(driver.cuDevicePrimaryCtxRetain, self._device)
        self._pinned: list[int] = []
        self._memory: list[Any] = []
        self._open = True
        try:
            with self.active():
                self._stream = _call(driver.cuStreamCreate, int(_NON_BLOCKING))
        except BaseException:
            _call(driver.cuDevicePrimaryCtxRelease, self._device)
            raise
        self.stream = int(self._stream)

    @contextmanager
    def active(self) -> Iterator[None]:
        """See Cuda.active."""
        _call(driver.cuCtxPushCurrent, self._context)
        try:
            yield
        finally:
            _call(driver.cuCtxPopCurrent)

    def pinned(self, size: int) -> np.ndarray:
        """See Cuda.pinned."""
        address = int(_call(driver.cuMemHostAlloc, size, 0))
        self._pinned.append(address)
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))

    def device(self, size: int) -> int:
        """See Cuda.device."""
        memory = _call(driver.cuMemAlloc, size)
        self._memory.append(memory)
        return int(memory)

    def upload(self, target: int, source: np.ndarray) -> None:
        """See Cuda.upload."""
        _call(driver.cuMemcpyHtoDAsync, target, source.ctypes.data, source.nbytes, self._stream)

    def download(self, target: np.ndarray, source: int) -> None:
        """See Cuda.download."""
        _call(driver.cuMemcpyDtoHAsync, target.ctypes.data, source, target.nbytes, self._stream)

    def synchronize(self) -> None:
        """See Cuda.synchronize."""
        _call(driver.cuStreamSynchronize, self._stream)

    def capture(self, work: Callable[[], None]) -> Graph:
        """See Cuda.capture."""
        _call(driver.cuStreamBeginCapture, self._stream, _THREAD_LOCAL)
        try:
            work()
        except BaseException:
            # Frees the stream, and mostly fails itself.
            _, graph = driver.cuStreamEndCapture(self._stream)
            if graph is not None and int(graph):
                driver.cuGraphDestroy(graph)
            raise
        graph = _call(driver.cuStreamEndCapture, self._stream)
        try:
            return _Recorded(_call(driver.cuGraphInstantiate, graph, 0), self._stream)
        finally:
            _call(driver.cuGraphDestroy, graph)

    def close(self) -> None:
        """See Cuda.close."""
        if not self._open:
            return
        self._open = False
        with self.active():
            driver.cuStreamSynchronize(self._stream)
            for memory in self._memory:
                driver.cuMemFree(memory)
            for address in self._pinned:
                driver.cuMemFreeHost(address)
            driver.cuStreamDestroy(self._stream)
        _call(driver.cuDevicePrimaryCtxRelease, self._device)


class _Recorded:
    """See cuda.Graph."""

    def __init__(self, graph: Any, stream: Any) -> None:
        self._graph = graph
        self._stream = stream

    def launch(self) -> None:
        _call(driver.cuGraphLaunch, self._graph, self._stream)

    def close(self) -> None:
        driver.cuGraphExecDestroy(self._graph)


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the driver; its value, after its error code was looked at."""
    code, *values = function(*arguments)
    if code == driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
        raise OutOfMemory(
            "The GPU has too little memory.", "Close other programs, or use a smaller profile."
        )
    if code != driver.CUresult.CUDA_SUCCESS:
        raise EngineError(f"CUDA fails: {function.__name__} returns {code.name}.")
    return values[0] if values else None
