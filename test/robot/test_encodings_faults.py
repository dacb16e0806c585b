"""What cameras send by mistake: an input error that says why, or a picture; never anything else."""

from __future__ import annotations

import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.perception.encodings import ENCODINGS, Kind
from caer_ros.perception.image import check_image
from caer_ros.perception.pixel_reader import PixelReader


@pytest.mark.parametrize(
    ("height", "width", "step", "encoding", "size", "complaint"),
    [
        (48, 64, 64, "yuv9", 9999, "'yuv9' is not supported.*nv12.*bayer_rggb8"),
        (48, 64, 64, "", 9999, "'' is not supported"),
        (48, 64, 127, "mono16", 9999, "step 127 is less than one row of 64x48 mono16 .128 bytes"),
        (48, 64, 128, "mono16", 6143, "6143 bytes, 64x48 mono16 needs 6144"),
        (48, 64, 127, "yuv422", 9999, "step 127 is less than one row"),
        (48, 64, 128, "yuv422", 6143, "6143 bytes, 64x48 yuv422 needs 6144"),
        (48, 64, 63, "nv12", 9999, "step 63 is less than one row"),
        (48, 64, 64, "nv12", 4607, "4607 bytes, 64x48 nv12 needs 4608"),
        (48, 64, 64, "nv24", 9215, "9215 bytes, 64x48 nv24 needs 9216"),
        (48, 64, 63, "bayer_rggb8", 9999, "step 63 is less than one row"),
        (48, 64, 128, "bayer_rggb16", 6143, "6143 bytes"),
        (0, 0, 0, "nv12", 0, "0x0 pixels"),
        (48, 0, 0, "bayer_rggb8", 0, "0x48 pixels"),
        (2**32 - 1, 64, 128, "mono16", 0, "64x4294967295 pixels"),
        (16384, 8192, 2**32 - 1, "bayer_rggb8", 0, "8192x16384 pixels"),
        (48, 64, 2**32 - 1, "nv24", 9999, "9999 bytes"),
    ],
)
def test_what_is_no_image_is_refused_with_the_reason(
    height, width, step, encoding, size, complaint
):
    with pytest.raises(InputError, match=complaint):
        PixelReader().read(bytes(size), height, width, step, encoding)


def test_ten_thousand_random_byte_strings_are_a_picture_or_an_input_error():
    rng = np.random.default_rng(1)
    reader, names = PixelReader(), [*ENCODINGS, "16UC1", "", "mono8 "]
    refused: list[InputError] = []
    for _ in range(10_000):
        height, width = rng.integers(0, 40, 2).tolist()
        step = int(rng.integers(0, 400))
        data = rng.bytes(int(rng.integers(0, 12_000)))
        encoding = names[rng.integers(len(names))]
        try:
            image, name = reader.read(data, height, width, step, encoding, bool(rng.integers(2)))
        except InputError as error:
            refused.append(error)
            continue
        check_image(image, name)
        assert image.shape[:2] == (height, width)
    assert all(error.remedy for error in refused)
    assert 1000 < len(refused) < 9000  # both ends were met


def read_grey(reader: PixelReader, height: int, width: int, encoding: str) -> np.ndarray:
    """An image of medium grey; rows of NV12 and its like are one byte a pixel."""
    meaning = ENCODINGS[encoding]
    samples = {Kind.PACKED: 4, Kind.YUV422: 2}.get(meaning.kind, 1)
    step = width * samples * (2 if meaning.wide else 1)
    data = np.full(3 * height * step, 128, np.uint8)
    image, _ = reader.read(data, height, width, step, encoding)
    return image


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_size_that_changes_mid_stream_is_read_in_its_new_size(encoding):
    reader = PixelReader()
    for height, width in ((16, 24), (24, 16), (48, 64), (8, 8), (48, 64)):
        image = read_grey(reader, height, width, encoding)
        assert image.shape[:2] == (height, width)
        assert np.ptp(image) == 0
        assert abs(int(image.flat[0]) - 129) <= 2


def test_an_encoding_that_changes_mid_stream_disturbs_nothing():
    reader = PixelReader()
    for encoding in [*ENCODINGS, *reversed(ENCODINGS)]:
        assert np.ptp(read_grey(reader, 16, 24, encoding)) == 0, encoding


@pytest.mark.parametrize(
    ("encoding", "step", "rows"),
    [
        ("bgr8", 3 * 7680, 4320),
        ("mono16", 2 * 7680, 4320),
        ("yuv422", 2 * 7680, 4320),
        ("nv12", 7680, 6480),
        ("bayer_rggb8", 7680, 4320),
    ],
)
def test_an_8k_image_goes_through(encoding, step, rows):
    data = np.zeros(rows * step, np.uint8)
    data[-step // 2 :] = 255
    image, _ = PixelReader().read(data, 4320, 7680, step, encoding)
    assert image.shape[:2] == (4320, 7680)
    assert image[-1, -1].tolist() != image[0, 0].tolist()  # the last pixel was read
