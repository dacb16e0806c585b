"""Raw image bytes as a numpy view: no copy, whatever the row padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from caer_ros.core import InputError
from caer_ros.perception.preprocess import CHANNELS, check_encoding

# A detector shrinks what it gets, but nothing useful is seen below this, and cv2 fails at 0.
MIN_SIDE = 8
MAX_SIDE = 16384


def view_image(data: Any, height: int, width: int, step: int, encoding: str) -> np.ndarray:
    """See a packed image in a buffer as an array, without copying it.

    Args:
        data: bytes-like object holding at least `height` rows of `step` bytes (the last row may end
            with its last pixel).
        height, width: pixels.
        step: bytes from one row to the next; more than the row's pixels where rows are padded.
        encoding: rgb8, bgr8, rgba8, bgra8 or mono8.

    Returns:
        Read-only uint8 array, HxWxC, or HxW for mono8, that shares memory with `data`.

    Raises:
        InputError: unknown encoding, size out of range, step too small, or too few bytes.
    """
    check_encoding(encoding)
    if not (MIN_SIDE <= height <= MAX_SIDE and MIN_SIDE <= width <= MAX_SIDE):
        raise InputError(
            f"Image of {width}x{height} pixels.",
            f"Each side must have {MIN_SIDE} to {MAX_SIDE} pixels: check the camera driver.",
        )
    channels = CHANNELS[encoding]
    row = width * channels
    if step < row:
        raise InputError(
            f"Image step {step} is less than one row of {encoding} ({row} bytes).",
            "The camera driver fills the message wrongly.",
        )
    flat = np.frombuffer(data, dtype=np.uint8)
    needed = step * (height - 1) + row
    if flat.size < needed:
        raise InputError(
            f"Image data has {flat.size} bytes, {width}x{height} {encoding} needs {needed}.",
            "The message was cut short or the camera driver fills it wrongly.",
        )
    shape: tuple[int, ...] = (height, width) if channels == 1 else (height, width, channels)
    strides = (step, 1) if channels == 1 else (step, channels, 1)
    return np.lib.stride_tricks.as_strided(flat, shape, strides, writeable=False)


def check_image(image: np.ndarray, encoding: str) -> None:
    """Raise InputError unless `image` is a uint8 array of the shape that `encoding` means."""
    check_encoding(encoding)
    channels = CHANNELS[encoding]
    fits = image.ndim == 2 if channels == 1 else image.ndim == 3 and image.shape[2] == channels
    if image.dtype != np.uint8 or not fits:
        raise InputError(
            f"Image is {image.dtype}{list(image.shape)}, which is not {encoding}.",
            f"Hand over uint8, HxW{'' if channels == 1 else f'x{channels}'}.",
        )
    if min(image.shape[:2]) < MIN_SIDE:
        raise InputError(
            f"Image of {image.shape[1]}x{image.shape[0]} pixels.",
            f"Each side must have at least {MIN_SIDE} pixels.",
        )
