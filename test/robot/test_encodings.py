"""Encodings with a pixel's samples side by side: exact, viewed in place, else in a kept buffer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import InputError
from caer_ros.perception.encodings import DEPTH, ENCODINGS, Kind
from caer_ros.perception.pixel_reader import PixelReader
from caer_ros.perception.preprocess import CHANNELS

PLAIN = ("rgb8", "bgr8", "rgba8", "bgra8", "mono8")
VIEWED = [*PLAIN, "8UC1", "8UC3", "8UC4"]
WIDE = ["rgb16", "bgr16", "rgba16", "bgra16", "mono16", "16UC3", "16UC4"]

# Of sensor_msgs/image_encodings.hpp, what holds a picture.
OF_ROS = """
    rgb8 rgba8 rgb16 rgba16 bgr8 bgra8 bgr16 bgra16 mono8 mono16 8UC1 8UC3 8UC4
    bayer_rggb8 bayer_bggr8 bayer_gbrg8 bayer_grbg8
    bayer_rggb16 bayer_bggr16 bayer_gbrg16 bayer_grbg16
    uyvy yuv422 yuyv yuv422_yuy2 nv12 nv21 nv24
"""


def packed_rows(pixels: np.ndarray, pad: int, tail: bool) -> tuple[bytes, int]:
    """The bytes of `pixels` with `pad` bytes of rubbish behind each row, and the step."""
    rows = pixels.reshape(pixels.shape[0], -1).view(np.uint8)
    data = np.full((rows.shape[0], rows.shape[1] + pad), 99, np.uint8)
    data[:, : rows.shape[1]] = rows
    flat = data.tobytes()
    return (flat if tail or not pad else flat[:-pad]), data.shape[1]


def expected_shape(height: int, width: int, read_as: str) -> tuple[int, ...]:
    channels = CHANNELS[read_as]
    return (height, width) if channels == 1 else (height, width, channels)


def test_every_picture_encoding_of_ros_is_known_and_read_as_a_plain_one():
    assert set(OF_ROS.split()) <= set(ENCODINGS)
    assert {meaning.read_as for meaning in ENCODINGS.values()} == set(PLAIN)


@pytest.mark.parametrize(
    ("encoding", "read_as"),
    [
        *[(name, name) for name in PLAIN],
        *[(f"{name}16", f"{name}8") for name in ("rgb", "bgr", "rgba", "bgra", "mono")],
        ("8UC1", "mono8"),
        ("8UC3", "bgr8"),  # as OpenCV has it, which these names come from
        ("8UC4", "bgra8"),
        ("16UC3", "bgr8"),
        ("16UC4", "bgra8"),
    ],
)
def test_packed_pixels_keep_their_order(encoding, read_as):
    assert ENCODINGS[encoding].read_as == read_as


@settings(deadline=None)
@given(
    st.sampled_from(VIEWED),
    st.integers(8, 40),
    st.integers(8, 40),
    st.integers(0, 17),
    st.booleans(),
    st.booleans(),
)
def test_eight_bits_are_seen_in_place(encoding, height, width, pad, tail, big_endian):
    read_as = ENCODINGS[encoding].read_as
    shape = expected_shape(height, width, read_as)
    pixels = np.random.default_rng(height * 41 + width).integers(0, 256, shape, np.uint8)
    data, step = packed_rows(pixels, pad, tail)
    image, name = PixelReader().read(data, height, width, step, encoding, big_endian)
    assert name == read_as
    assert np.array_equal(image, pixels)
    assert np.shares_memory(image, np.frombuffer(data, np.uint8))
    assert not image.flags.writeable


@settings(deadline=None)
@given(
    st.sampled_from(WIDE),
    st.integers(8, 40),
    st.integers(8, 40),
    st.integers(0, 17),
    st.booleans(),
    st.booleans(),
)
def test_sixteen_bits_become_eight_by_the_full_range(
    encoding, height, width, pad, tail, big_endian
):
    read_as = ENCODINGS[encoding].read_as
    shape = expected_shape(height, width, read_as)
    pixels = np.random.default_rng(height * 41 + width).integers(0, 65536, shape, np.uint16)
    data, step = packed_rows(pixels.astype(">u2" if big_endian else "<u2"), pad, tail)
    image, name = PixelReader().read(data, height, width, step, encoding, big_endian)
    assert name == read_as
    assert image.dtype == np.uint8
    assert np.array_equal(image, np.rint(pixels * (255 / 65535)))  # odd steps, too
    assert not image.flags.writeable


def test_each_of_the_65536_values_is_rounded_to_the_nearest():
    values = np.arange(65536, dtype="<u2").reshape(256, 256)
    image, _ = PixelReader().read(values.tobytes(), 256, 256, 512, "mono16")
    assert image.ravel().tolist() == [(2 * value + 257) // 514 for value in range(65536)]


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if name not in VIEWED])
def test_the_next_image_of_the_same_size_lies_in_the_same_buffer(encoding):
    reader, data = PixelReader(), bytes(8 * 16 * 12)
    step = {Kind.PACKED: 8, Kind.YUV422: 2}.get(ENCODINGS[encoding].kind, 2) * 16
    first, _ = reader.read(data, 8, 16, step, encoding)
    second, _ = reader.read(data, 8, 16, step, encoding)
    assert np.shares_memory(first, second)
    other, _ = PixelReader().read(data, 8, 16, step, encoding)
    assert not np.shares_memory(first, other)  # two cameras never share one


@pytest.mark.parametrize("encoding", DEPTH)
def test_depth_is_refused_as_what_it_is(encoding):
    with pytest.raises(InputError, match=r"depth.*mono16"):
        PixelReader().read(bytes(10000), 8, 8, 64, encoding)
