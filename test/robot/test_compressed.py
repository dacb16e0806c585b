"""JPEG and PNG as image transports send them; half pictures and bombs are told, not decoded."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.perception.compressed import decode_picture
from caer_ros.perception.image import check_image
from caer_ros.perception.picture_header import picture_size
from caer_ros.perception.pixel_reader import PixelReader

BGR = cv2.resize(np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8), (40, 24))


def encoded(suffix: str, image: np.ndarray, *settings: int) -> bytes:
    done, data = cv2.imencode(suffix, image, list(settings))
    assert done
    return data.tobytes()


JPEG = encoded(".jpg", BGR, cv2.IMWRITE_JPEG_QUALITY, 98)
PNG = encoded(".png", BGR)


def decode(data: bytes, form: str = "") -> tuple[np.ndarray, str]:
    return decode_picture(data, form, PixelReader())


@pytest.mark.parametrize(
    "form", ["", "jpeg", "jpg", "bgr8; jpeg compressed bgr8", "rgb8; jpeg compressed bgr8"]
)
def test_a_jpeg_has_its_colours_whatever_the_raw_image_was(form):
    image, encoding = decode(JPEG, form)
    assert encoding == "bgr8"
    assert np.abs(image.astype(int) - BGR).mean() < 6
    assert np.abs(image.astype(int) - BGR[..., ::-1]).mean() > 30
    assert not image.flags.writeable


def test_a_progressive_jpeg_and_bytes_behind_the_end_are_fine():
    progressive = encoded(".jpg", BGR, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    assert progressive.count(b"\xff\xda") > 1
    assert decode(progressive)[0].shape == (24, 40, 3)
    assert np.array_equal(decode(JPEG + bytes(100))[0], decode(JPEG)[0])
    filled = JPEG[:2] + b"\xff\xff" + JPEG[2:]  # markers may be filled up with 0xFF
    assert np.array_equal(decode(filled)[0], decode(JPEG)[0])


def test_a_png_is_exact_and_so_is_its_order_of_colours():
    image, encoding = decode(PNG, "bgr8; png compressed bgr8")
    assert encoding == "bgr8"
    assert np.array_equal(image, BGR)
    swapped = encoded(".png", np.ascontiguousarray(BGR[..., ::-1]))
    image, encoding = decode(swapped, "rgb8; png compressed rgb8")
    assert encoding == "rgb8"
    assert np.array_equal(image, BGR[..., ::-1])


def test_grey_and_transparent_pictures_keep_their_channels():
    grey = cv2.cvtColor(BGR, cv2.COLOR_BGR2GRAY)
    image, encoding = decode(encoded(".png", grey), "mono8; png compressed ")
    assert encoding == "mono8"
    assert np.array_equal(image, grey)
    assert decode(encoded(".jpg", grey), "mono8; jpeg compressed mono8")[1] == "mono8"
    clear = cv2.cvtColor(BGR, cv2.COLOR_BGR2BGRA)
    image, encoding = decode(encoded(".png", clear), "png")
    assert encoding == "bgra8"
    assert np.array_equal(image, clear)


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_pngs_become_eight_bits(channels):
    wide = np.random.default_rng(2).integers(0, 65536, (24, 40, channels), np.uint16)
    wide = wide[..., 0] if channels == 1 else wide
    image, encoding = decode(encoded(".png", wide), "mono16; png compressed ")
    assert encoding == ("mono8" if channels == 1 else "bgr8")
    assert np.array_equal(image, np.rint(wide * (255 / 65535)))


def test_a_compressed_mosaic_becomes_colours_unless_it_was_made_grey_before():
    mosaic = np.zeros((24, 40), np.uint8)
    mosaic[::2, ::2] = 255  # only red has light
    for image in (mosaic, mosaic.astype(np.uint16) * 257):
        png = encoded(".png", image)
        colours, encoding = decode(png, f"bayer_rggb{8 * image.itemsize}; png compressed ")
        assert encoding == "bgr8"
        assert (colours == (0, 0, 255)).all()
        assert decode(png, "bayer_rggb8; png compressed mono8")[1] == "mono8"


@pytest.mark.parametrize("data", [JPEG, PNG], ids=["jpeg", "png"])
def test_every_cut_is_told(data):
    for size in range(len(data)):
        with pytest.raises(InputError):
            decode(data[:size])


def test_a_cut_jpeg_with_a_thumbnail_is_told():
    """The thumbnail has an end marker of its own, which ends nothing."""
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(JPEG) + 2) + JPEG
    whole = JPEG[:2] + thumbnail + JPEG[2:]
    assert np.array_equal(decode(whole)[0], decode(JPEG)[0])
    with pytest.raises(InputError, match="no end marker: it was cut short"):
        decode(whole[:-100])


def png_of_size(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = PNG.index(b"IHDR") - 4
    return PNG[:start] + PNG[start : start + 4] + header + check_sum(header) + PNG[start + 21 :]


def check_sum(chunk: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(chunk))


def jpeg_of_size(width: int, height: int) -> bytes:
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]


@pytest.mark.parametrize("made", [png_of_size, jpeg_of_size])
def test_bombs_are_refused_by_their_header_alone(made, monkeypatch):
    assert picture_size(made(123, 45)) == (45, 123)
    decoded: list[int] = []
    monkeypatch.setattr(cv2, "imdecode", lambda *_: decoded.append(1))
    for width, height in ((65000, 65000), (16384, 16384), (40, 0), (3, 40)):
        with pytest.raises(InputError, match=f"{width}x{height} pixels"):
            decode(made(width, height))
    assert not decoded


def test_a_jpeg_of_a_thousand_scans_is_refused():
    progressive = encoded(".jpg", BGR, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    last = progressive.rindex(b"\xff\xda")
    with pytest.raises(InputError, match="more than 64 scans"):
        decode(progressive[:last] + 1000 * progressive[last:-2] + b"\xff\xd9")


@pytest.mark.parametrize(
    ("data", "form", "complaint"),
    [
        (b"", "jpeg", "0 bytes is neither JPEG nor PNG"),
        (b"\x00\x00\x00\x01\x67" + bytes(99), "h264", "neither JPEG nor PNG"),
        (encoded(".tiff", BGR), "bgr8; tiff compressed ", "neither JPEG nor PNG"),
        (PNG, "16UC1; compressedDepth png", "is depth"),
        (PNG, "bgr8; compressedDepth png", "is depth"),
        (PNG, "16UC1; png compressed ", "is depth"),
        (JPEG[:2] + b"\xff\xda" + JPEG[2:], "jpeg", "damaged header"),
        (PNG[:60] + bytes(40) + PNG[100:], "png", "can not be decoded"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(data, form, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        decode(data, form)
    assert caught.value.remedy


def test_ten_thousand_random_byte_strings_are_a_picture_or_an_input_error():
    rng = np.random.default_rng(1)
    reader = PixelReader()
    refused: list[InputError] = []
    for index in range(10_000):
        data = bytearray((JPEG, PNG)[index % 2])
        if index % 5 == 0:
            data[int(rng.integers(3, 40)) :] = rng.bytes(int(rng.integers(0, 900)))
        for at in rng.integers(0, len(data), rng.integers(0, 4)):
            data[at] = rng.integers(256)
        try:
            image, encoding = decode_picture(bytes(data), "jpeg", reader)
        except InputError as error:
            refused.append(error)
            continue
        check_image(image, encoding)
    assert all(error.remedy for error in refused)
    assert 1000 < len(refused) < 9000  # both ends were met


def test_an_8k_jpeg_goes_through():
    large = cv2.resize(BGR, (7680, 4320), interpolation=cv2.INTER_NEAREST)
    image, encoding = decode(encoded(".jpg", large))
    assert encoding == "bgr8"
    assert image.shape == (4320, 7680, 3)
