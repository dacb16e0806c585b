"""What turns frames into people promises to the pipeline, which times it and hands its finds on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import NamedTuple, Protocol

import numpy as np

from caer_ros.core import PersonEmotion
from caer_ros.perception.pipeline_config import PipelineConfig


class Seen(NamedTuple):
    """What one frame holds; the fields are `pipeline.Result`'s."""

    people: tuple[PersonEmotion, ...]
    attention: np.ndarray | None = None
    heat: np.ndarray | None = None
    warnings: tuple[str, ...] = ()


class FrameReader(Protocol):
    """One way from a frame to people. Thread-confined.

    Attributes:
        detector: what finds the people, for `Pipeline.describe`.
    """

    detector: str

    def read(
        self, image: np.ndarray, encoding: str, want_maps: bool, timings: dict[str, float]
    ) -> Seen:
        """Find everybody in one checked frame; enter the seconds of each stage in `timings`.

        Raises:
            EngineError: a network failed or put out NaN.
        """
        ...

    def apply(self, config: PipelineConfig) -> None:
        """Take over what may change while running, from the next frame on."""
        ...

    def warm_up(self) -> None:
        """Run every network once, so that the first frame is not slow."""
        ...

    def run_bare(self, people: int) -> None:
        """Run the networks once more on what their buffers hold; for benchmarks."""
        ...

    def close(self) -> None:
        """Release all networks."""
        ...


@contextmanager
def timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    """Enter the seconds that the block takes as `stage`."""
    start = perf_counter()
    try:
        yield
    finally:
        timings[stage] = perf_counter() - start


def grey_frame() -> np.ndarray:
    """What networks are warmed up with: uint8 [480, 640, 3]."""
    return np.full((480, 640, 3), 127, np.uint8)
