#!/usr/bin/env python3
"""Proves the TensorRT back end on this machine: one command for any NVIDIA GPU with TensorRT.

Builds every installed bundle in every precision, runs each engine at every size it was built for
through each CUDA package that is installed, compares with ONNX Runtime, measures, and refuses a
damaged engine. Networks that read whole frames are also built with the resize in front (`caer build
--frame`), compared with the same network behind the CPU's resize, and both are timed from the
camera's frame on. Prints what was seen on which hardware.

Exit code: 0 all agree, 1 something disagrees or fails, 2 no GPU, TensorRT or CUDA package here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from time import perf_counter

import numpy as np

from caer_ros.bundles import Bundle, find_bundle, list_bundles
from caer_ros.core import CaerError, EngineMismatch
from caer_ros.engines import Engine, TensorSpec, open_engine
from caer_ros.engines.trt.builder import BuildOptions
from caer_ros.engines.trt.cache import CachedEngine, EngineCache
from caer_ros.engines.trt.compat import load_tensorrt
from caer_ros.engines.trt.cuda import PACKAGES, installed_package
from caer_ros.engines.trt.device import DeviceMissing, probe_device
from caer_ros.engines.trt.engine import TensorRtEngine
from caer_ros.engines.trt.frame_build import open_frame_engine, provide_frame_engine
from caer_ros.engines.trt.frame_engine import FrameEngine
from caer_ros.engines.trt.frame_format import FrameFormat, FrameLayout
from caer_ros.engines.trt.open import open_tensorrt
from caer_ros.engines.trt.profile import Profile, Range, default_profiles
from caer_ros.engines.trt.provide import provide_engine
from caer_ros.perception.fit_frame import Fit
from caer_ros.perception.frame_layout import bundle_layout

Arrays = dict[str, np.ndarray]

# Largest difference to ONNX Runtime on the same file, as a share of the output's largest value.
TOLERANCE = {"fp32": 1e-3, "fp16": 3e-2, "int8": 1e-1}
# Rows of people change places when two scores are nearly equal: shown, not judged.
_UNJUDGED = {"boxes", "emotions", "vad", "peaks"}
# The two ways to resize differ by one grey level in some pixels, which networks feel.
_FRAME_TOLERANCE = {"fp32": 3e-2, "fp16": 6e-2, "int8": 2e-1}
_REPEATS = 4  # the first run is an ordinary one, the second is recorded, the others are replayed


@dataclass(frozen=True)
class Row:
    """One engine at one size."""

    title: str
    difference: float
    allowed: float
    replayed: bool
    p50_ms: float
    p95_ms: float

    @property
    def good(self) -> bool:
        return self.difference <= self.allowed

    def __str__(self) -> str:
        return (
            f"{self.title:<58} {self.difference:>9.1e} {self.allowed:>8.0e}"
            f" {'graph' if self.replayed else 'eager':>6} {self.p50_ms:>8.2f} {self.p95_ms:>8.2f}"
            f"  {'ok' if self.good else 'DISAGREES'}"
        )


def main() -> int:
    """Verify everything asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bundles", nargs="*", help="names or folders (default: all installed)")
    parser.add_argument(
        "--frame", default="1280x720:bgr8", help="for networks of whole frames (%(default)s)"
    )
    parser.add_argument("--runs", type=int, default=200, help="timed runs (%(default)s)")
    args = parser.parse_args()
    try:
        frame = FrameFormat.parse(args.frame)
        trt = load_tensorrt()
        if not installed_package():
            raise DeviceMissing("Neither pycuda nor cuda-bindings is installed.")
        bundles = [find_bundle(name) for name in args.bundles] or list_bundles()
    except CaerError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{probe_device()}, TensorRT {trt.__version__}")
    print(f"{'what':<58} {'max diff':>9} {'allowed':>8} {'run':>6} {'p50 ms':>8} {'p95 ms':>8}")
    failures = 0
    for bundle in bundles:
        for precision in bundle.precisions():
            try:
                rows = verify(bundle, precision, args.runs)
                for row in chain(rows, verify_frame(bundle, precision, frame, args.runs)):
                    print(row, flush=True)
                    failures += not row.good
            except Exception as error:  # one bundle that fails must not hide the others
                failures += 1
                print(f"{bundle.name} {precision}: FAILED: {type(error).__name__}: {error}")
    print("everything agrees" if not failures else f"{failures} failures")
    return 1 if failures else 0


def verify(bundle: Bundle, precision: str, runs: int) -> Iterator[Row]:
    """Build an engine, run it at all its sizes and damage it."""
    path = bundle.model_file(precision, "tensorrt")
    profiles = default_profiles(bundle.inputs)
    options = BuildOptions(precision, profiles)
    # A folder of its own: in the user's, an engine of other sizes may be newer.
    cache = EngineCache(EngineCache().folder / "verify")
    built = provide_engine(path, options, _say, cache, name=f"{bundle.name}-{precision}")
    opened = 0
    for package in PACKAGES:
        try:
            engine = open_tensorrt(path, cache, package)
        except DeviceMissing:
            continue
        opened += 1
        with engine, open_engine(path, "onnxruntime") as reference:
            for profile in profiles:
                for rows in _row_counts(profile):
                    title = f"{bundle.name} {precision}, {package}, {rows}"
                    yield _compare(engine, reference, rows, title, TOLERANCE[precision], runs)
    if not opened:
        raise DeviceMissing(f"None of {', '.join(PACKAGES)} can be loaded.")
    _refuses_damage(built)


def _row_counts(profile: Profile) -> list[Profile]:
    """The profile's best size, and one row less where it has rows to fill up."""
    best = Profile({name: Range(*[size.best] * 3) for name, size in profile.axes.items()})
    people = profile.axes.get("people")
    if people is None or people.best < 2:
        return [best]
    fewer = Range(*[people.best - 1] * 3)
    return [best, Profile({**best.axes, "people": fewer})]


