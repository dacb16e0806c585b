"""YUV and Bayer against slow references, so that no order of colours is mistaken for another."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import InputError
from caer_ros.perception.pixel_reader import PixelReader

BT601 = np.array([[1.164, 2.018, 0.0], [1.164, -0.391, -0.813], [1.164, 0.0, 1.596]])  # B, G, R

PATTERNS = ("rggb", "bggr", "gbrg", "grbg")


def bgr_of(y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """ITU-R BT.601, limited range, in floats."""
    yuv = np.stack([np.maximum(y.astype(float), 16) - 16, u - 128.0, v - 128.0], -1)
    return np.clip(yuv @ BT601.T, 0, 255)


def packed(encoding: str, y: np.ndarray, u: np.ndarray, v: np.ndarray, pad: int) -> bytes:
    """Bytes of planes as large as the image, with `pad` bytes of rubbish behind rows of y.

    Colours that pixels share are taken from the upper left one of them.
    """
    height, width = y.shape
    if encoding in ("yuv422", "uyvy", "yuv422_yuy2", "yuyv"):
        rows = np.empty((height, width, 2), np.uint8)
        bright, colour = (1, 0) if encoding in ("yuv422", "uyvy") else (0, 1)
        rows[..., bright] = y
        rows[:, 0::2, colour], rows[:, 1::2, colour] = u[:, ::2], v[:, ::2]
        return padded(rows.reshape(height, -1), pad)
    if encoding == "nv24":
        return padded(y, pad) + padded(np.stack([u, v], -1).reshape(height, -1), 2 * pad)
    first, second = (u, v) if encoding == "nv12" else (v, u)
    colour = np.stack([first[::2, ::2], second[::2, ::2]], -1).reshape(height // 2, width)
    return padded(y, pad) + padded(colour, pad)


def padded(rows: np.ndarray, pad: int) -> bytes:
    return np.pad(rows, ((0, 0), (0, pad)), constant_values=99).tobytes()


def shared(plane: np.ndarray, down: int, across: int) -> np.ndarray:
    """Each block of down x across has the value of its upper left sample."""
    return plane[::down, ::across].repeat(down, 0).repeat(across, 1)


@pytest.mark.parametrize(
    ("encoding", "down", "across"),
    [
        ("yuv422", 1, 2),
        ("uyvy", 1, 2),
        ("yuv422_yuy2", 1, 2),
        ("yuyv", 1, 2),
        ("nv12", 2, 2),
        ("nv21", 2, 2),
        ("nv24", 1, 1),
    ],
)
@settings(deadline=None)
@given(st.integers(4, 20), st.integers(4, 20), st.integers(0, 9), st.integers(0, 99))
def test_yuv_is_bt601_whatever_the_padding(encoding, down, across, height, width, pad, seed):
    height, width = 2 * height, 2 * width
    y, u, v = np.random.default_rng(seed).integers(0, 256, (3, height, width), np.uint8)
    u, v = shared(u, down, across), shared(v, down, across)
    data = packed(encoding, y, u, v, pad)
    step = pad + width * (1 if encoding.startswith("nv") else 2)
    image, name = PixelReader().read(data, height, width, step, encoding)
    assert name == "bgr8"
    assert np.abs(image - bgr_of(y, u, v)).max() <= 1.5  # OpenCV's is in integers
    assert not image.flags.writeable


def test_the_same_picture_is_the_same_in_every_yuv():
    y, u, v = np.random.default_rng(1).integers(0, 256, (3, 16, 24), np.uint8)
    u, v = shared(u, 2, 2), shared(v, 2, 2)
    images = []
    for encoding in ("yuv422", "yuyv", "nv12", "nv21", "nv24"):
        step = 24 if encoding.startswith("nv") else 48
        data = packed(encoding, y, u, v, 0)
        images.append(PixelReader().read(data, 16, 24, step, encoding)[0])
    assert all(np.array_equal(image, images[0]) for image in images)


@pytest.mark.parametrize(
    ("encoding", "height", "width"),
    [("yuv422", 8, 9), ("yuyv", 9, 11), ("nv12", 9, 8), ("nv12", 8, 9), ("nv21", 9, 9)],
)
def test_odd_sides_of_shared_colours_are_refused(encoding, height, width):
    with pytest.raises(InputError, match=f"{width}x{height} {encoding}.*even"):
        PixelReader().read(bytes(1000), height, width, 2 * width, encoding)


def mosaic_of(bgr: np.ndarray, pattern: str) -> np.ndarray:
    """What a camera with that filter sees; `pattern` names rows 0 and 1 from the left."""
    mosaic = np.empty(bgr.shape[:2], bgr.dtype)
    for index, colour in enumerate(pattern):
        row, column = divmod(index, 2)
        mosaic[row::2, column::2] = bgr[row::2, column::2, "bgr".index(colour)]
    return mosaic


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_bayer_pattern_gives_back_an_even_colour(pattern, bits):
    colour = np.array((10, 100, 200)) * (257 if bits == 16 else 1)
    bgr = np.tile(colour, (9, 11, 1)).astype(f"<u{bits // 8}")
    data = mosaic_of(bgr, pattern).tobytes()
    image, name = PixelReader().read(data, 9, 11, 11 * bits // 8, f"bayer_{pattern}{bits}")
    assert name == "bgr8"
    assert (image == (10, 100, 200)).all()


def demosaiced(mosaic: np.ndarray, pattern: str) -> np.ndarray:
    """Bilinear, in integers, without the border: the mean of the nearest samples of a colour."""
    height, width = mosaic.shape
    bgr = np.empty((height, width, 3), np.int64)
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            for channel, colour in enumerate("bgr"):
                bgr[row, column, channel] = nearest(mosaic, pattern, row, column, colour)
    return bgr[1:-1, 1:-1]


def nearest(mosaic: np.ndarray, pattern: str, row: int, column: int, colour: str) -> int:
    around = [[(0, 0)], [(0, -1), (0, 1), (-1, 0), (1, 0)], [(-1, -1), (-1, 1), (1, -1), (1, 1)]]
    for ring in around:
        found = [
            int(mosaic[row + down, column + right])
            for down, right in ring
            if pattern[(row + down) % 2 * 2 + (column + right) % 2] == colour
        ]
        if found:
            return (sum(found) + len(found) // 2) // len(found)
    raise AssertionError(colour)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_bayer_is_bilinear_whatever_the_padding(pattern, big_endian, bits):
    for seed, (height, width, pad) in enumerate([(8, 8, 0), (9, 11, 5), (10, 21, 4), (13, 8, 1)]):
        rng = np.random.default_rng(seed)
        mosaic = rng.integers(0, 2**bits, (height, width), np.dtype(f"u{bits // 8}"))
        order = ">" if big_endian else "<"
        rows = mosaic.astype(f"{order}u{bits // 8}").view(np.uint8).reshape(height, -1)
        data = padded(rows, pad)
        encoding = f"bayer_{pattern}{bits}"
        image, _ = PixelReader().read(
            data, height, width, rows.shape[1] + pad, encoding, big_endian
        )
        expected = demosaiced(mosaic, pattern)
        if bits == 16:
            expected = np.rint(expected * (255 / 65535))
        assert np.array_equal(image[1:-1, 1:-1], expected)
        assert np.array_equal(image[0, 1:-1], image[1, 1:-1])  # the border repeats


def test_a_photograph_survives_a_mosaic(astronaut):
    for pattern in PATTERNS:
        data = mosaic_of(astronaut, pattern).tobytes()
        image, _ = PixelReader().read(data, 512, 512, 512, f"bayer_{pattern}8")
        assert cv2.PSNR(image, astronaut) > 28, pattern  # a wrong pattern has 20 or less
