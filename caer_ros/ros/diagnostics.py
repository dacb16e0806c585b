"""What /diagnostics says of the node: input, frames, latency, model. Builds, never publishes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from caer_ros.ros.worker import Counts

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
# One bad frame is noise, this many in a row are a fault.
_FAULT = 3


@dataclass(frozen=True)
class Health:
    """One look at the node. Times in seconds, rates a second, NaN where nothing was measured.

    Attributes:
        state: `unconfigured`, `inactive` or `active`.
        trouble: why the node could not be configured; empty where that is not so.
        topic: of the images, resolved.
        silent_for: since the last image.
        stale_after: silence that is worth a warning.
        silence: why no image may arrive.
        latency: p50 and p95 from the camera's stamp to publishing.
        stages: p50 and p95 by stage of the pipeline.
        about: what Pipeline.describe() says.
        notice: what the model's bundle has to say before use.
    """

    state: str
    trouble: str = ""
    topic: str = ""
    input_rate: float = 0.0
    output_rate: float = 0.0
    silent_for: float = 0.0
    stale_after: float = math.inf
    silence: str = ""
    counts: Counts = field(default_factory=Counts)
    people: int = 0
    overlays: int = 0
    latency: tuple[float, float] = (math.nan, math.nan)
    stages: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""


def statuses(node: str, health: Health) -> list[DiagnosticStatus]:
    """The parts of the node's health, named `<node>: <part>` (REP 107)."""
    parts = {
        "input": _input(health),
        "frames": _frames(health),
        "latency": _latency(health),
        "model": _model(health),
    }
    return [
        DiagnosticStatus(
            level=level,
            name=f"{node}: {part}",
            message=message,
            hardware_id="caer_ros",
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        for part, (level, message, values) in parts.items()
    ]


_Part = tuple[bytes, str, dict[str, str]]


def _input(health: Health) -> _Part:
    values = {
        "topic": health.topic,
        "rate [Hz]": f"{health.input_rate:.1f}",
        "seconds since the last image": f"{health.silent_for:.1f}",
    }
    if health.state != "active":
        return OK, f"not listening, the node is {health.state}", values
    if health.silent_for > health.stale_after:
        return WARN, f"no image for {health.silent_for:.0f} s: {health.silence}", values
    return OK, f"{health.input_rate:.1f} images a second on {health.topic}", values


def _frames(health: Health) -> _Part:
    counts = health.counts
    values = {
        "rate [Hz]": f"{health.output_rate:.1f}",
        "in": str(counts.received),
        "out": str(counts.processed),
        "dropped": str(counts.dropped),
        "failed": str(counts.failed),
        "people in the last frame": str(health.people),
        "overlays drawn": str(health.overlays),
        "last error": counts.last_error,
    }
    if counts.failed_in_a_row >= _FAULT:
        message = f"the last {counts.failed_in_a_row} frames failed: {counts.last_error}"
        return ERROR, message, values
    if counts.failed_in_a_row:
        return WARN, f"the last frame failed: {counts.last_error}", values
    return OK, f"{health.output_rate:.1f} frames a second", values


def _latency(health: Health) -> _Part:
    rows = {"camera to publish": health.latency, **health.stages}
    values = {}
    for name, (half, most) in rows.items():
        values[f"{name} p50 [ms]"] = _milliseconds(half)
        values[f"{name} p95 [ms]"] = _milliseconds(most)
    if math.isnan(health.latency[0]):
        return OK, "nothing measured yet", values
    half, most = health.latency
    return OK, f"{_milliseconds(half)} ms, at most {_milliseconds(most)} ms for 95 %", values


def _model(health: Health) -> _Part:
    values = {"state": health.state, **health.about}
    if health.notice:
        values["notice"] = health.notice
    if health.trouble:
        return ERROR, f"not configured: {health.trouble}", values
    if health.state == "unconfigured":
        return OK, "not configured", values
    name = f"{health.about.get('model', '')}, {health.about.get('precision', '')}"
    if health.about.get("demonstration") == "yes":
        return WARN, f"{name}: a demonstration, not for decisions about people", values
    return OK, name, values


def _milliseconds(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"{seconds * 1000:.1f}"