def _compare(
    engine: TensorRtEngine, reference: Engine, size: Profile, title: str, allowed: float, runs: int
) -> Row:
    worst = 0.0
    for seed in range(_REPEATS):
        arrays = _inputs(engine.inputs, size, seed)
        wanted = reference.run(arrays)
        got = engine.run(arrays)
        for name, array in wanted.items():
            if name not in _UNJUDGED:
                worst = max(worst, _difference(got[name], array))
    p50, p95 = _time(lambda: engine.run(arrays), runs)
    return Row(title, worst, allowed, engine.replays > 0, p50, p95)


def _time(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    times = []
    for _ in range(runs):
        start = perf_counter()
        work()
        times.append((perf_counter() - start) * 1e3)
    p50, p95 = np.percentile(times, [50, 95])
    return float(p50), float(p95)


def verify_frame(bundle: Bundle, precision: str, frame: FrameFormat, runs: int) -> Iterator[Row]:
    """Resize on the GPU and on the CPU, before the same network, from the camera's frame on."""
    if not _reads_frames(bundle):
        return
    path = bundle.model_file(precision, "tensorrt")
    layout = bundle_layout(bundle, frame.width, frame.height)
    cache = EngineCache(EngineCache().folder / "verify")
    name = f"{bundle.name}-{precision}"
    options = BuildOptions(precision, ())
    provide_frame_engine(path, frame, layout, options, _say, cache, name=name)
    package = installed_package()
    image = _image(frame)
    title = f"{bundle.name} {precision}, {frame}, resized by the"
    with open_frame_engine(path, frame, layout, "", cache, package) as resizing:
        on_gpu = FrameEngine(resizing, frame)
        with open_tensorrt(path, cache, package) as ordinary:
            behind_cpu = _BehindCpu(ordinary, frame, layout)
            worst = 0.0
            for _ in range(_REPEATS):
                wanted = behind_cpu.run(image)
                on_gpu.take(image)
                for output, array in on_gpu.run().items():
                    if output not in _UNJUDGED:
                        worst = max(worst, _difference(array, wanted[output]))
            times = _time(lambda: behind_cpu.run(image), runs)
            yield Row(f"{title} CPU", 0.0, 0.0, ordinary.replays > 0, *times)

            def run() -> None:
                on_gpu.take(image)
                on_gpu.run()

            times = _time(run, runs)
            allowed = _FRAME_TOLERANCE[precision]
            yield Row(f"{title} GPU", worst, allowed, resizing.replays > 0, *times)


class _BehindCpu:
    """The ordinary engine, its picture made by cv2 as the robot does it without a frame engine."""

    def __init__(self, engine: Engine, frame: FrameFormat, layout: FrameLayout) -> None:
        self._engine = engine
        self._encoding = frame.encoding
        source = frame.width, frame.height
        sides = layout.width, layout.height
        self._fit = Fit(source, layout.inner, layout.left, layout.top, *sides)
        self._bgr = layout.bgr
        self._picture = np.zeros((1, layout.height, layout.width, 3), np.uint8)

    def run(self, image: np.ndarray) -> Mapping[str, np.ndarray]:
        """All outputs for a frame."""
        self._fit.apply(image, self._encoding, self._picture[0])
        if self._bgr:
            self._picture[0] = self._picture[0, :, :, ::-1].copy()
        (name,) = self._engine.inputs
        return self._engine.run({name: self._picture})


def _reads_frames(bundle: Bundle) -> bool:
    return bundle.task == "face_detection" or "short_side" in bundle.inputs.get("images", {})


def _image(frame: FrameFormat) -> np.ndarray:
    """A soft random frame, as a camera gives it; see _inputs."""
    _, height, width, channels = frame.shape
    cells = np.random.default_rng(0).integers(0, 256, (7, 9, channels), np.uint8)
    image = cells[np.arange(height) * 7 // height][:, np.arange(width) * 9 // width]
    return np.ascontiguousarray(image[:, :, 0] if channels == 1 else image)


def _difference(got: np.ndarray, wanted: np.ndarray) -> float:
    """NaN and another shape count as infinitely different; rows that are sorted stay sorted."""
    if got.shape != wanted.shape or not np.isfinite(got).all():
        return float("inf")
    scale = max(float(np.abs(wanted).max(initial=0)), 1e-6)
    return float(np.abs(got - wanted).max(initial=0)) / scale


def _inputs(specs: Mapping[str, TensorSpec], size: Profile, seed: int) -> Arrays:
    """Soft random pictures: noise of a few cells, enlarged, as networks expect no white noise."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, spec in specs.items():
        shape, _, _ = size.shapes(name, spec)
        if spec.dtype != np.uint8:
            arrays[name] = np.zeros(shape, spec.dtype)
            continue
        if len(shape) < 3:
            arrays[name] = rng.integers(0, 256, shape, np.uint8)
            continue
        cells = rng.integers(0, 256, [*shape[:-3], 7, 9, 3], np.uint8)
        rows = np.arange(shape[-3]) * 7 // shape[-3]
        columns = np.arange(shape[-2]) * 9 // shape[-2]
        arrays[name] = np.ascontiguousarray(cells[..., rows, :, :][..., columns, :])
    return arrays


def _refuses_damage(built: CachedEngine) -> None:
    whole = built.path.read_bytes()
    try:
        built.path.write_bytes(whole[: len(whole) // 2])
        built.read()
    except EngineMismatch:
        return
    finally:
        built.path.write_bytes(whole)
    raise CaerError("A truncated engine was not refused.")


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
