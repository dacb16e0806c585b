"""~/debug/attention: where in the scene CAER-Net looks, as numbers."""

from __future__ import annotations

import sys

import cv2
import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from caer_ros.ros import qos
from caer_ros.ros.output import Shown
from caer_ros.ros.outputs.packed import byte_array
from caer_ros.ros.outputs.single import SingleOutput

_LONGER_SIDE = 256


class AttentionImage(SingleOutput):
    """The attention map in the frame's proportions, 32FC1, at most 256 pixels a side. See Output.

    A pixel has the network's own value of its place; over the network's cells those sum to 1. All
    are 0 where there is no attention: nobody is there, or no model has any.
    """

    needs_maps = True

    def __init__(self, node: LifecycleNode, camera: str) -> None:
        super().__init__(node, camera, Image, "debug/attention", qos.OVERLAY)

    def message(self, shown: Shown) -> Image:
        """The map as a message with the header of the image."""
        height, width = shown.image.shape[:2]
        share = min(1.0, _LONGER_SIDE / max(height, width))
        size = max(1, round(width * share)), max(1, round(height * share))
        attention = shown.result.attention
        if attention is None:
            return float_image(shown.header, np.zeros(size[::-1], np.float32))
        scaled = cv2.resize(attention.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        return float_image(shown.header, scaled)


def float_image(header: Header, values: np.ndarray) -> Image:
    """float32 [height, width] as an image of 32FC1."""
    height, width = values.shape
    message = Image(header=header, height=height, width=width, encoding="32FC1", step=4 * width)
    message.is_bigendian = int(sys.byteorder == "big")
    message.data = byte_array(values)
    return message
