"""~/debug/overlay and ~/debug/overlay/compressed: one drawing for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from caer_ros.perception import draw_overlay
from caer_ros.ros import qos
from caer_ros.ros.messages import image_message
from caer_ros.ros.output import Shown, debug_topic
from caer_ros.ros.outputs.packed import byte_array
from caer_ros.ros.outputs.settings import OutputSettings

# As image_transport writes it: what it was, and what it is now.
_FORMAT = "bgr8; jpeg compressed bgr8"


class OverlayImages:
    """The picture that people look at, raw and as JPEG. See Output."""

    needs_maps = True

    def __init__(self, node: LifecycleNode, camera: str, settings: OutputSettings) -> None:
        self._node = node
        self._blur_faces = settings.blur_faces
        self._quality = settings.overlay_jpeg_quality
        topic = debug_topic(camera, "debug/overlay")
        self._raw = node.create_lifecycle_publisher(Image, topic, qos.OVERLAY)
        self._jpeg = node.create_lifecycle_publisher(
            CompressedImage, f"{topic}/compressed", qos.OVERLAY
        )

    def wanted(self) -> bool:
        """See Output.wanted."""
        return any(p.get_subscription_count() > 0 for p in (self._raw, self._jpeg))

    def publish(self, shown: Shown) -> None:
        """See Output.publish."""
        drawn = draw_overlay(shown.image, shown.encoding, shown.result, self._blur_faces)
        if self._raw.get_subscription_count() > 0:
            self._raw.publish(image_message(shown.header, drawn))
        if self._jpeg.get_subscription_count() > 0:
            self._jpeg.publish(jpeg_message(shown.header, drawn, self._quality))

    def apply(self, changed: Mapping[str, Any]) -> None:
        """Take over blur_faces and overlay_jpeg_quality."""
        self._blur_faces = changed.get("blur_faces", self._blur_faces)
        self._quality = changed.get("overlay_jpeg_quality", self._quality)

    def close(self) -> None:
        """See Output.close."""
        for publisher in (self._raw, self._jpeg):
            self._node.destroy_lifecycle_publisher(publisher)


def jpeg_message(header: Header, bgr: np.ndarray, quality: int) -> CompressedImage:
    """A BGR picture (uint8 [height, width, 3]) as JPEG of a quality from 1 to 100."""
    # True or an error of OpenCV's: JPEG takes every BGR picture up to 65,535 pixels a side.
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return CompressedImage(header=header, format=_FORMAT, data=byte_array(data))
