"""What a step of the pipeline promises: it fills in scenes, all that came in together at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol

import numpy as np

from caer_ros.perception.pipeline_config import PipelineConfig
from caer_ros.perception.scene import Scene


class Stage(Protocol):
    """One step from frames to people. Thread-confined."""

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        """Add to every scene what this stage finds; add its seconds to `timings`.

        Scenes come from different cameras, at most one each.

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


class PlainStage:
    """Base of the stages that have no network and nothing that changes."""

    def apply(self, config: PipelineConfig) -> None:
        """See Stage.apply."""

    def warm_up(self) -> None:
        """See Stage.warm_up."""

    def run_bare(self, people: int) -> None:
        """See Stage.run_bare."""

    def close(self) -> None:
        """See Stage.close."""


@contextmanager
def timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    """Add the seconds that the block takes to `stage`."""
    start = perf_counter()
    try:
        yield
    finally:
        timings[stage] = timings.get(stage, 0.0) + perf_counter() - start


def grey_frame() -> np.ndarray:
    """What networks are warmed up with: uint8 [480, 640, 3]."""
    return np.full((480, 640, 3), 127, np.uint8)
