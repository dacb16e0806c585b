"""The whole path on a real GPU; `scripts/verify_on_gpu.py` does the same for every bundle."""

import threading

import numpy as np
import pytest

from caer_ros.bundles import find_bundle
from caer_ros.core import EngineError, EngineMismatch
from caer_ros.engines import open_engine
from caer_ros.engines.trt.cache import EngineCache
from caer_ros.engines.trt.cuda import PACKAGES
from caer_ros.engines.trt.device import DeviceMissing

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def trt():
    from caer_ros.engines.trt.compat import load_tensorrt

    try:
        return load_tensorrt()
    except DeviceMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def built(trt, tmp_path_factory):
    """CAER-Net-S for one and four people, in FP32: its ONNX file and the cache it is in."""
    from caer_ros.engines.trt.builder import BuildOptions
    from caer_ros.engines.trt.profile import parse_profile
    from caer_ros.engines.trt.provide import provide_engine

    path = find_bundle("caer_net_s").model_file("fp32", "tensorrt")
    cache = EngineCache(tmp_path_factory.mktemp("engines"))
    profiles = [parse_profile(f"people={people},scenes=1") for people in (1, 4)]
    provide_engine(path, BuildOptions("fp32", profiles), print, cache)
    return path, cache


@pytest.fixture(params=PACKAGES)
def engine(built, request):
    """The engine, through each CUDA package that is installed."""
    from caer_ros.engines.trt.open import open_tensorrt

    try:
        opened = open_tensorrt(*built, request.param)
    except DeviceMissing as error:
        pytest.skip(str(error))
    with opened:
        yield opened


def _arrays(people, seed):
    rng = np.random.default_rng(seed)
    return {
        "face": rng.integers(0, 256, (people, 96, 96, 3), np.uint8),
        "context": rng.integers(0, 256, (1, 224, 224, 3), np.uint8),
        "scene": np.zeros(people, np.int64),
    }


def test_it_computes_what_onnx_runtime_computes_with_and_without_graphs(engine, built):
    with open_engine(built[0], "onnxruntime") as reference:
        for seed, people in enumerate((1, 1, 1, 4, 3, 2, 1, 4)):
            arrays = _arrays(people, seed)
            got, wanted = engine.run(arrays), reference.run(arrays)
            for name, array in wanted.items():
                assert got[name].shape == array.shape
                assert np.abs(got[name] - array).max() < 2e-3, (people, name)
    assert engine.replays


def test_another_thread_is_refused(engine):
    caught = []

    def elsewhere():
        with pytest.raises(EngineError, match="another thread"):
            engine.run(_arrays(1, 0))
        caught.append(True)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert caught


def test_opening_and_closing_leaks_no_memory_on_the_gpu(built):
    from caer_ros.engines.trt.open import open_tensorrt

    runtime = pytest.importorskip("cuda.bindings.runtime")
    free = []
    for _ in range(4):
        with open_tensorrt(*built) as engine:
            engine.run(_arrays(1, 0))
        free.append(runtime.cudaMemGetInfo()[1])
    assert free[1] - free[-1] < 8 << 20


def test_a_damaged_engine_is_refused_before_tensorrt_sees_it(built):
    from caer_ros.engines.trt.open import open_tensorrt

    path, cache = built
    (file,) = cache.folder.glob("*.engine")
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(EngineMismatch, match="damaged"):
            open_tensorrt(path, cache)
    finally:
        file.write_bytes(whole)
