"""One look at the node, for its diagnostics: plain facts, nothing judged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from caer_ros.ros.counts import Counts


@dataclass(frozen=True)
class Thresholds:
    """From where on diagnostics warn; each is a parameter of this name.

    Attributes:
        stale_after_s: silence of a camera that is worth a warning; five times that is an error.
        latency_warn_s, latency_error_s: from the camera's stamp to publishing, for 95 % of frames.
        min_rate_hz: frames a second of each camera; 0: not checked.
        temperature_warn_c, temperature_error_c: of the hottest place that tells, in degrees.
    """

    stale_after_s: float = 2.0
    latency_warn_s: float = 0.5
    latency_error_s: float = 2.0
    min_rate_hz: float = 0.0
    temperature_warn_c: float = 85.0
    temperature_error_c: float = 95.0


@dataclass(frozen=True)
class CameraHealth:
    """One camera. Times in seconds, rates a second, NaN where nothing was measured.

    Attributes:
        name: empty where there is one camera.
        topic: of the images, resolved.
        silent_for: since the last image.
        silence: why no image may arrive.
        people: in the last frame.
        latency: p50 and p95 from the camera's stamp to publishing.
        overlays: drawn so far.
    """

    name: str = ""
    topic: str = ""
    input_rate: float = 0.0
    output_rate: float = 0.0
    silent_for: float = 0.0
    silence: str = ""
    counts: Counts = field(default_factory=Counts)
    people: int = 0
    latency: tuple[float, float] = (math.nan, math.nan)
    overlays: int = 0


@dataclass(frozen=True)
class Health:
    """The node as a whole.

    Attributes:
        state: `unconfigured`, `inactive`, `active` or `finalized`.
        trouble: why the node could not be configured; empty where that is not so.
        cameras: all of them; none while the node is not configured.
        stages: p50 and p95 by stage of the pipeline, in seconds.
        about: what Pipeline.describe() says.
        notice: what the model's bundle has to say before use.
        building: what an engine build or a model change in progress says; empty: there is none.
        swap_error: why the last model change failed; empty: it did not.
        hung: times that the engine was given up because it did not answer.
        machine: what MachineReader.read() says.
    """

    state: str
    trouble: str = ""
    cameras: tuple[CameraHealth, ...] = ()
    stages: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""
    building: str = ""
    swap_error: str = ""
    hung: int = 0
    thresholds: Thresholds = field(default_factory=Thresholds)
    machine: Mapping[str, float | str] = field(default_factory=dict)
