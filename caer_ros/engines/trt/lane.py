"""One optimisation profile at work: context, buffers and, once a shape repeats, a CUDA graph."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from caer_ros.core import EngineBuildError, EngineError
from caer_ros.engines.trt.compat import numpy_type
from caer_ros.engines.trt.cuda import Cuda, Graph

Shapes = Mapping[str, tuple[int, ...]]


@dataclass
class Buffer:
    """Memory for one tensor at its largest, on both sides, and a view of its present shape."""

    pinned: np.ndarray
    device: int
    dtype: np.dtype
    view: np.ndarray

    def reshape(self, shape: tuple[int, ...]) -> None:
        """Make `view` C-contiguous of this shape, at the same address."""
        size = int(np.prod(shape)) * self.dtype.itemsize
        self.view = self.pinned[:size].view(self.dtype).reshape(shape)


class Lane:
    """Runs one profile. Made, used and closed inside `with cuda.active()`.

    Memory is allocated here once, for the profile's largest shapes, so that addresses stay and no
    frame allocates. A CUDA graph belongs to the shapes it was recorded with, and this context meets
    no other shapes between its recording and its end.

    Args:
        index: of the profile.
        largest: the profile's largest shape of each input.

    Raises:
        EngineBuildError: the size of an output depends on the data, or a tensor lies on the host.
    """

    def __init__(
        self, trt: Any, engine: Any, index: int, cuda: Cuda, largest: Shapes, log: Any
    ) -> None:
        self._cuda = cuda
        self._log = log
        self._context = engine.create_execution_context()
        if self._context is None:
            raise EngineError(f"TensorRT makes no execution context: {log.last_error()}")
        if index:
            self._context.set_optimization_profile_async(index, cuda.stream)
            cuda.synchronize()
        self._inputs = list(largest)
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        self._outputs = [name for name in names if name not in largest]
        self._buffers = self._allocate(trt, engine, largest)
        self._shapes: Shapes = {}
        self._graph: Graph | None = None
        self._runs = 0
        self._recordable = True
        self.replays = 0

    def view(self, name: str) -> np.ndarray:
        """A tensor's pinned memory at its present shape; of an output, good until the next run."""
        return self._buffers[name].view

    def prepare(self, shapes: Shapes) -> None:
        """Take on these shapes of the inputs; does nothing where they are the present ones.

        Raises:
            EngineError: TensorRT refuses them.
        """
        if shapes == self._shapes:
            return
        self._drop_graph()
        self._runs = 0
        self._shapes = {}
        for name, shape in shapes.items():
            if not self._context.set_input_shape(name, shape):
                raise EngineError(f"TensorRT refuses shape {shape} of input '{name}'.")
        for name, buffer in self._buffers.items():
            buffer.reshape(tuple(self._context.get_tensor_shape(name)))
        self._shapes = dict(shapes)

    def run(self) -> None:
        """Infer once on what the inputs' views hold, and wait for the outputs.

        The first run with a shape is an ordinary one, which TensorRT needs to make itself ready;
        the second is recorded, and replayed from then on.

        Raises:
            EngineError: TensorRT or CUDA failed.
        """
        if self._graph is None and self._runs and self._recordable:
            self._record()
        if self._graph is None:
            self._queue_or_drain()
        else:
            self._graph.launch()
            self.replays += 1
        self._cuda.synchronize()
        self._runs += 1

    def close(self) -> None:
        """Let go of graph and context; the memory goes with `cuda`."""
        self._drop_graph()
        self._context = None

    def _queue_or_drain(self) -> None:
        try:
            self._queue()
        except EngineError:
            with suppress(EngineError):  # uploads still read what the next frame will overwrite
                self._cuda.synchronize()
            raise

    def _queue(self) -> None:
        for name in self._inputs:
            buffer = self._buffers[name]
            self._cuda.upload(buffer.device, buffer.view)
        if not self._context.execute_async_v3(self._cuda.stream):
            raise EngineError(f"TensorRT failed: {self._log.last_error()}")
        for name in self._outputs:
            buffer = self._buffers[name]
            self._cuda.download(buffer.view, buffer.device)

    def _record(self) -> None:
        try:
            self._graph = self._cuda.capture(self._queue)
        except EngineError:
            # Some layers, above all those on a DLA, can not be recorded: they run as before.
            self._recordable = False

    def _drop_graph(self) -> None:
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def _allocate(self, trt: Any, engine: Any, largest: Shapes) -> dict[str, Buffer]:
        for name, shape in largest.items():
            self._context.set_input_shape(name, shape)
        buffers = {}
        for name in [*self._inputs, *self._outputs]:
            shape = tuple(self._context.get_tensor_shape(name))
            on_device = engine.get_tensor_location(name) == trt.TensorLocation.DEVICE
            if not on_device or any(side < 0 for side in shape):
                raise EngineBuildError(
                    f"Tensor '{name}' of this engine has a size that depends on the picture.",
                    "Re-export the bundle, or use another backend for it.",
                )
            dtype = numpy_type(engine.get_tensor_dtype(name))
            size = max(int(np.prod(shape)) * dtype.itemsize, 1)
            pinned, device = self._cuda.pinned(size), self._cuda.device(size)
            self._context.set_tensor_address(name, device)
            buffers[name] = Buffer(pinned, device, dtype, pinned)
        return buffers
