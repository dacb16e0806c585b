"""CUDA graphs asked of the driver itself, for pycuda, which has none."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

from caer_ros.core import EngineError
from caer_ros.engines.trt.cuda import Graph

_THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
_Handle = ctypes.c_void_p


def capture(stream: int, work: Callable[[], None]) -> Graph:
    """Record what `work` queues on a stream of the current context.

    Raises:
        EngineError: something in it can not be recorded, or the driver is older than CUDA 11.4.
    """
    graph, recorded = _Handle(), _Handle()
    _call("cuStreamBeginCapture_v2", _Handle(stream), ctypes.c_int(_THREAD_LOCAL))
    try:
        work()
    except BaseException:
        # Frees the stream, and mostly fails itself.
        _driver().cuStreamEndCapture(_Handle(stream), ctypes.byref(graph))
        if graph.value:
            _driver().cuGraphDestroy(graph)
        raise
    _call("cuStreamEndCapture", _Handle(stream), ctypes.byref(graph))
    try:
        flags = ctypes.c_ulonglong(0)
        _call("cuGraphInstantiateWithFlags", ctypes.byref(recorded), graph, flags)
    finally:
        _call("cuGraphDestroy", graph)
    return _Recorded(recorded, stream)


class _Recorded:
    """See cuda.Graph."""

    def __init__(self, graph: ctypes.c_void_p, stream: int) -> None:
        self._graph = graph
        self._stream = _Handle(stream)

    def launch(self) -> None:
        _call("cuGraphLaunch", self._graph, self._stream)

    def close(self) -> None:
        _driver().cuGraphExecDestroy(self._graph)


@cache
def _driver() -> ctypes.CDLL:
    return ctypes.CDLL("libcuda.so.1")


def _call(name: str, *arguments: object) -> None:
    try:
        code = getattr(_driver(), name)(*arguments)
    except AttributeError as error:
        raise EngineError(f"This NVIDIA driver has no {name}: it is too old.") from error
    if code:
        raise EngineError(f"CUDA fails: {name} returns error {code}.")
