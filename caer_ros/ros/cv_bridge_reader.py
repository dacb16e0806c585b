"""Encodings that only cv_bridge knows, where cv_bridge is installed.

What perception/encodings.py lists is read without it: faster, with every row padding and byte
order, and the same pixels. Encodings that came later, or that a vendor's cv_bridge adds, go here.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from caer_ros.core import InputError
from caer_ros.perception.encodings import ENCODINGS
from caer_ros.perception.image import check_image, check_size


def read_by_cv_bridge(message: Image) -> tuple[np.ndarray, str]:
    """A message of an encoding that is not ours, as uint8 [height, width, 3], and `bgr8`.

    Raises:
        InputError: cv_bridge is not installed, does not work here, or can not read the message.
    """
    check_size(message.height, message.width)
    bridge, trouble = _bridge()
    if bridge is None:
        raise InputError(
            f"Image encoding '{message.encoding}' is not supported ({trouble}).",
            f"Publish one of {', '.join(ENCODINGS)}, or install cv_bridge if it knows this one.",
        )
    try:
        image = np.asarray(bridge.imgmsg_to_cv2(message, "bgr8"))
        check_image(image, "bgr8")
    except Exception as error:  # its own, boost's and numpy's, all meaning the same
        raise InputError(
            f"Image encoding '{message.encoding}' can not be read by cv_bridge: {error}.",
            f"Publish one of {', '.join(ENCODINGS)}.",
        ) from error
    return image, "bgr8"


@lru_cache(maxsize=1)
def _bridge() -> tuple[Any, str]:
    """A CvBridge, or None and why there is none."""
    try:
        return import_module("cv_bridge").CvBridge(), ""
    except ModuleNotFoundError:
        return None, "and cv_bridge is not installed"
    except Exception as error:  # one that was built for another NumPy raises all sorts of things
        return None, f"and cv_bridge fails to load: {error}"
