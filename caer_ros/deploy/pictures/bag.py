"""Pictures of a bag to calibrate on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from caer_ros.perception.bags.bag_source import BagSource


def bag_frames(path: Path, topic: str = "") -> Iterator[np.ndarray]:
    """All images of one topic, uint8 [H, W, 3] RGB, in the order of the recording.

    Args:
        topic: of sensor_msgs/Image or CompressedImage; empty: the only such topic.

    Raises:
        InputError: rosbags is not installed, the bag can not be read, has no such topic or several,
            or an image has another encoding than the pipeline reads.
    """
    for frame in BagSource.open(path, topic):
        yield cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)
