"""How long a frame takes, stage by stage, beside the bare networks, in one run.

Absolute times say little on a busy machine; the ratio of the whole pipeline to its bare networks,
measured in turns in the same run, holds.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from caer_ros.perception import STAGES, Pipeline


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

    `bare_ratio` is the whole pipeline over its two bare networks (median of the ratios, frame by
    frame); `peak_memory_mb` is the process's largest resident set.
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
    samples: dict[str, list[float]] = {stage: [] for stage in (*STAGES, "total", "bare networks")}
    people = 0
    for number in progress(range(warm_up + frames)):
        result = pipeline.process(image, "bgr8")
        start = perf_counter()
        pipeline.run_bare(max(1, len(result.people)))
        bare = perf_counter() - start
        if number < warm_up:
            continue
        people = len(result.people)
        for stage, seconds in result.timings.items():
            samples[stage].append(seconds)
        samples["bare networks"].append(bare)
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


def peak_memory_mb() -> float:
    """Largest resident set of this process so far, in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
