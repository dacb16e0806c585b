"""A fake TensorRT and a fake CUDA, for the order of calls only; what they compute proves nothing.

The fake TensorRT of a version has exactly the names that the real bindings of that version have,
as far as tensorrt_names.json lists them: code that uses another one fails here.
"""

from __future__ import annotations

import json
import weakref
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from caer_ros.core import EngineError
from caer_ros.engines.base import TensorSpec
from caer_ros.engines.trt.key import EngineKey, Machine, SideFile

HERE = Path(__file__).resolve().parent
NAMES = json.loads((HERE / "tensorrt_names.json").read_text())

ORIN = Machine("10.3.0", "12.6", "Orin", "8.7", "540.4.0")
INPUTS = {
    "face": TensorSpec(np.dtype(np.uint8), ("people", 3)),
    "scene": TensorSpec(np.dtype(np.int64), ("people",)),
    "context": TensorSpec(np.dtype(np.uint8), ("scenes", 3)),
}
OUTPUTS = {
    "logits": TensorSpec(np.dtype(np.float32), ("people", 3)),
    "attention": TensorSpec(np.dtype(np.float32), ("scenes", 3)),
}


@pytest.fixture(scope="session")
def names():
    """The table of TensorRT's names by version."""
    return NAMES


@pytest.fixture
def side_for():
    """side_for(plan, **changes of the key): the side file of an engine."""

    def make(plan=b"plan", seconds=1.0, **changes):
        import hashlib

        parts = {
            "name": "caer_net_s-int8",
            "onnx_sha256": "0" * 64,
            "machine": ORIN,
            "precision": "int8",
            "profile": "people=1,scenes=1",
        }
        sha256 = hashlib.sha256(plan).hexdigest()
        return SideFile(EngineKey(**(parts | changes)), sha256, len(plan), seconds, INPUTS, OUTPUTS)

    return make


@pytest.fixture
def orin():
    return ORIN


@pytest.fixture(params=["8.6.1", "10.3.0", "10.16.1", "11.4.0"])
def trt(request):
    """The fake tensorrt package, in four versions."""
    return fake_tensorrt(request.param)


@pytest.fixture
def trt10():
    """The fake tensorrt package of JetPack 6."""
    return fake_tensorrt("10.3.0")


@pytest.fixture
def cuda():
    """The fake GPU."""
    return FakeCuda()


class FakeCuda:
    """A stream that does nothing before it is waited for, and memory by address."""

    name = "fake"
    stream = 77

    def __init__(self):
        self.memory, self.queue, self.recording = {}, [], None
        self.depth = self.allocations = self.graphs = 0
        self.log, self.can_record, self.closed = [], True, False

    @contextmanager
    def active(self):
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def pinned(self, size):
        self._must_be_active()
        self.allocations += 1
        return np.zeros(size, np.uint8)

    def device(self, size):
        self._must_be_active()
        self.allocations += 1
        address = 4096 * (len(self.memory) + 1)
        self.memory[address] = np.zeros(size, np.uint8)
        return address

    def upload(self, target, source):
        self.do(lambda: _copy(self.memory[target], source))

    def download(self, target, source):
        self.do(lambda: _copy(target, self.memory[source]))

    def do(self, work):
        self._must_be_active()
        (self.queue if self.recording is None else self.recording).append(work)

    def synchronize(self):
        self._must_be_active()
        assert self.recording is None
        for work in self.queue:
            work()
        self.queue.clear()

    def capture(self, work):
        self.recording = []
        try:
            work()
            if not self.can_record:
                raise EngineError("CUDA fails: can not be recorded")
            return FakeGraph(self, self.recording)
        finally:
            self.recording = None

    def close(self):
        self.closed = True
        self.log.append("memory")

    def _must_be_active(self):
        assert self.depth > 0, "outside of `with cuda.active()`"


class FakeGraph:
    def __init__(self, cuda, work):
        self.cuda, self.work = cuda, work
        cuda.graphs += 1

    def launch(self):
        self.cuda.queue.extend(self.work)

    def close(self):
        self.cuda.log.append("graph")


def _copy(target, source):
    raw = source.reshape(-1).view(np.uint8)
    size = min(raw.size, target.nbytes)
    target.reshape(-1).view(np.uint8)[:size] = raw[:size]


