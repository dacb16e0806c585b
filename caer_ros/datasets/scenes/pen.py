"""A brush in its own unit coordinates over a supersampled piece of a picture.

Everything in a scene is drawn with it: a shape is written once round (0, 0), y down, and a matrix
says where it lands, how large and how rolled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

Colour = tuple[float, float, float]
Points = Sequence[tuple[float, float]] | np.ndarray

SUPERSAMPLING = 2
# cv2's fixed-point coordinates: sixteenths of a pixel.
_SHIFT = 4
_ONE = 1 << _SHIFT
_CIRCLE = np.stack(
    [f(np.linspace(0, 2 * np.pi, 28, endpoint=False)) for f in (np.cos, np.sin)], axis=1
)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` with `share` (0 to 1, clipped) of `second` in it; BGR, 0 to 255."""
    s = min(max(share, 0.0), 1.0)
    return (
        first[0] + s * (second[0] - first[0]),
        first[1] + s * (second[1] - first[1]),
        first[2] + s * (second[2] - first[2]),
    )


def darker(colour: Colour, factor: float) -> Colour:
    """A colour times `factor`, clipped to 255."""
    return tuple(min(c * factor, 255.0) for c in colour)  # type: ignore[return-value]


@dataclass(frozen=True)
class Placement:
    """Unit coordinates to pixels of the picture: centre, pixels a unit, roll in degrees.

    A point (0, 0) of the picture is the top-left corner of its first pixel. Positive roll turns
    clockwise as seen.
    """

    x: float
    y: float
    scale: float
    roll: float = 0.0

    @property
    def matrix(self) -> np.ndarray:
        """float64 [2, 3]."""
        angle = np.radians(self.roll)
        c, s = self.scale * np.cos(angle), self.scale * np.sin(angle)
        return np.array([[c, -s, self.x], [s, c, self.y]])

    def apply(self, points: Points) -> np.ndarray:
        """Points [N, 2] in units to pixels of the picture, float64 [N, 2]."""
        m = self.matrix
        return np.asarray(points, np.float64) @ m[:, :2].T + m[:, 2]


class Pen:
    """Draws on `canvas` (uint8 [h, w, 3], BGR), `zoom` pixels a pixel of the picture.

    `left, top` is the place of the canvas in the picture, in its pixels.
    """

    def __init__(
        self, canvas: np.ndarray, placement: Placement, left: int = 0, top: int = 0, zoom: int = 1
    ) -> None:
        self.canvas = canvas
        matrix = placement.matrix * zoom
        # cv2 counts from the middle of the first pixel, half a pixel after the picture's corner.
        matrix[:, 2] -= np.array([left, top]) * zoom + 0.5
        self._turn = matrix[:, :2].T * _ONE
        self._move = matrix[:, 2] * _ONE
        self.pixels = placement.scale * zoom

    def _fixed(self, points: Points) -> np.ndarray:
        return np.rint(np.asarray(points, np.float64) @ self._turn + self._move).astype(np.int32)

    def fill(self, points: Points, colour: Colour) -> None:
        """A filled polygon [N, 2]."""
        cv2.fillPoly(self.canvas, [self._fixed(points)], colour, cv2.LINE_AA, _SHIFT)

    def stroke(self, points: Points, colour: Colour, width: float, closed: bool = False) -> None:
        """A line through points [N, 2], `width` units thick (one canvas pixel at least)."""
        thick = max(1, round(width * self.pixels))
        fixed = self._fixed(points)
        cv2.polylines(self.canvas, [fixed], closed, colour, thick, cv2.LINE_AA, _SHIFT)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: Colour,
        roll: float = 0.0,
        width: float | None = None,
    ) -> None:
        """An ellipse, filled or `width` units thick; `roll` in degrees."""
        points = oval(x, y, rx, ry, roll)
        if width is None:
            self.fill(points, colour)
        else:
            self.stroke(points, colour, width, closed=True)

    def disc(self, x: float, y: float, r: float, colour: Colour) -> None:
        """A filled circle."""
        self.fill(_CIRCLE * r + (x, y), colour)

    def box(self, x1: float, y1: float, x2: float, y2: float, colour: Colour) -> None:
        """A filled rectangle."""
        self.fill(((x1, y1), (x2, y1), (x2, y2), (x1, y2)), colour)


def oval(x: float, y: float, rx: float, ry: float, roll: float = 0.0) -> np.ndarray:
    """Points of an ellipse, float64 [28, 2]."""
    points = _CIRCLE * (rx, ry)
    if roll:
        angle = np.radians(roll)
        c, s = np.cos(angle), np.sin(angle)
        points = points @ np.array([[c, s], [-s, c]])
    return np.add(points, (x, y))


def bow(
    start: tuple[float, float], top: tuple[float, float], end: tuple[float, float]
) -> np.ndarray:
    """A curve from `start` through `top` at its middle to `end`, float64 [9, 2]."""
    a, m, b = (np.asarray(p, np.float64) for p in (start, top, end))
    control = 2 * m - (a + b) / 2
    t = np.linspace(0, 1, 9)[:, None]
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * control + t**2 * b


@contextmanager
def pen_on(image: np.ndarray, placement: Placement, reach: Sequence[float]) -> Iterator[Pen]:
    """A pen on the part of `image` that `reach` (x1, y1, x2, y2 in units) covers, supersampled.

    Pixels that nothing is drawn on come back unchanged; the part outside the image is cut off.
    """
    x1, y1, x2, y2 = reach
    corners = placement.apply(((x1, y1), (x2, y1), (x2, y2), (x1, y2)))
    height, width = image.shape[:2]
    left, top = (max(int(v), 0) for v in np.floor(corners.min(axis=0)) - 1)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    right, bottom = min(int(right), width), min(int(bottom), height)
    if right <= left or bottom <= top:
        yield Pen(np.zeros((1, 1, 3), np.uint8), placement, -9999, -9999)
        return
    part = image[top:bottom, left:right]
    size: Any = ((right - left) * SUPERSAMPLING, (bottom - top) * SUPERSAMPLING)
    canvas = cv2.resize(part, size, interpolation=cv2.INTER_NEAREST)
    yield Pen(canvas, placement, left, top, SUPERSAMPLING)
    cv2.resize(canvas, (right - left, bottom - top), dst=part, interpolation=cv2.INTER_AREA)
