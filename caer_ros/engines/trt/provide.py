"""The engine of an ONNX file for this machine: out of the cache, or built into it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from caer_ros.engines.trt.builder import BuildOptions, build_plan
from caer_ros.engines.trt.cache import Built, CachedEngine, EngineCache, Say
from caer_ros.engines.trt.compat import Trt, load_tensorrt
from caer_ros.engines.trt.device import probe_device
from caer_ros.engines.trt.key import EngineKey, Machine, SideFile
from caer_ros.engines.trt.onnx_graph import read_graph
from caer_ros.engines.trt.profile import join_profiles


def provide_engine(
    path: Path,
    options: BuildOptions,
    say: Say = lambda line: None,
    cache: EngineCache | None = None,
    anew: bool = False,
    name: str = "",
) -> CachedEngine:
    """Build the engine of an ONNX file, unless it is there and whole.

    Args:
        say: gets a line every few seconds.
        cache: None: the user's.
        anew: build even where it is there.
        name: what its file begins with; empty takes the names of folder and file.

    Raises:
        DeviceMissing: no GPU, or no TensorRT.
        EngineBuildError: it can not be read, built or written.
        OutOfMemory: the build needs more memory than there is.
    """
    device = probe_device()
    trt = load_tensorrt()
    key = engine_key(path, options, Machine.here(device, trt.__version__), name)
    return (cache or EngineCache()).build_once(key, builder(trt, path, key, options), say, anew)


def engine_key(path: Path, options: BuildOptions, machine: Machine, name: str = "") -> EngineKey:
    """The key under which an engine is kept."""
    return EngineKey(
        name=name or f"{path.resolve().parent.name}-{path.stem}",
        onnx_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        machine=machine,
        precision=options.precision,
        profile=join_profiles(options.profiles),
        options=str(options),
    )


def builder(
    trt: Trt, path: Path, key: EngineKey, options: BuildOptions
) -> Callable[[bytes, Say], Built]:
    """What EngineCache.build_once calls."""

    def build(timing_cache: bytes, say: Say) -> Built:
        start = time.monotonic()
        graph = read_graph(path)
        plan = build_plan(trt, graph, options, timing_cache, say)
        side = SideFile(
            key=key,
            engine_sha256=hashlib.sha256(plan.engine).hexdigest(),
            size=len(plan.engine),
            seconds=round(time.monotonic() - start, 1),
            inputs=graph.inputs,
            outputs=graph.outputs,
        )
        return Built(plan.engine, side, plan.timing_cache)

    return build
