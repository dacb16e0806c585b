"""The depth images that markers take their distances from; heard only while somebody looks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time as Stamp
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.time import Time
from sensor_msgs.msg import Image

from caer_ros.core import Box, InputError
from caer_ros.ros.outputs.positions import median_depth
from caer_ros.ros.qos import input_profile

_LOOK_EVERY_S = 0.5
# The frame at hand is older than the newest depth image by the time its people took.
_KEPT = 8
_NEAR_NS = 100_000_000
_METRES = {"16UC1": 0.001, "mono16": 0.001, "32FC1": 1.0}


class DepthInput:
    """The latest depth images of one topic.

    Args:
        wanted: asked twice a second, in the executor's thread: subscribe or not.

    Raises:
        InputError: `topic` is no name of a topic.
    """

    def __init__(self, node: Node, topic: str, wanted: Callable[[], bool]) -> None:
        self._node = node
        self._topic = _checked(node, topic)
        self._wanted = wanted
        self._subscription: Any = None
        self._images: deque[Image] = deque(maxlen=_KEPT)
        # Steady: with use_sim_time and a stopped clock, a viewer must be noticed all the same.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_LOOK_EVERY_S, self._look, clock=steady)

    def near(self, stamp: Stamp) -> Image | None:
        """The image nearest to `stamp`, at most 0.1 s away; None where there is none."""
        wanted = Time.from_msg(stamp).nanoseconds
        images = list(self._images)  # the executor's thread goes on adding to it
        aways = [abs(Time.from_msg(image.header.stamp).nanoseconds - wanted) for image in images]
        away = min(aways, default=_NEAR_NS + 1)
        return images[aways.index(away)] if away <= _NEAR_NS else None

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_timer(self._timer)
        self._unsubscribe()

    def _look(self) -> None:
        if self._wanted() and self._subscription is None:
            self._subscription = self._node.create_subscription(
                Image, self._topic, self._keep, input_profile("sensor_data", ())
            )
        elif not self._wanted():
            self._unsubscribe()

    def _keep(self, image: Image) -> None:
        self._images.append(image)

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
            self._images.clear()


def _checked(node: Node, topic: str) -> str:
    """The topic's full name. Found out here, because the executor's thread must not fail later."""
    try:
        return str(node.resolve_topic_name(topic))
    except Exception as error:
        raise InputError(
            f"depth_topic is '{topic}', which is no name of a topic.",
            "Use letters, digits, _ and /; {camera} stands for the camera's name.",
        ) from error


def depth_at(image: Image, box: Box, width: int, height: int) -> float | None:
    """Metres to what is in a box of a width x height image; None where nothing was measured.

    Args:
        image: depth registered to that image: 16UC1 in millimetres or 32FC1 in metres (REP 118).
    """
    depth = depth_view(image)
    if depth is None:
        return None
    found = median_depth(depth, box, width, height)
    return None if found is None else found * _METRES[image.encoding]


def depth_view(image: Image) -> np.ndarray | None:
    """The pixels, uint16 or float32 [height, width]; None where it is no whole depth image."""
    if image.encoding not in _METRES:
        return None
    kind = np.dtype(np.float32 if image.encoding == "32FC1" else np.uint16)
    kind = kind.newbyteorder(">" if image.is_bigendian else "<")
    rows, columns, step = image.height, image.width, image.step
    if not rows or not columns or step < columns * kind.itemsize or len(image.data) < rows * step:
        return None
    return np.ndarray((rows, columns), kind, image.data, strides=(step, kind.itemsize))