def fake_tensorrt(version):
    known = set(NAMES["everywhere"])
    known |= {name for name, found in NAMES["partly"].items() if version in found}

    class Only:
        """Has no names but those that the real class has in this version."""

        def __getattribute__(self, name):
            _check(type(self).__name__, name)
            return super().__getattribute__(name)

        def __setattr__(self, name, value):
            _check(type(self).__name__, name)
            super().__setattr__(name, value)

    def _check(owner, name):
        if not name.startswith("_") and f"{owner}.{name}" not in known:
            raise AttributeError(f"TensorRT {version} has no {owner}.{name}")

    def enum(owner):
        members = [n.split(".")[-1] for n in known if n.startswith(f"{owner}.") and n != owner]
        kinds = {name: Member(name) for name in members if name != "Severity"}
        return SimpleNamespace(**kinds)

    trt = SimpleNamespace(__version__=version, fake=SimpleNamespace(configs=[], cuda=None))
    for owner in (
        "NetworkDefinitionCreationFlag",
        "BuilderFlag",
        "MemoryPoolType",
        "DeviceType",
        "HardwareCompatibilityLevel",
        "OnnxParserFlag",
        "TensorLocation",
        "DataType",
    ):
        setattr(trt, owner, enum(owner))

    class ILogger:
        Severity = SimpleNamespace(ERROR="error", INTERNAL_ERROR="internal error")

    trt.ILogger = ILogger
    if "IProgressMonitor" in known:
        trt.IProgressMonitor = type("IProgressMonitor", (), {"__init__": lambda self: None})

    class ITimingCache(Only):
        def __init__(self, data):
            self._data = data

        def serialize(self):
            return self._data + b"+measured"

    class IBuilderConfig(Only):
        DLA_core = -1
        default_device_type = hardware_compatibility_level = progress_monitor = None

        def __init__(self):
            self._flags, self._limits, self._profiles = {"TF32"}, {}, []
            trt.fake.configs.append(self)

        def set_flag(self, flag):
            self._flags.add(flag.name)

        def clear_flag(self, flag):
            self._flags.remove(flag.name)

        def set_memory_pool_limit(self, pool, size):
            self._limits[pool.name] = size

        def create_timing_cache(self, data):
            return ITimingCache(data)

        def set_timing_cache(self, cache, ignore_mismatch):
            assert not ignore_mismatch
            self._cache = cache
            return cache._data != b"foreign"

        def add_optimization_profile(self, profile):
            self._profiles.append(profile._shapes)
            return len(self._profiles) - 1

    class IOptimizationProfile(Only):
        def __init__(self):
            self._shapes = {}

        def set_shape(self, name, least, best, most):
            self._shapes[name] = (least, best, most)

    class Builder(Only):
        num_DLA_cores = 2

        def __init__(self, log):
            self._log = log

        def create_network(self, flags):
            return SimpleNamespace(flags=flags)

        def create_builder_config(self):
            return IBuilderConfig()

        def create_optimization_profile(self):
            return IOptimizationProfile()

        def build_serialized_network(self, network, config):
            config._network_flags = network.flags
            monitor = object.__getattribute__(config, "progress_monitor")
            if monitor is not None:
                monitor.phase_start("Building engine", None, 3)
                for step in range(3):
                    if not monitor.step_complete("Building engine", step):
                        return None
                monitor.phase_finish("Building engine")
            if trt.fake.failure:
                self._log.log("error", trt.fake.failure)
                return None
            return b"plan of " + network.model

    class OnnxParser(Only):
        num_errors = 1

        def __init__(self, network, log):
            self._network = network

        def set_flag(self, flag):
            self._flag = flag.name

        def parse(self, data):
            self._network.model = data[:4]
            return data != b"bad"

        def get_error(self, index):
            return "In node 3: INVALID_NODE"

    trt.fake.failure, trt.fake.location = "", "DEVICE"
    trt.Builder, trt.OnnxParser = Builder, OnnxParser
    _add_runtime(trt, Only)
    return trt


class Member:
    """Of an enumeration; its number is the length of its name, which is enough here."""

    def __init__(self, name):
        self.name = name

    def __int__(self):
        return len(self.name)

    def __repr__(self):
        return self.name


def _add_runtime(trt, only):
    int64 = "INT64" if hasattr(trt.DataType, "INT64") else "INT32"
    kinds = {"face": "UINT8", "scene": int64, "context": "UINT8"}
    kinds |= {"logits": "FLOAT", "attention": "FLOAT"}
    arrays = {"UINT8": np.uint8, "INT32": np.int32, "INT64": np.int64, "FLOAT": np.float32}

    class IExecutionContext(only):
        """Computes logits = 2 face + context[scene] and attention = context."""

        def __init__(self):
            self._shapes, self._addresses, self._profile = {}, {}, 0

        def set_optimization_profile_async(self, index, stream):
            assert stream == FakeCuda.stream
            self._profile = index
            return True

        def set_input_shape(self, name, shape):
            least, _, most = trt.fake.profiles[self._profile][name]
            fits = all(a <= b <= c for a, b, c in zip(least, shape, most, strict=True))
            if fits:
                self._shapes[name] = tuple(shape)
            return fits

        def get_tensor_shape(self, name):
            like = {"logits": "face", "attention": "context"}.get(name, name)
            return self._shapes[like]

        def set_tensor_address(self, name, address):
            self._addresses[name] = address
            return True

        def execute_async_v3(self, stream):
            assert stream == FakeCuda.stream
            shapes = {name: self.get_tensor_shape(name) for name in kinds}
            addresses = dict(self._addresses)
            trt.fake.cuda.do(lambda: compute(shapes, addresses))
            return not trt.fake.failure

    def compute(shapes, addresses):
        def tensor(name):
            dtype = np.dtype(arrays[kinds[name]])
            size = int(np.prod(shapes[name])) * dtype.itemsize
            return trt.fake.cuda.memory[addresses[name]][:size].view(dtype).reshape(shapes[name])

        context = tensor("context").astype(np.float32)
        tensor("logits")[:] = 2.0 * tensor("face") + context[tensor("scene")]
        tensor("attention")[:] = context

    class ICudaEngine(only):
        num_io_tensors = len(kinds)

        @property
        def num_optimization_profiles(self):
            return len(trt.fake.profiles)

        def get_tensor_name(self, index):
            return list(kinds)[index]

        def get_tensor_dtype(self, name):
            return getattr(trt.DataType, kinds[name])

        def get_tensor_location(self, name):
            return getattr(trt.TensorLocation, trt.fake.location)

        def get_tensor_profile_shape(self, name, index):
            return list(trt.fake.profiles[index][name])

        def create_execution_context(self):
            context = IExecutionContext()
            weakref.finalize(context, trt.fake.cuda.log.append, "context")
            return context

    class Runtime(only):
        DLA_core = -1

        def __init__(self, log):
            self._log = log

        def deserialize_cuda_engine(self, plan):
            if plan == b"refused":
                self._log.log("error", "Serialization assertion failed")
                return None
            engine = ICudaEngine()
            weakref.finalize(engine, trt.fake.cuda.log.append, "engine")
            return engine

    trt.Runtime = Runtime
