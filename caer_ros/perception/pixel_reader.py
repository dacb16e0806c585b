"""A raw image of any encoding as one that the pipeline can read.

What is packed in 8 bits is seen where it lies. Everything else is converted once, into buffers that
are kept for the camera's next frame. YUV is ITU-R BT.601 in limited range, as OpenCV and cv_bridge
have it. 16 bits become 8 by the full range: 65535 becomes 255, rounded, as in cv_bridge.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from caer_ros.core import InputError
from caer_ros.perception.encodings import Encoding, Kind, encoding_of
from caer_ros.perception.image import check_size, view_rows
from caer_ros.perception.preprocess import CHANNELS

_FULL_RANGE = 255 / 65535


class PixelReader:
    """Reads the images of one camera. One thread at a time."""

    def __init__(self) -> None:
        self._buffers: dict[str, np.ndarray] = {}

    def read(
        self,
        data: Any,
        height: int,
        width: int,
        step: int,
        encoding: str,
        big_endian: bool = False,
    ) -> tuple[np.ndarray, str]:
        """See an image, or convert it where no view of it would do.

        Args:
            data: bytes-like object holding the rows (the last one may end with its last sample).
            height, width: pixels.
            step: bytes from one row to the next; of NV12 and its like, in the plane of brightness.
            encoding: a key of ENCODINGS.
            big_endian: whether the high byte of 16 bits comes first; else ignored.

        Returns:
            Read-only uint8 array, HxWxC, or HxW for mono8, and its encoding: rgb8, bgr8, rgba8,
            bgra8 or mono8. It shares memory with `data`, or with this reader, in which case the
            next image overwrites it.

        Raises:
            InputError: unknown encoding, size out of range, odd sides where two pixels share their
                colour, step too small, or too few bytes.
        """
        meaning = encoding_of(encoding)
        check_size(height, width)
        name = f"{width}x{height} {encoding}"
        size = height, width
        if meaning.kind is Kind.PACKED:
            image = self._packed(data, size, step, name, meaning, big_endian)
        elif meaning.kind is Kind.BAYER:
            image = self._bayer(data, size, step, name, meaning, big_endian)
        elif meaning.kind is Kind.YUV422:
            _check_even(name, width)
            samples = view_rows(data, (height, width, 2), step, name)
            image = self._colour(samples, meaning.code, size)
        elif meaning.kind is Kind.YUV420:
            _check_even(name, width, height)
            samples = view_rows(data, (height * 3 // 2, width), step, name)
            image = self._colour(samples, meaning.code, size)
        else:
            image = self._two_full_planes(data, size, step, name, meaning)
        seen = image.view()  # buffers themselves stay writeable, for the next image
        seen.flags.writeable = False
        return seen, meaning.read_as

    def _packed(
        self,
        data: Any,
        size: tuple[int, int],
        step: int,
        name: str,
        meaning: Encoding,
        big_endian: bool,
    ) -> np.ndarray:
        channels = CHANNELS[meaning.read_as]
        shape = size if channels == 1 else (*size, channels)
        if not meaning.wide:
            return view_rows(data, shape, step, name)
        return self._narrow(self._wide(data, shape, step, name, big_endian))

    def _bayer(
        self,
        data: Any,
        size: tuple[int, int],
        step: int,
        name: str,
        meaning: Encoding,
        big_endian: bool,
    ) -> np.ndarray:
        if not meaning.wide:
            return self._colour(view_rows(data, size, step, name), meaning.code, size)
        mosaic = self._wide(data, size, step, name, big_endian)
        colour = self._buffer("wide colour", (*size, 3), np.uint16)
        return self._narrow(cv2.cvtColor(mosaic, meaning.code, dst=colour))

    def _two_full_planes(
        self, data: Any, size: tuple[int, int], step: int, name: str, meaning: Encoding
    ) -> np.ndarray:
        height, width = size
        bright = view_rows(data, size, step, name)
        colour = view_rows(data, (height, width, 2), 2 * step, name, offset=step * height)
        # cv2 knows no NV24: as YUYV, with every pixel doubled, it takes the same conversion.
        doubled = self._buffer("doubled", (height, width, 4), np.uint8)
        cv2.mixChannels([bright, colour], [doubled], [0, 0, 1, 1, 0, 2, 2, 3])
        yuyv = doubled.reshape(height, 2 * width, 2)
        twice = self._buffer("twice as wide", (height, 2 * width, 3), np.uint8)
        cv2.cvtColor(yuyv, meaning.code, dst=twice)
        out = self._buffer("out", (height, width, 3), np.uint8)
        return cv2.resize(twice, (width, height), dst=out, interpolation=cv2.INTER_NEAREST)

    def _wide(
        self, data: Any, shape: tuple[int, ...], step: int, name: str, big_endian: bool
    ) -> np.ndarray:
        """16-bit samples in this machine's byte order."""
        view = view_rows(data, shape, step, name, np.dtype(">u2" if big_endian else "<u2"))
        if view.dtype.isnative and view.flags.aligned:
            return view
        native = self._buffer("native", shape, np.uint16)
        np.copyto(native, view)
        return native

    def _narrow(self, wide: np.ndarray) -> np.ndarray:
        out = self._buffer("out", wide.shape, np.uint8)
        return cv2.convertScaleAbs(wide, dst=out, alpha=_FULL_RANGE)

    def _colour(self, samples: np.ndarray, code: int, size: tuple[int, int]) -> np.ndarray:
        return cv2.cvtColor(samples, code, dst=self._buffer("out", (*size, 3), np.uint8))

    def _buffer(self, use: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        """The buffer for `use`; a new one where the camera's images changed."""
        kept = self._buffers.get(use)
        if kept is None or kept.shape != shape:
            kept = self._buffers[use] = np.empty(shape, dtype)
        return kept


def _check_even(name: str, *sides: int) -> None:
    if any(side % 2 for side in sides):
        raise InputError(
            f"Image of {name} pixels.",
            "Two pixels share their colour there, so that sides must be even: check the driver.",
        )
