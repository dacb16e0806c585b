"""Fits whole pictures into BENet's input, and maps boxes there and back.

The same functions fit evaluation pictures, calibration pictures and the robot's frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.core import InputError
from caer_ros.perception.preprocess import to_rgb


@dataclass(frozen=True)
class Fit:
    """Where a picture lies in an input: scaled to `inner` pixels, `left` and `top` from the corner.

    Attributes:
        source: width and height of the picture.
        inner: width and height of its copy in the input, each rounded to whole pixels.
        left, top: where that copy starts; the rest is black.
        width, height: of the input.
    """

    source: tuple[int, int]
    inner: tuple[int, int]
    left: int
    top: int
    width: int
    height: int

    @property
    def matrix(self) -> np.ndarray:
        """float64 [3, 3]: (x, y, 1) of the picture to the input, edges counted as in Box."""
        x, y = self._scales
        return np.array([[x, 0, self.left], [0, y, self.top], [0, 0, 1]], np.float64)

    def apply(
        self, image: np.ndarray, encoding: str = "rgb8", out: np.ndarray | None = None
    ) -> np.ndarray:
        """The input of a picture: uint8 [height, width, 3], RGB, into `out` where given.

        Args:
            image: uint8, HxW or HxWxC in `encoding`, of the size that was fitted.
        """
        if out is None:
            out = np.empty((self.height, self.width, 3), np.uint8)
        right, bottom = self.left + self.inner[0], self.top + self.inner[1]
        out[: self.top], out[bottom:] = 0, 0
        out[self.top : bottom, : self.left], out[self.top : bottom, right:] = 0, 0
        if self.inner != self.source:
            smaller = self.inner[0] * self.inner[1] < self.source[0] * self.source[1]
            how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            image = cv2.resize(image, self.inner, interpolation=how)
        out[self.top : bottom, self.left : right] = to_rgb(image, encoding)
        return out

    def to_input(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes [N, 4], x1, y1, x2, y2 in pixels of the picture, in pixels of the input."""
        return boxes * self._factors + self._offsets

    def to_source(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes [N, 4] in pixels of the input, in pixels of the picture; not clipped."""
        return (boxes - self._offsets) / self._factors

    @property
    def _scales(self) -> tuple[float, float]:
        return self.inner[0] / self.source[0], self.inner[1] / self.source[1]

    @property
    def _factors(self) -> np.ndarray:
        return np.array([*self._scales, *self._scales])

    @property
    def _offsets(self) -> np.ndarray:
        return np.array([self.left, self.top, self.left, self.top], np.float64)


def fit_short_side(width: int, height: int, short: int = 512, multiple: int = 64) -> Fit:
    """The published test size: the short side becomes `short`, the long side keeps the aspect.

    Each side of the input is rounded up to a `multiple`; the picture lies in its middle.

    Raises:
        InputError: a side is below 1.
    """
    _check(width, height, short, multiple)
    scale = short / min(width, height)
    inner = max(round(width * scale), 1), max(round(height * scale), 1)
    outer = [-(-side // multiple) * multiple for side in inner]
    return _middle((width, height), inner, outer[0], outer[1])


def fit_letterbox(width: int, height: int, size: int = 512) -> Fit:
    """The whole picture in the middle of a size x size input, as large as fits.

    For batches and engines of a fixed size; small people get smaller than in `fit_short_side`.

    Raises:
        InputError: a side is below 1.
    """
    _check(width, height, size, 1)
    scale = size / max(width, height)
    inner = max(round(width * scale), 1), max(round(height * scale), 1)
    return _middle((width, height), inner, size, size)


def _middle(source: tuple[int, int], inner: tuple[int, int], width: int, height: int) -> Fit:
    return Fit(source, inner, (width - inner[0]) // 2, (height - inner[1]) // 2, width, height)


def _check(*sides: int) -> None:
    if min(sides) < 1:
        raise InputError(f"A side of {min(sides)} pixels is not possible.", "Use 1 or more.")
