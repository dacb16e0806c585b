"""How long a frame takes, stage by stage, beside the bare networks, in one run.

Absolute times say little on a busy machine; the ratio of the whole pipeline to its bare networks,
measured in turns in the same run, holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from caer_ros.deploy.machine import peak_memory_mb
from caer_ros.perception import STAGES, Pipeline
from caer_ros.perception.image import view_image
from caer_ros.perception.report import result_to_dict

# Before and after the pipeline: bytes of an image message to a picture, a result to a line of JSON.
READ, REPORT = "read", "report"
# The frames' stamps go by it, by which people get ids and are smoothed.
_RATE_HZ = 30.0


@dataclass(frozen=True)
class Row:
    """One stage: milliseconds at the median and the 95th percentile, and share of the total."""

    stage: str
    p50_ms: float
    p95_ms: float
    share: float


@dataclass(frozen=True)
class Report:
    """What `bench_pipeline` measured.

    Attributes:
        bare_ratio: everything from READ to REPORT over the bare networks; median of the ratios,
            frame by frame.
        peak_memory_mb: the process's largest resident set.
    """

    about: dict[str, str]
    people: int
    width: int
    height: int
    frames: int
    rows: tuple[Row, ...]
    bare_ratio: float
    peak_memory_mb: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def bench_pipeline(
    pipeline: Pipeline,
    image: np.ndarray,
    frames: int,
    warm_up: int,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Report:
    """Process a BGR image (uint8 [h, w, 3]) again and again, each time with the bare networks too.

    Args:
        frames: measured frames.
        warm_up: frames before that, not measured.
        progress: wraps the loop, as tqdm does.
    """
    stages = (READ, *STAGES, REPORT, "total", "bare networks")
    samples: dict[str, list[float]] = {stage: [] for stage in stages}
    people = 0
    for number in progress(range(warm_up + frames)):
        people, timings = _frame(pipeline, image, number / _RATE_HZ)
        if number < warm_up:
            continue
        for stage, seconds in timings.items():
            samples[stage].append(seconds)
    total = np.array(samples["total"])
    median = float(np.median(total))
    rows = tuple(
        Row(
            stage,
            1000 * float(np.median(values)),
            1000 * float(np.percentile(values, 95)),
            float(np.median(values)) / median,
        )
        for stage, values in samples.items()
        if values
    )
    ratio = float(np.median(total / np.array(samples["bare networks"])))
    height, width = image.shape[:2]
    return Report(pipeline.describe(), people, width, height, frames, rows, ratio, peak_memory_mb())


def fit(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """The image inside width x height, its proportions kept, on black."""
    scale = min(width / image.shape[1], height / image.shape[0])
    small = cv2.resize(
        image,
        (round(image.shape[1] * scale), round(image.shape[0] * scale)),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def _frame(pipeline: Pipeline, image: np.ndarray, stamp: float) -> tuple[int, dict[str, float]]:
    """People, and seconds by stage; `total` is from READ to REPORT."""
    height, width = image.shape[:2]
    message = image.tobytes()
    start = perf_counter()
    view = view_image(message, height, width, 3 * width, "bgr8")
    read = perf_counter()
    result = pipeline.process(view, "bgr8", stamp=stamp)
    processed = perf_counter()
    json.dumps(result_to_dict("frame", 0.0, result))
    end = perf_counter()
    pipeline.run_bare(max(1, len(result.people)))
    bare = perf_counter() - end
    own = {READ: read - start, REPORT: end - processed, "total": end - start, "bare networks": bare}
    return len(result.people), {**result.timings, **own}
