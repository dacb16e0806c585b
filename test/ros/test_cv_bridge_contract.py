"""One contract for our own reader and for cv_bridge: the same bytes are the same pixels.

What is expected is computed here, by hand or with OpenCV. Rows are padded by whole pixels, and
bytes are in this machine's order: beyond that cv_bridge promises nothing, and ours is tested in
test/robot/test_encodings*.py.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import Image

from caer_ros.core import InputError
from caer_ros.perception.pixel_reader import PixelReader
from caer_ros.ros.image_messages import read_message

HEIGHT, WIDTH, PAD = 24, 40, 3  # of an image, and pixels of rubbish behind each row

_TO_BGR = {
    "bgr8": None,
    "rgb8": cv2.COLOR_RGB2BGR,
    "bgra8": cv2.COLOR_BGRA2BGR,
    "rgba8": cv2.COLOR_RGBA2BGR,
    "mono8": cv2.COLOR_GRAY2BGR,
}


def read_by_us(message: Image) -> np.ndarray:
    image, encoding = read_message(message, PixelReader())
    code = _TO_BGR[encoding]
    return image if code is None else cv2.cvtColor(image, code)


def read_by_cv_bridge(message: Image) -> np.ndarray:
    module = pytest.importorskip("cv_bridge", reason="cv_bridge is not installed")
    return module.CvBridge().imgmsg_to_cv2(message, "bgr8")


READERS = pytest.mark.parametrize("read", [read_by_us, read_by_cv_bridge])


def message(rows: np.ndarray, encoding: str) -> Image:
    """`rows` ([h, w] or [h, w, c]), padded, as a message."""
    spread = [(0, 0), (0, PAD), *[(0, 0)] * (rows.ndim - 2)]
    padded = np.pad(rows, spread, constant_values=7)
    data = array("B", padded.tobytes())
    return Image(
        height=HEIGHT,
        width=WIDTH,
        encoding=encoding,
        is_bigendian=sys.byteorder == "big",
        step=len(data) // HEIGHT,
        data=data,
    )


def random_rows(channels: int, dtype: type) -> np.ndarray:
    top = np.iinfo(dtype).max + 1
    shape = (HEIGHT, WIDTH, channels) if channels > 1 else (HEIGHT, WIDTH)
    return np.random.default_rng(channels).integers(0, top, shape, dtype)


@READERS
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("order", "blue_green_red"),
    [
        ("bgr", [0, 1, 2]),
        ("rgb", [2, 1, 0]),
        ("bgra", [0, 1, 2]),
        ("rgba", [2, 1, 0]),
        ("mono", [0, 0, 0]),
    ],
)
def test_packed_pixels(read: Callable, dtype, order, blue_green_red):
    channels = 1 if order == "mono" else len(order)
    rows = random_rows(channels, dtype)
    image = read(message(rows, f"{order}{8 * rows.itemsize}"))
    expected = rows.reshape(HEIGHT, WIDTH, channels)[..., blue_green_red]
    if dtype is np.uint16:
        expected = np.rint(expected * (255 / 65535))
    assert np.array_equal(image, expected)


@READERS
@pytest.mark.parametrize(
    ("encoding", "red", "code"),
    [
        ("yuv422", (90, 82, 240, 82), cv2.COLOR_YUV2BGR_UYVY),
        ("yuv422_yuy2", (82, 90, 82, 240), cv2.COLOR_YUV2BGR_YUY2),
    ],
)
def test_two_pixels_that_share_their_colour(read: Callable, encoding, red, code):
    rows = random_rows(2, np.uint8)
    rows[0, :2] = np.reshape(red, (2, 2))
    image = read(message(rows, encoding))
    assert image[0, 0].tolist() == image[0, 1].tolist()
    assert np.abs(image[0, 0] - np.array((0, 0, 255))).max() <= 2  # red, in BT.601
    assert np.array_equal(image, cv2.cvtColor(rows, code))


@READERS
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("rggb", cv2.COLOR_BayerBG2BGR),
        ("bggr", cv2.COLOR_BayerRG2BGR),
        ("gbrg", cv2.COLOR_BayerGR2BGR),
        ("grbg", cv2.COLOR_BayerGB2BGR),
    ],
)
def test_mosaics(read: Callable, dtype, pattern, code):
    rows = random_rows(1, dtype)
    image = read(message(rows, f"bayer_{pattern}{8 * rows.itemsize}"))
    expected = cv2.cvtColor(rows, code)
    if dtype is np.uint16:
        expected = np.rint(expected * (255 / 65535))
    assert np.array_equal(image, expected)


@READERS
@pytest.mark.parametrize("encoding", ["16UC1", "32FC1", "yuv9", ""])
def test_what_is_no_picture_is_refused(read: Callable, encoding):
    if read is read_by_cv_bridge:
        pytest.importorskip("cv_bridge", reason="cv_bridge is not installed")
    rows = random_rows(1, np.uint16 if encoding == "16UC1" else np.uint32)
    refusal = InputError if read is read_by_us else Exception
    with pytest.raises(refusal):
        read(message(rows, encoding))
