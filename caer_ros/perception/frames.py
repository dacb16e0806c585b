"""A frame that is read from somewhere, and a run of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Origin:
    """What a bag tells of a frame.

    Attributes:
        sec, nanosec: the header's stamp.
        frame_id: the header's.
        log_time: when it was recorded, in nanoseconds since 1970.
    """

    sec: int
    nanosec: int
    frame_id: str
    log_time: int


@dataclass(frozen=True)
class Frame:
    """One frame: its picture, where it came from, and its time.

    Attributes:
        image: uint8 [height, width, 3], BGR.
        name: of the file, and the frame's number where the file has several.
        time: in seconds: since the start, or a bag's header stamp.
        origin: of a bag's frames; else None.
    """

    image: np.ndarray
    name: str
    time: float
    origin: Origin | None = None


class Source:
    """A finite or endless run of frames; iterate it once.

    Attributes:
        kind: `image`, `folder`, `video`, `camera` or `bag`.
        fps: frames a second that the source was made for; of stills, the rate of their pan.
        count: frames to expect, or None where nobody knows.
    """

    def __init__(self, kind: str, fps: float, count: int | None, frames: Iterator[Frame]) -> None:
        self.kind = kind
        self.fps = fps
        self.count = count
        self._frames = frames

    def __iter__(self) -> Iterator[Frame]:
        return self._frames
