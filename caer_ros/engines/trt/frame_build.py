"""Engines with a frame in front: built into the cache, found there and loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from caer_ros.engines.trt.builder import BuildOptions
from caer_ros.engines.trt.cache import Built, CachedEngine, EngineCache, Say
from caer_ros.engines.trt.compat import load_tensorrt
from caer_ros.engines.trt.cuda import open_cuda
from caer_ros.engines.trt.device import probe_device
from caer_ros.engines.trt.engine import TensorRtEngine
from caer_ros.engines.trt.frame_engine import FrameEngines
from caer_ros.engines.trt.frame_format import FrameFormat, FrameLayout, frame_identity
from caer_ros.engines.trt.frame_graph import frame_model
from caer_ros.engines.trt.key import EngineKey, Machine
from caer_ros.engines.trt.open import build_command
from caer_ros.engines.trt.profile import Profile
from caer_ros.engines.trt.provide import builder, engine_key


def frame_engines(path: Path, backend: str) -> FrameEngines | None:
    """Those of an ONNX file; None for back ends other than tensorrt, which have none."""
    if backend != "tensorrt":
        return None
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return FrameEngines(lambda frame, layout: open_frame_engine(path, frame, layout, sha256))


def open_frame_engine(
    path: Path,
    frame: FrameFormat,
    layout: FrameLayout,
    sha256: str = "",
    cache: EngineCache | None = None,
    package: str = "",
) -> TensorRtEngine:
    """Load the engine that was built for an ONNX file and a frame.

    Args:
        sha256: of the file; empty reads it.
        package: pycuda or cuda-bindings; empty takes what is installed.

    Raises:
        DeviceMissing, EngineMismatch: see open_tensorrt.
    """
    device = probe_device()
    trt = load_tensorrt()
    identity = frame_identity(sha256 or _sha256(path), frame, layout)
    command = f"{build_command(path)} --frame {frame}"
    here = Machine.here(device, trt.__version__)
    found = (cache or EngineCache()).find(identity, here, command)
    return TensorRtEngine(trt, found.read(), found.side, open_cuda(package), command)


def provide_frame_engine(
    path: Path,
    frame: FrameFormat,
    layout: FrameLayout,
    options: BuildOptions,
    say: Say = lambda line: None,
    cache: EngineCache | None = None,
    anew: bool = False,
    name: str = "",
) -> CachedEngine:
    """Build the engine of an ONNX file and a frame, unless it is there and whole.

    Args:
        options: its profiles do not matter: every size is fixed.
        name, say, cache, anew: see provide_engine.

    Raises:
        InputError: the network reads something else than one picture.
        DeviceMissing, EngineBuildError, OutOfMemory: see provide_engine.
    """
    device = probe_device()
    trt = load_tensorrt()
    options = replace(options, profiles=[Profile({})])
    key = _key(path, frame, layout, options, Machine.here(device, trt.__version__), name)

    def build(timing_cache: bytes, tell: Say) -> Built:
        with frame_file(path, frame, layout) as with_frame:
            return builder(trt, with_frame, key, options)(timing_cache, tell)

    return (cache or EngineCache()).build_once(key, build, say, anew)


@contextmanager
def frame_file(path: Path, frame: FrameFormat, layout: FrameLayout) -> Iterator[Path]:
    """The ONNX file with the frame in front, in a temporary folder that goes with it."""
    with TemporaryDirectory(prefix="caer_frame_") as folder:
        made = Path(folder) / path.name
        made.write_bytes(frame_model(path, frame, layout))
        yield made


def _key(
    path: Path,
    frame: FrameFormat,
    layout: FrameLayout,
    options: BuildOptions,
    machine: Machine,
    name: str,
) -> EngineKey:
    key = engine_key(path, options, machine, name)
    return replace(
        key,
        name=f"{key.name}-{str(frame).replace(':', '-')}",
        onnx_sha256=frame_identity(key.onnx_sha256, frame, layout),
        options=" ".join(filter(None, [key.options, f"frame={frame}"])),
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
