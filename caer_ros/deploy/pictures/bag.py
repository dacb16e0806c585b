"""Pictures of a ROS bag, read without ROS by the `rosbags` package where that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from caer_ros.core import InputError
from caer_ros.perception.image import view_image
from caer_ros.perception.preprocess import to_rgb

_ENDINGS = (".bag", ".mcap", ".db3")
_RAW, _COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


def is_bag(path: Path) -> bool:
    """Whether it is a ROS 1 or ROS 2 bag by its name, or a ROS 2 bag's folder."""
    if path.is_dir():
        return (path / "metadata.yaml").is_file()
    return path.suffix.lower() in _ENDINGS


def bag_frames(path: Path, topic: str = "") -> Iterator[np.ndarray]:
    """All images of one topic, uint8 [H, W, 3] RGB, in the order of the recording.

    Args:
        topic: of sensor_msgs/Image or CompressedImage; empty: the only such topic.

    Raises:
        InputError: rosbags is not installed, the bag can not be read, has no such topic or several,
            or an image has another encoding than the pipeline reads.
    """
    reader_class = _reader_class()
    try:
        # A recording of several files is read as a whole, whichever was named.
        whole = (path.parent / "metadata.yaml").is_file()
        reader = reader_class([path.parent if whole else path])
        reader.open()
    except Exception as error:  # rosbags raises one kind a storage format
        raise InputError(f"{path} is no bag that can be read: {error}.", "Check it.") from error
    try:
        chosen = _choose(path, reader.connections, topic)
        for connection, _, raw in reader.messages(connections=chosen):
            message = reader.deserialize(raw, connection.msgtype)
            yield _picture(path, message, connection.msgtype)
    finally:
        reader.close()


def _reader_class() -> Any:
    try:
        from rosbags.highlevel import AnyReader
    except ImportError as error:
        raise InputError(
            "Reading a bag needs the Python package 'rosbags', which is not installed.",
            "Run: pip install rosbags. Or give a video or a folder of pictures.",
        ) from error
    return AnyReader


def _choose(path: Path, connections: list[Any], topic: str) -> list[Any]:
    pictures = [c for c in connections if c.msgtype in (_RAW, _COMPRESSED)]
    there = sorted({c.topic for c in pictures})
    if topic and topic not in there:
        raise InputError(
            f"{path} has no images on {topic} (it has {', '.join(there) or 'none at all'}).",
            "Name another --topic.",
        )
    if not there:
        raise InputError(f"{path} has no images.", "Record a topic of sensor_msgs/Image.")
    if not topic and len(there) > 1:
        raise InputError(f"{path} has images on {', '.join(there)}.", "Choose one with --topic.")
    return [c for c in pictures if c.topic == (topic or there[0])]


def _picture(path: Path, message: Any, kind: str) -> np.ndarray:
    if kind == _COMPRESSED:
        image = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise InputError(f"{path}: an image can not be decoded.", "Record the bag again.")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    view = view_image(message.data, message.height, message.width, message.step, message.encoding)
    return np.array(to_rgb(np.ascontiguousarray(view), message.encoding))
