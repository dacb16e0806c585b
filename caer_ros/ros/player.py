"""The player's node: frames of a source, at the source's pace, on an image topic."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import rclpy
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from caer_ros.core import InputError
from caer_ros.perception.sources import open_moving
from caer_ros.ros.messages import image_message
from caer_ros.ros.stop import Stop

T = TypeVar("T", bool, float, str)

_QOS = {
    "best_effort": QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT),
    "reliable": QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE),
}


class ImagePlayer(Node):
    """Publishes bgr8 images, stamped with the time at which they go out, as a camera would."""

    def __init__(self) -> None:
        super().__init__("image_player")
        self._text = self._declare(
            "source",
            "photos",
            "Image, folder, video or /dev/videoN; photos or film: the demo's.",
        )
        self._topic = self._declare("image_topic", "camera/image_raw", "Topic of the images.")
        self._frame_id = self._declare("frame_id", "camera", "frame_id of the images.")
        self._qos = self._declare("qos", "best_effort", "Reliability: best_effort or reliable.")
        self._rate = self._declare("rate_hz", 0.0, "Images a second; 0: the source's own.", 1000.0)
        self._seconds = self._declare("seconds", 0.0, "End after this time; 0: never.", 1e6)
        self._loop = self._declare("loop", True, "Play a video again when it is over.")

    def play(self, stop: Stop) -> None:
        """Publish until `stop`, the end of the source without `loop`, or after `seconds`.

        Raises:
            InputError: the source can not be played, or a parameter is none of its choices.
        """
        if self._qos not in _QOS:
            raise InputError(f"qos is '{self._qos}'.", f"Use one of {', '.join(_QOS)}.")
        publisher = self.create_publisher(Image, self._topic, _QOS[self._qos])
        begin = time.monotonic()
        due = begin
        for fps, image in self._frames():
            if stop.wait(due - time.monotonic()) or not rclpy.ok():
                break
            due = max(due + 1.0 / fps, time.monotonic() - 1.0 / fps)  # late, but never in a burst
            if 0 < self._seconds <= time.monotonic() - begin:
                break
            header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._frame_id)
            publisher.publish(image_message(header, image))

    def _frames(self) -> Iterator[tuple[float, np.ndarray]]:
        """Frames with the rate they are to be played at; again and again where that is wanted."""
        while True:
            source = open_moving(self._text)
            empty = True
            for frame in source:
                empty = False
                yield self._rate or source.fps, frame.image
            if empty:
                raise InputError(f"{self._text} holds no frame.", "Try another file.")
            if not self._loop:
                return

    def _declare(self, name: str, default: T, description: str, high: float = 0.0) -> T:
        descriptor = ParameterDescriptor(description=description, read_only=True)
        if high:
            descriptor.floating_point_range = [FloatingPointRange(from_value=0.0, to_value=high)]
        value: T = self.declare_parameter(name, default, descriptor).value
        return value
