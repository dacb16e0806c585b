"""Raw image bytes as a numpy view: no copy, whatever the row padding."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from caer_ros.core import InputError
from caer_ros.perception.preprocess import CHANNELS, check_encoding

# A detector shrinks what it gets, but nothing useful is seen below this, and cv2 fails at 0.
MIN_SIDE = 8
MAX_SIDE = 16384
# Twice an 8K frame. A header may promise any size: this bounds the memory that it can ask for.
MAX_PIXELS = 2**26


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
    check_size(height, width)
    channels = CHANNELS[encoding]
    shape: tuple[int, ...] = (height, width) if channels == 1 else (height, width, channels)
    return view_rows(data, shape, step, f"{width}x{height} {encoding}")


def view_rows(
    data: Any,
    shape: tuple[int, ...],
    step: int,
    name: str,
    dtype: np.dtype | type = np.uint8,
    offset: int = 0,
) -> np.ndarray:
    """See rows of samples in a buffer as an array, without copying them.

    Args:
        data: bytes-like object; the last row may end with its last sample.
        shape: rows and columns, and channels where there are several.
        step: bytes from one row to the next.
        name: of the image, for errors.
        dtype: of a sample.
        offset: of the first row, in bytes.

    Returns:
        Read-only array of `shape` that shares memory with `data`.

    Raises:
        InputError: step too small, or too few bytes.
    """
    sample = np.dtype(dtype).itemsize
    pixel = sample * prod(shape[2:])
    row = shape[1] * pixel
    if step < row:
        raise InputError(
            f"Image step {step} is less than one row of {name} ({row} bytes).",
            "The camera driver fills the message wrongly.",
        )
    size = memoryview(data).nbytes
    needed = offset + step * (shape[0] - 1) + row
    if size < needed:
        raise InputError(
            f"Image data has {size} bytes, {name} needs {needed}.",
            "The message was cut short or the camera driver fills it wrongly.",
        )
    strides = (step, pixel, sample)[: len(shape)]
    view: np.ndarray = np.ndarray(shape, dtype, data, offset, strides)
    view.flags.writeable = False
    return view


def check_size(height: int, width: int) -> None:
    """Raise InputError unless a camera may send images of this size."""
    if not (MIN_SIDE <= height <= MAX_SIDE and MIN_SIDE <= width <= MAX_SIDE):
        raise InputError(
            f"Image of {width}x{height} pixels.",
            f"Each side must have {MIN_SIDE} to {MAX_SIDE} pixels: check the camera driver.",
        )
    if height * width > MAX_PIXELS:
        raise InputError(
            f"Image of {width}x{height} pixels.",
            f"It may have {MAX_PIXELS} pixels at most: lower the camera's resolution.",
        )


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
