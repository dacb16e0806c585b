"""Gathers what diagnostics tell of a node from its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from caer_ros.ros.camera import Camera
from caer_ros.ros.counts import Counts
from caer_ros.ros.frame_work import FrameWork
from caer_ros.ros.health import CameraHealth, Health, Thresholds
from caer_ros.ros.machine import MachineReader
from caer_ros.ros.meter import Meter
from caer_ros.ros.models import Models

_SILENCE_S = 1.0  # below it, nobody asks why


def gather_health(
    state: str,
    cameras: Mapping[str, Camera],
    work: FrameWork,
    models: Models,
    limits: Thresholds,
    machine: MachineReader,
) -> Health:
    """One look at a configured node, in the executor's thread."""
    counts = models.worker.counts()
    return Health(
        state=state,
        cameras=tuple(_camera(each, counts.get(each.name, Counts())) for each in cameras.values()),
        stages={stage: half_and_most(meter) for stage, meter in work.stages.items()},
        about=models.about,
        notice=models.notice,
        building="; ".join(text for text in (models.changing, models.building) if text),
        swap_error=models.change_error,
        hung=models.hung,
        thresholds=limits,
        machine=machine.read(),
    )


def thresholds(values: Mapping[str, Any]) -> Thresholds:
    """The node's parameters of the same names."""
    return Thresholds(**{each.name: values[each.name] for each in fields(Thresholds)})


def half_and_most(meter: Meter) -> tuple[float, float]:
    """p50 and p95 of a meter; NaN where it is empty."""
    return meter.percentile(0.5), meter.percentile(0.95)


def _camera(camera: Camera, counts: Counts) -> CameraHealth:
    silent_for = camera.input.silent_for()
    return CameraHealth(
        name=camera.name,
        topic=camera.input.topic,
        input_rate=camera.input.arrivals.rate(),
        output_rate=camera.done.rate(),
        silent_for=silent_for,
        silence=camera.input.explain_silence() if silent_for > _SILENCE_S else "",
        counts=counts,
        people=camera.people,
        latency=half_and_most(camera.latency),
        overlays=camera.overlays,
    )
