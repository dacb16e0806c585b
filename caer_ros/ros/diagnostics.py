"""What /diagnostics says of the node, part by part. Builds messages, never publishes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from caer_ros.ros.health import CameraHealth, Health, Thresholds
from caer_ros.ros.machine import DEGREES

__all__ = ["CameraHealth", "Health", "Thresholds", "statuses"]

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
# One bad frame is noise, this many in a row are a fault.
_FAULT = 3
# A camera that is silent for this many times the threshold is a fault.
_SILENT = 5
# Nobody waits so long for an answer: stamps further away are of another clock. In seconds.
_OTHER_CLOCK_S = 3600.0
# Stamps further ahead than this are no jitter. In seconds.
_AHEAD_S = 0.1

# What is to be said, with its level; of several the worst level counts and all are said.
_Line = tuple[bytes, str]
_Part = tuple[Sequence[_Line], dict[str, str]]


def statuses(node: str, health: Health) -> list[DiagnosticStatus]:
    """The parts of the node's health, named `<node>: <part>` (REP 107).

    Parts of a camera that has a name end with it: `<node>: input front`.
    """
    parts: dict[str, _Part] = {}
    for camera in health.cameras or (CameraHealth(),):
        name = f" {camera.name}" if camera.name else ""
        parts[f"input{name}"] = _input(health, camera)
        parts[f"frames{name}"] = _frames(health, camera)
        parts[f"latency{name}"] = _latency(health, camera)
    parts["model"] = _model(health)
    parts["machine"] = _machine(health)
    return [
        DiagnosticStatus(
            level=max(level for level, _ in lines),
            name=f"{node}: {part}",
            message="; ".join(text for _, text in lines),
            hardware_id="caer_ros",
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        for part, (lines, values) in parts.items()
    ]


def _input(health: Health, camera: CameraHealth) -> _Part:
    values = {
        "topic": camera.topic,
        "rate [Hz]": f"{camera.input_rate:.1f}",
        "seconds since the last image": f"{camera.silent_for:.1f}",
    }
    stale = health.thresholds.stale_after_s
    if health.state != "active":
        return [(OK, f"not listening, the node is {health.state}")], values
    if camera.silent_for > stale:
        level = ERROR if camera.silent_for > _SILENT * stale else WARN
        return [(level, f"no image for {camera.silent_for:.0f} s: {camera.silence}")], values
    return [(OK, f"{camera.input_rate:.1f} images a second on {camera.topic}")], values


def _frames(health: Health, camera: CameraHealth) -> _Part:
    counts, least = camera.counts, health.thresholds.min_rate_hz
    values = {
        "rate [Hz]": f"{camera.output_rate:.1f}",
        "in": str(counts.received),
        "out": str(counts.processed),
        "dropped": str(counts.dropped),
        "failed": str(counts.failed),
        "waiting": str(counts.waiting),
        "people in the last frame": str(camera.people),
        "overlays drawn": str(camera.overlays),
        "last error": counts.last_error,
    }
    lines = [(OK, f"{camera.output_rate:.1f} frames a second")]
    if counts.failed_in_a_row >= _FAULT:
        lines = [(ERROR, f"the last {counts.failed_in_a_row} frames failed: {counts.last_error}")]
    elif counts.failed_in_a_row:
        lines = [(WARN, f"the last frame failed: {counts.last_error}")]
    if health.state == "active" and camera.output_rate < least:
        lines.append((WARN, f"less than the {least:g} that are asked for (min_rate_hz)"))
    return lines, values


def _latency(health: Health, camera: CameraHealth) -> _Part:
    rows = {"camera to publish": camera.latency, **health.stages}
    values = {}
    for name, (half, most) in rows.items():
        values[f"{name} p50 [ms]"] = _milliseconds(half)
        values[f"{name} p95 [ms]"] = _milliseconds(most)
    half, most = camera.latency
    if math.isnan(most):
        return [(OK, "nothing measured yet")], values
    if half < -_AHEAD_S:
        text = f"stamps are {-half:.1f} s ahead of this node's clock"
        return [(WARN, f"{text}: set the clocks, or use_sim_time")], values
    if half > _OTHER_CLOCK_S:
        text = "the camera's stamps are not of this node's clock"
        return [(WARN, f"{text}: is use_sim_time set as it should be?")], values
    lines = [(OK, f"{_milliseconds(half)} ms, at most {_milliseconds(most)} ms for 95 %")]
    limits = health.thresholds
    if most > min(limits.latency_warn_s, limits.latency_error_s):
        level, name = _beyond(most, limits.latency_warn_s, limits.latency_error_s, "latency", "s")
        lines.append((level, f"slow, more than {name}"))
    return lines, values


def _model(health: Health) -> _Part:
    values = {"state": health.state, **health.about}
    if health.notice:
        values["notice"] = health.notice
    values["engine given up, times"] = str(health.hung)
    if health.trouble:
        return [(ERROR, f"not configured: {health.trouble}")], values
    if health.state == "unconfigured":
        return [(OK, "not configured")], values
    told = [health.about[key] for key in ("model", "precision", "backend") if key in health.about]
    lines = [(OK, ", ".join(told))]
    if health.about.get("demonstration") == "yes":
        lines.append((WARN, "a demonstration, not for decisions about people"))
    if health.building:
        lines.append((OK, health.building))
    if health.swap_error:
        lines.append((WARN, f"the last change failed: {health.swap_error}"))
    if any(camera.counts.hangs for camera in health.cameras):
        lines.append((ERROR, f"the inference engine hung and was given up ({health.hung} times)"))
    elif health.hung:
        lines.append((WARN, f"the inference engine hung before ({health.hung} times)"))
    return lines, values


def _machine(health: Health) -> _Part:
    values = {
        key: value if isinstance(value, str) else f"{value:.1f}"
        for key, value in health.machine.items()
    }
    degrees = {
        key: value
        for key, value in health.machine.items()
        if key.endswith(DEGREES) and not isinstance(value, str)
    }
    if not degrees:
        return [(OK, "no temperature is told")], values
    hottest = max(degrees, key=lambda key: degrees[key])
    value, limits = degrees[hottest], health.thresholds
    lines = [(OK, f"at most {value:.0f} °C")]
    if value > min(limits.temperature_warn_c, limits.temperature_error_c):
        level, name = _beyond(
            value, limits.temperature_warn_c, limits.temperature_error_c, "temperature", "c"
        )
        place = hottest.removesuffix(DEGREES).strip()
        lines = [(level, f"hot: {place} {value:.0f} °C, more than {name}")]
    return lines, values


def _beyond(value: float, warn: float, error: float, what: str, unit: str) -> tuple[bytes, str]:
    """The level of a value above one of these, and the parameter whose limit it exceeds."""
    if value > error:
        return ERROR, f"{what}_error_{unit} = {error:g}"
    return WARN, f"{what}_warn_{unit} = {warn:g}"


def _milliseconds(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"{seconds * 1000:.1f}"
