"""A network that reads a camera's frames as they come, and those of all its cameras."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from caer_ros.core import CaerError
from caer_ros.engines.base import Engine
from caer_ros.engines.trt.frame_format import CHANNELS, FrameFormat, FrameLayout

INPUT = "frame"
# Sizes and encodings that are looked for; a node that meets more has no camera of fixed size.
_MOST = 16

Open = Callable[[FrameFormat, FrameLayout], Engine]

_log = logging.getLogger(__name__)


class FrameEngine:
    """A network with the resize in front, for frames of one format.

    Args:
        engine: reads `frame`; closed with this one.
    """

    def __init__(self, engine: Engine, frame: FrameFormat) -> None:
        self._engine = engine
        self._frame = frame
        self._taken: np.ndarray | None = None

    def fits(self, shape: Sequence[int], encoding: str) -> bool:
        """Whether it reads frames of this shape, HxW or HxWxC, and encoding."""
        return _format(shape, encoding) == self._frame

    def take(self, image: np.ndarray) -> None:
        """Remember a frame, uint8, for the next run; its rows may be padded."""
        self._taken = image

    def run(self, outputs: Sequence[str] | None = None) -> Mapping[str, np.ndarray]:
        """Infer on the frame that was taken, and let go of it; without one, on a black one.

        Raises:
            EngineError: see Engine.run.
        """
        taken, self._taken = self._taken, None
        if taken is None:
            taken = np.zeros(self._frame.shape, np.uint8)
        # A view: the engine copies it into its pinned memory, row by row.
        view = taken.reshape(self._frame.shape)
        return self._engine.run({INPUT: view}, outputs)

    def close(self) -> None:
        """Release the network."""
        self._engine.close()


class FrameEngines:
    """The frame engines of one network, each opened when its first frame comes.

    Args:
        open_one: opens the engine for a format; raises CaerError where there is none.
    """

    def __init__(self, open_one: Open) -> None:
        self._open_one = open_one
        self._known: dict[FrameFormat, tuple[FrameLayout, FrameEngine | None]] = {}

    def find(self, shape: Sequence[int], encoding: str, layout: FrameLayout) -> FrameEngine | None:
        """The engine for frames of this shape, encoding and layout; None where none is built."""
        frame = _format(shape, encoding)
        if frame is None:
            return None
        if frame not in self._known and len(self._known) < _MOST:
            self._known[frame] = layout, self._open(frame, layout)
        known = self._known.get(frame)
        return known[1] if known is not None and known[0] == layout else None

    def close(self) -> None:
        """Release all."""
        for _, engine in self._known.values():
            if engine is not None:
                engine.close()
        self._known.clear()

    def _open(self, frame: FrameFormat, layout: FrameLayout) -> FrameEngine | None:
        try:
            return FrameEngine(self._open_one(frame, layout), frame)
        except CaerError as error:
            _log.info("Frames %s are resized on the CPU: %s", frame, error)
            return None


def _format(shape: Sequence[int], encoding: str) -> FrameFormat | None:
    channels = shape[2] if len(shape) == 3 else 1
    if CHANNELS.get(encoding) != channels:
        return None
    return FrameFormat(shape[1], shape[0], encoding)
