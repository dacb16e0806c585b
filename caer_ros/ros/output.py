"""What the node publishes of a frame: each topic is an Output, which costs nothing unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from std_msgs.msg import Header

from caer_ros.perception import Result


@dataclass(frozen=True)
class Shown:
    """One processed frame, for the outputs.

    Attributes:
        header: of the source image: goes out untouched.
        image: uint8 view of the frame; read-only, gone when `publish` returns.
        encoding: rgb8, bgr8, rgba8, bgra8 or mono8.
        result: what was found.
    """

    header: Header
    image: np.ndarray
    encoding: str
    result: Result


class Output(Protocol):
    """One topic, or a family of them, of one camera.

    Made while the node is configured, in the executor's thread; `wanted` and `publish` are called
    in the worker's thread for every frame.

    Attributes:
        needs_maps: whether it draws attention or heat map.
    """

    needs_maps: bool

    def wanted(self) -> bool:
        """Whether somebody subscribes; else `publish` is not called."""
        ...

    def publish(self, shown: Shown) -> None:
        """Make the message and publish it. What it raises is logged, and loses nothing else."""
        ...

    def apply(self, changed: Mapping[str, Any]) -> None:
        """Take over parameters that may change while running, by name; in the executor's thread."""
        ...

    def close(self) -> None:
        """Destroy the publishers."""
        ...


def debug_topic(camera: str, name: str) -> str:
    """`~/<name>` for a node with one camera, `~/<camera>/<name>` where there are several."""
    return f"~/{camera}/{name}" if camera else f"~/{name}"
