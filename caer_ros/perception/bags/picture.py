"""An image message out of a bag as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from caer_ros.perception.compressed import decode_picture
from caer_ros.perception.overlay import to_bgr
from caer_ros.perception.pixel_reader import PixelReader

RAW, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


def picture(message: Any, kind: str, reader: PixelReader) -> np.ndarray:
    """A sensor_msgs Image or CompressedImage as uint8 [height, width, 3], BGR, of its own.

    Args:
        message: with the fields of its type as attributes.
        kind: RAW or COMPRESSED.
        reader: of this topic.

    Raises:
        InputError: it is damaged, or no picture.
    """
    if kind == COMPRESSED:
        return to_bgr(*decode_picture(message.data, message.format, reader))
    return to_bgr(
        *reader.read(
            message.data,
            message.height,
            message.width,
            message.step,
            message.encoding,
            bool(message.is_bigendian),
        )
    )
