"""Turns an ONNX file into a TensorRT plan, telling all the while how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from caer_ros.core import EngineBuildError, OutOfMemory
from caer_ros.engines.trt import compat
from caer_ros.engines.trt.callbacks import make_logger, watch_progress
from caer_ros.engines.trt.compat import Trt
from caer_ros.engines.trt.onnx_graph import OnnxGraph
from caer_ros.engines.trt.profile import Profile

_TELL_EVERY_S = 2.0
_STOP_WITHIN_S = 30.0


@dataclass(frozen=True)
class BuildOptions:
    """How to build.

    Attributes:
        precision: what the ONNX file computes in: fp32, fp16 or int8.
        profiles: at least one.
        workspace: MiB that one layer may use; 0 leaves it to TensorRT, which takes what is free.
        dla: core to put layers on, -1: the GPU alone.
        portable: also for other GPUs of compute capability 8.0 and newer; slower.
    """

    precision: str
    profiles: Sequence[Profile]
    workspace: int = 0
    dla: int = -1
    portable: bool = False

    def __str__(self) -> str:
        """What of this goes into the engine's key beside precision and profiles."""
        parts = [f"workspace={self.workspace}"] if self.workspace else []
        parts += [f"dla={self.dla}"] if self.dla >= 0 else []
        parts += ["portable"] if self.portable else []
        return " ".join(parts)


@dataclass
class Plan:
    """A serialised engine, and the timing cache for the next build."""

    engine: bytes
    timing_cache: bytes = b""


@dataclass
class _Progress:
    """Written by the building thread, read by the one that waits for it."""

    where: str = "starting"
    stop: bool = False
    plan: Plan | None = None
    error: BaseException | None = None
    kept: list[Any] = field(default_factory=list)

    def tell(self, where: str) -> None:
        self.where = where


def build_plan(
    trt: Trt,
    graph: OnnxGraph,
    options: BuildOptions,
    timing_cache: bytes = b"",
    say: Callable[[str], None] = lambda line: None,
    adjust: Callable[[Any], None] = lambda config: None,
    logger: Any = None,
) -> Plan:
    """Build in a thread of its own, so that Ctrl-C ends it between two steps, in Python's hands.

    Args:
        trt: the tensorrt package.
        timing_cache: of earlier builds on this machine; may be empty.
        say: gets a line about every two seconds.
        adjust: sets what else the caller wants on the builder's configuration.
        logger: made by callbacks.make_logger, where the caller wants to read it.

    Raises:
        EngineBuildError: the file can not be parsed or built.
        OutOfMemory: the build needs more memory than there is.
    """
    progress = _Progress()
    log = logger or make_logger(trt)

    def work() -> None:
        try:
            progress.plan = _build(trt, graph, options, timing_cache, progress, adjust, log)
        except BaseException as error:
            progress.error = error

    # A daemon: TensorRT 8.6 can not be stopped, and must not keep an interrupted process alive.
    thread = threading.Thread(target=work, name="tensorrt_build", daemon=True)
    start = time.monotonic()
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_TELL_EVERY_S)
            if thread.is_alive():
                say(f"{progress.where} ({time.monotonic() - start:.0f} s)")
    except BaseException:
        progress.stop = True
        thread.join(_STOP_WITHIN_S)
        raise
    if progress.error is not None:
        raise progress.error
    assert progress.plan is not None
    return progress.plan


def _build(
    trt: Trt,
    graph: OnnxGraph,
    options: BuildOptions,
    timing_cache: bytes,
    progress: _Progress,
    adjust: Callable[[Any], None],
    log: Any,
) -> Plan:
    builder = trt.Builder(log)
    network = builder.create_network(compat.network_flags(trt))
    config = builder.create_builder_config()
    parser = trt.OnnxParser(network, log)
    compat.allow_precisions(
        trt, config, graph.quantized, graph.half, tf32=options.precision != "fp32"
    )
    if options.workspace:
        compat.limit_workspace(trt, config, options.workspace)
    if options.dla >= 0:
        compat.use_dla(trt, builder, parser, config, options.dla)
    if options.portable:
        compat.make_portable(trt, config)
    adjust(config)
    progress.tell("parsing")
    _parse(parser, graph, log)
    for profile in options.profiles:
        _add_profile(builder, config, graph, profile)
    cache = compat.attach_timing_cache(config, timing_cache)
    monitor = watch_progress(trt, config, progress.tell, lambda: not progress.stop)
    progress.tell("building")
    plan = builder.build_serialized_network(network, config)
    del monitor
    if plan is None:
        raise _failure(graph, log, options.workspace)
    return Plan(bytes(plan), bytes(cache.serialize()))


def _parse(parser: Any, graph: OnnxGraph, log: Any) -> None:
    if parser.parse(graph.data):
        return
    reasons = [str(parser.get_error(i)) for i in range(parser.num_errors)]
    reason = " ".join(reasons[0].split()) if reasons else log.last_error()
    raise EngineBuildError(
        f"TensorRT can not read {graph.path}: {reason}", "Use another backend for this model."
    )


def _add_profile(builder: Any, config: Any, graph: OnnxGraph, profile: Profile) -> None:
    made = builder.create_optimization_profile()
    for name, spec in graph.inputs.items():
        made.set_shape(name, *profile.shapes(name, spec))
    if config.add_optimization_profile(made) < 0:
        raise EngineBuildError(
            f"TensorRT refuses the profile '{profile}' for {graph.path}.",
            "Give other sizes with --profile.",
        )


def _failure(graph: OnnxGraph, log: Any, workspace: int) -> EngineBuildError | OutOfMemory:
    reason = log.last_error()
    if "memory" in reason.lower() and "out of" in reason.lower():
        return OutOfMemory(
            f"Too little memory to build {graph.path}: {reason}",
            "Close other programs, or limit the builder with --workspace MIB"
            + (f" (it was {workspace})." if workspace else "."),
        )
    return EngineBuildError(
        f"TensorRT can not build {graph.path}: {reason}",
        "Use another precision or backend for this model, or another --profile.",
    )
