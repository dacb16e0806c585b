"""From a camera's message, raw or compressed, to an image that the pipeline can read."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from caer_ros.perception.compressed import decode_picture
from caer_ros.perception.encodings import DEPTH, ENCODINGS
from caer_ros.perception.pixel_reader import PixelReader
from caer_ros.ros.cv_bridge_reader import read_by_cv_bridge


def read_message(message: Image | CompressedImage, reader: PixelReader) -> tuple[np.ndarray, str]:
    """The pixels of a message; compressed ones are decoded here, so call it off the executor.

    Args:
        message: of the camera that `reader` belongs to.

    Returns:
        Read-only uint8 array, HxWxC, or HxW for mono8, and its encoding: rgb8, bgr8, rgba8, bgra8
        or mono8. It lives as long as the message does, and until `reader` reads the next one.

    Raises:
        InputError: the message is not an image that can be read.
    """
    if isinstance(message, CompressedImage):
        return decode_picture(message.data, message.format, reader)
    if message.encoding not in ENCODINGS and message.encoding not in DEPTH:
        return read_by_cv_bridge(message)
    return reader.read(
        message.data,
        message.height,
        message.width,
        message.step,
        message.encoding,
        bool(message.is_bigendian),
    )
