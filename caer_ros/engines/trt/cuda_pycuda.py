"""CUDA through pycuda, which is what a Jetson usually has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pycuda.driver as driver

from caer_ros.core import EngineError, OutOfMemory
from caer_ros.engines.trt.cuda import Graph
from caer_ros.engines.trt.driver_graph import capture

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING


class PycudaCuda:
    """See cuda.Cuda. Never imports pycuda.autoinit, whose context would belong to one thread."""

    name = "pycuda"

    def __init__(self) -> None:
        with _translated():
            driver.init()
            self._context = driver.Device(0).retain_primary_context()
        self._pinned: list[Any] = []
        self._memory: list[Any] = []
        self._open = True
        with self.active():
            self._stream = driver.Stream(_NON_BLOCKING)
        self.stream = int(self._stream.handle)

    @contextmanager
    def active(self) -> Iterator[None]:
        """See Cuda.active."""
        with _translated():
            self._context.push()
            try:
                yield
            finally:
                driver.Context.pop()

    def pinned(self, size: int) -> np.ndarray:
        """See Cuda.pinned."""
        memory: np.ndarray = driver.pagelocked_empty(size, np.uint8)
        self._pinned.append(memory.base)
        return memory

    def device(self, size: int) -> int:
        """See Cuda.device."""
        memory = driver.mem_alloc(size)
        self._memory.append(memory)
        return int(memory)

    def upload(self, target: int, source: np.ndarray) -> None:
        """See Cuda.upload."""
        driver.memcpy_htod_async(target, source, self._stream)

    def download(self, target: np.ndarray, source: int) -> None:
        """See Cuda.download."""
        driver.memcpy_dtoh_async(target, source, self._stream)

    def synchronize(self) -> None:
        """See Cuda.synchronize."""
        self._stream.synchronize()

    def capture(self, work: Callable[[], None]) -> Graph:
        """See Cuda.capture; pycuda itself has no graphs."""
        return capture(self.stream, work)

    def close(self) -> None:
        """See Cuda.close."""
        if not self._open:
            return
        self._open = False
        with suppress(EngineError), self.active():
            self._stream.synchronize()
        with self.active():
            for memory in self._memory:
                memory.free()
            for allocation in self._pinned:
                allocation.free()
            self._memory, self._pinned = [], []
            del self._stream
        self._context.detach()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except driver.MemoryError as error:
        raise OutOfMemory(
            f"The GPU has too little memory: {error}",
            "Close other programs, or use a smaller profile.",
        ) from error
    except driver.Error as error:
        raise EngineError(f"CUDA fails: {error}") from error
