"""The calls to pycuda, against a fake: contexts are pushed and popped in pairs, and all is freed.

What the fake has was read from pycuda 2026.1's own wrapper.
"""

import importlib
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from caer_ros.core import EngineError, OutOfMemory


class Error(Exception):
    pass


class MemoryError_(Error):
    pass


@pytest.fixture
def pycuda(monkeypatch):
    """The fake pycuda.driver; `stack` holds pushed contexts, `live` what was not freed."""
    fake = ModuleType("pycuda.driver")
    fake.stack, fake.live, fake.started = [], set(), []

    class Thing:
        def __init__(self, kind):
            assert fake.stack, f"{kind} without a context"
            self.kind = kind
            fake.live.add(self)

        def free(self):
            assert fake.stack, "freed without a context"
            fake.live.remove(self)

        def __int__(self):
            return 4096

    class Pinned(np.ndarray):
        base = property(lambda self: self.owner)

    def pagelocked_empty(size, dtype):
        array = np.zeros(size, dtype).view(Pinned)
        array.owner = Thing("pinned memory")
        return array

    def mem_alloc(size):
        if size > 1 << 40:
            raise MemoryError_("out of memory")
        return Thing("memory")

    class Stream:
        handle = 32

        def __init__(self, flags):
            assert fake.stack
            assert flags == 1
            fake.live.add("stream")

        def synchronize(self):
            assert fake.stack
            fake.started.append("wait")

        def __del__(self):
            assert fake.stack, "the stream ended without a context"
            fake.live.discard("stream")

    class Context:
        def __init__(self):
            fake.live.add("context")

        def push(self):
            fake.stack.append(self)

        @staticmethod
        def pop():
            fake.stack.pop()

        def detach(self):
            fake.live.remove("context")

    def copy(target, source, stream):
        assert fake.stack
        fake.started.append("copy")

    fake.init = lambda: None
    fake.Device = lambda index: SimpleNamespace(retain_primary_context=Context)
    fake.Context, fake.Stream = Context, Stream
    fake.pagelocked_empty, fake.mem_alloc = pagelocked_empty, mem_alloc
    fake.memcpy_htod_async = fake.memcpy_dtoh_async = copy
    fake.Error, fake.MemoryError = Error, MemoryError_
    package = ModuleType("pycuda")
    package.driver = fake
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", fake)
    yield fake
    sys.modules.pop("caer_ros.engines.trt.cuda_pycuda", None)


@pytest.fixture
def cuda(pycuda):
    sys.modules.pop("caer_ros.engines.trt.cuda_pycuda", None)
    return importlib.import_module("caer_ros.engines.trt.cuda_pycuda").PycudaCuda()


def test_contexts_go_in_pairs_and_everything_is_freed(pycuda, cuda):
    assert pycuda.stack == []
    assert cuda.stream == 32
    with cuda.active():
        pinned, device = cuda.pinned(8), cuda.device(8)
        with cuda.active():
            cuda.upload(device, pinned)
            cuda.download(pinned, device)
        assert len(pycuda.stack) == 1
        cuda.synchronize()
    assert pycuda.started == ["copy", "copy", "wait"]
    cuda.close()
    cuda.close()
    assert pycuda.stack == []
    assert pycuda.live == set()


def test_its_errors_become_ours_and_leave_no_context_behind(pycuda, cuda):
    with pytest.raises(OutOfMemory, match="too little memory"), cuda.active():
        cuda.device(1 << 50)
    with pytest.raises(EngineError, match="CUDA fails: launch failed"), cuda.active():
        raise pycuda.Error("launch failed")
    with pytest.raises(ValueError, match="mine"), cuda.active():
        raise ValueError("mine")
    assert pycuda.stack == []
    cuda.close()


def test_it_is_preferred_where_it_is_installed(monkeypatch):
    from caer_ros.engines.trt import cuda as choice

    monkeypatch.setattr(choice, "_is_installed", lambda module: True)
    assert choice.installed_package() == "pycuda"
    monkeypatch.setattr(choice, "_is_installed", lambda module: module == "cuda.bindings")
    assert choice.installed_package() == "cuda-bindings"
    monkeypatch.setattr(choice, "_is_installed", lambda module: False)
    with pytest.raises(EngineError, match="pip install cuda-bindings"):
        choice.open_cuda()
