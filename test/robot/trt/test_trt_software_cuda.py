"""The real ctypes calls and cuda-bindings against a libcuda in software: the order of calls and
what is given back, nothing about a GPU."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
HEAD = """
import ctypes
from caer_ros.core import EngineError, OutOfMemory
live = ctypes.CDLL("libcuda.so.1").software_live
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """run(code): what a process prints that has the software libcuda."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("libcuda")
    library = folder / "libcuda.so.1"
    source = str(HERE / "software_cuda.c")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-w", "-o", str(library), source, "-ldl"], check=True
    )

    def call(code):
        path = os.pathsep.join([str(folder), os.environ.get("LD_LIBRARY_PATH", "")])
        environment = os.environ | {"LD_LIBRARY_PATH": path}
        done = subprocess.run(
            [sys.executable, "-c", HEAD + code],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_the_driver_is_asked_in_its_own_types(run):
    code = "from caer_ros.engines.trt.device import probe_device; print(probe_device())"
    assert run(code).startswith("Software, compute capability 75.76, driver ")
    assert run(code).endswith(", CUDA 12.6, 1.0 GiB\n")


def test_graphs_by_ctypes_record_replay_and_are_given_back(run):
    code = """
import numpy as np
from caer_ros.engines.trt.driver_graph import capture
cuda = ctypes.CDLL("libcuda.so.1")
cuda.cuCtxPushCurrent_v2(None)
a, b = np.arange(4, dtype=np.uint8), np.zeros(4, np.uint8)
def work():
    cuda.cuMemcpyHtoDAsync_v2(
        ctypes.c_ulonglong(b.ctypes.data), ctypes.c_void_p(a.ctypes.data), ctypes.c_size_t(4), None
    )
graph = capture(32, work)
print(b.tolist())
graph.launch()
print(b.tolist())
graph.close()
def fails():
    raise EngineError("no")
try:
    capture(32, fails)
except EngineError as error:
    print(error, live())
capture(32, work).close()
print(live())
"""
    assert run(code) == "[0, 0, 0, 0]\n[0, 1, 2, 3]\nno 0\n0\n"


@pytest.fixture
def cuda_bindings():
    return pytest.importorskip("cuda.bindings.driver")


def test_cuda_bindings_copy_record_and_give_everything_back(run, cuda_bindings):
    code = """
from caer_ros.engines.trt.cuda import open_cuda
cuda = open_cuda("cuda-bindings")
with cuda.active():
    a, b, device = cuda.pinned(4), cuda.pinned(4), cuda.device(4)
    a[:], b[:] = range(4), 0
    def there_and_back():
        cuda.upload(device, a)
        cuda.download(b, device)
    there_and_back()
    cuda.synchronize()
    print(b.tolist())
    graph = cuda.capture(there_and_back)
    a[:] = 7
    print(b.tolist())
    graph.launch()
    cuda.synchronize()
    print(b.tolist())
    graph.close()
    try:
        cuda.device(1 << 50)
    except OutOfMemory as error:
        print("OutOfMemory")
    def fails():
        raise EngineError("no")
    try:
        cuda.capture(fails)
    except EngineError as error:
        print(error)
    cuda.synchronize()
cuda.close()
cuda.close()
print(live())
try:
    cuda.upload(device, a)
except EngineError as error:
    print("EngineError")
"""
    rows = ["[0, 1, 2, 3]", "[0, 1, 2, 3]", "[7, 7, 7, 7]", "OutOfMemory", "no", "0", "EngineError"]
    assert run(code).split("\n")[:-1] == rows


def test_two_engines_in_one_thread_share_the_context(run, cuda_bindings):
    code = """
from caer_ros.engines.trt.cuda import open_cuda
one, two = open_cuda("cuda-bindings"), open_cuda("cuda-bindings")
with one.active():
    one.device(4)
    with two.active():
        two.device(4)
    one.device(4)
one.close()
two.close()
print(live())
"""
    assert run(code) == "0\n"
