"""The `rosbags` package, which reads and writes bags and is not installed everywhere."""

from __future__ import annotations

from typing import Any

from caer_ros.core import InputError


def load_rosbags() -> Any:
    """The package, with `highlevel`, `interfaces`, `rosbag2` and `typesys` loaded.

    Raises:
        InputError: it is not installed.
    """
    try:
        import rosbags.highlevel
        import rosbags.interfaces
        import rosbags.rosbag2
        import rosbags.typesys
    except ImportError as error:
        raise InputError(
            f"Bags need the Python package 'rosbags', which can not be loaded ({error}).",
            "Run: pip install rosbags. Or give a video or a folder of pictures.",
        ) from error
    return rosbags


def standard_types() -> Any:
    """A new type store with the messages that come with ROS 2.

    Images and headers are the same in all releases from Humble on.
    """
    typesys = load_rosbags().typesys
    return typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)
