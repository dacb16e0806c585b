"""Every encoding of sensor_msgs/image_encodings that is a picture, and what it is read as.

The names of ROS and of OpenCV disagree in two places. ROS names a Bayer pattern by its first two
rows' pixels, from the top left one; OpenCV's old codes name the four pixels round (1, 1), so that
bayer_rggb8 is BayerBG. And yuv422 is UYVY, while yuv422_yuy2 is YUYV.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2

from caer_ros.core import InputError


class Kind(Enum):
    """How the samples of an image lie in its rows."""

    PACKED = "the samples of a pixel side by side"
    YUV422 = "two samples a pixel; two pixels share their colour"
    YUV420 = "a plane of brightness, below it one of colour, half as high"
    YUV444 = "a plane of brightness, below it one of colour with rows twice as long"
    BAYER = "one sample a pixel, behind a filter of red, green and blue"


@dataclass(frozen=True)
class Encoding:
    """What one name in an image message means.

    Attributes:
        kind: how its samples lie.
        read_as: what it becomes: rgb8, bgr8, rgba8, bgra8 or mono8.
        wide: 16 bits a sample; else 8.
        code: cv2's code of the conversion to `read_as`; -1 where there is none.
    """

    kind: Kind
    read_as: str
    wide: bool = False
    code: int = -1


_UYVY = Encoding(Kind.YUV422, "bgr8", code=cv2.COLOR_YUV2BGR_UYVY)
_YUYV = Encoding(Kind.YUV422, "bgr8", code=cv2.COLOR_YUV2BGR_YUYV)

_BAYER = {
    "rggb": cv2.COLOR_BayerBG2BGR,
    "bggr": cv2.COLOR_BayerRG2BGR,
    "gbrg": cv2.COLOR_BayerGR2BGR,
    "grbg": cv2.COLOR_BayerGB2BGR,
}

ENCODINGS: dict[str, Encoding] = {
    **{name: Encoding(Kind.PACKED, name) for name in ("rgb8", "bgr8", "rgba8", "bgra8", "mono8")},
    # OpenCV's own names say nothing of colour: as in OpenCV, blue comes first.
    "8UC1": Encoding(Kind.PACKED, "mono8"),
    "8UC3": Encoding(Kind.PACKED, "bgr8"),
    "8UC4": Encoding(Kind.PACKED, "bgra8"),
    **{
        f"{name}16": Encoding(Kind.PACKED, f"{name}8", wide=True)
        for name in ("rgb", "bgr", "rgba", "bgra", "mono")
    },
    "16UC3": Encoding(Kind.PACKED, "bgr8", wide=True),
    "16UC4": Encoding(Kind.PACKED, "bgra8", wide=True),
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUYV,
    "yuyv": _YUYV,
    "nv12": Encoding(Kind.YUV420, "bgr8", code=cv2.COLOR_YUV2BGR_NV12),
    "nv21": Encoding(Kind.YUV420, "bgr8", code=cv2.COLOR_YUV2BGR_NV21),
    "nv24": Encoding(Kind.YUV444, "bgr8", code=cv2.COLOR_YUV2BGR_YUYV),
    **{
        f"bayer_{pattern}{bits}": Encoding(Kind.BAYER, "bgr8", bits == 16, code)
        for pattern, code in _BAYER.items()
        for bits in (8, 16)
    },
}

# Depth in millimetres or metres (REP 118). Seen as grey it would be a black picture in which nobody
# is ever found, and no word of why; cv_bridge refuses to make grey of it, too.
DEPTH = ("16UC1", "32FC1")


def encoding_of(name: str) -> Encoding:
    """What `name` means.

    Raises:
        InputError: it is depth, or unknown.
    """
    check_no_depth(name)
    if name not in ENCODINGS:
        raise InputError(
            f"Image encoding '{name}' is not supported.",
            f"Publish one of {', '.join(ENCODINGS)}.",
        )
    return ENCODINGS[name]


def check_no_depth(name: str) -> None:
    """Raise InputError where the encoding `name` is of depth images."""
    if name in DEPTH:
        raise InputError(
            f"Image encoding '{name}' is depth or other data, not a picture.",
            "Choose the camera's colour or grey topic; grey of 16 bits is called mono16.",
        )
