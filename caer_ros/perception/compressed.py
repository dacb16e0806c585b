"""Compressed camera images: JPEG and PNG, as image transports send them."""

from __future__ import annotations

import sys
from typing import Any

import cv2
import numpy as np

from caer_ros.core import InputError
from caer_ros.perception.encodings import ENCODINGS, check_no_depth
from caer_ros.perception.image import check_size
from caer_ros.perception.picture_header import picture_size
from caer_ros.perception.pixel_reader import PixelReader

_COLOURS = {"bgr": {3: "bgr", 4: "bgra"}, "rgb": {3: "rgb", 4: "rgba"}}


def decode_picture(data: Any, form: str, reader: PixelReader) -> tuple[np.ndarray, str]:
    """Decode one compressed image.

    The bytes tell JPEG from PNG. `form` tells what they can not: `rgb8; jpeg compressed rgb8` was
    compressed with red where JPEG has blue, and `bayer_rggb8; png compressed ` is a mosaic still.
    Orientation (EXIF) is ignored, as it is by image_transport.

    Args:
        data: bytes-like object.
        form: field `format` of the message; may be empty.
        reader: of the camera.

    Returns:
        As PixelReader.read.

    Raises:
        InputError: neither JPEG nor PNG, depth, size out of range, cut short, or damaged.
    """
    original, _, rest = form.partition(";")
    original, coded = original.strip(), rest.partition("compressed")[2].strip()
    check_no_depth(original)
    if "compresseddepth" in form.lower():
        raise InputError(
            f"Compressed image of format '{form}' is depth, not a picture.",
            "Choose the camera's colour or grey topic.",
        )
    blob = bytes(data)
    check_size(*picture_size(blob))
    image = _decoded(blob)
    height, width = image.shape[:2]
    native_is_big = sys.byteorder == "big"
    name = _encoding(image, original, coded)
    return reader.read(image, height, width, image.strides[0], name, native_is_big)


def _decoded(blob: bytes) -> np.ndarray:
    """As it was compressed: uint8 or uint16, [h, w] or [h, w, 3 or 4], blue first."""
    try:
        image = cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_UNCHANGED)
    except (cv2.error, MemoryError):
        image = None
    channels = 0 if image is None else image[0, :1].size
    if image is None or image.dtype not in (np.uint8, np.uint16) or channels not in (1, 3, 4):
        raise InputError(
            f"Compressed image of {len(blob)} bytes can not be decoded.",
            "It is damaged, or of a kind that OpenCV can not read.",
        )
    return image


def _encoding(image: np.ndarray, original: str, coded: str) -> str:
    bits = 8 * image.dtype.itemsize
    channels = image[0, :1].size
    if channels == 1:
        # Whoever made colours or grey of a mosaic before compressing says so in `coded`.
        mosaic = f"{original.rstrip('0123456789')}{bits}"
        is_mosaic = original.startswith("bayer_") and not coded and mosaic in ENCODINGS
        return mosaic if is_mosaic else f"mono{bits}"
    order = "rgb" if coded.startswith("rgb") else "bgr"
    return f"{_COLOURS[order][channels]}{bits}"
