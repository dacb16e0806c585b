"""Where a training sample's pixels come from: one random projective map for picture and boxes.

Coordinates are continuous: pixel (0, 0) covers the square from (0, 0) to (1, 1), so that a box's
edges, a picture's edges and mirroring need no half pixels. A map is a float64 [3, 3] that takes
(x, y, 1) of the picture to the network's input, up to scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.core import InputError

# Of a person's box that the map moved: less inside the input, and he counts as gone.
LEAST_VISIBLE = 0.25
# Pixels of the input: of anybody thinner there is nothing to see.
LEAST_SIDE = 1.0
# Nearer to the horizon of a map than this, boxes grow without bound.
_LEAST_DEPTH = 0.1


@dataclass(frozen=True)
class Geometry:
    """How far the random map goes; each part is drawn evenly.

    Attributes:
        scale: side of the square of the picture that fills the input, least and most, in short
            sides of the picture (long sides of a subject's cut-out). Above 1 there is black around.
        rotation: most degrees, to both sides.
        translation: most, of the square, as a share of its side, to all sides.
        perspective: most change of depth over the input's width and over its height, both ways.
            The published 5e-5 a pixel are 0.0256 over 512 pixels.
        flip: probability of mirroring.

    Raises:
        InputError: a value is out of its range.
    """

    scale: tuple[float, float] = (0.75, 1.5)
    rotation: float = 5.0
    translation: float = 0.08
    perspective: float = 0.0256
    flip: float = 0.5

    def __post_init__(self) -> None:
        _check("scale", 0.1 <= self.scale[0] <= self.scale[1] <= 10, "two, 0.1 to 10, rising")
        _check("rotation", 0 <= self.rotation <= 180, "0 to 180 degrees")
        _check("translation", 0 <= self.translation <= 1, "0 to 1")
        _check("perspective", 0 <= self.perspective <= 0.5, "0 to 0.5")
        _check("flip", 0 <= self.flip <= 1, "0 to 1")


def draw_map(
    width: int, height: int, side: float, size: int, settings: Geometry, rng: np.random.Generator
) -> np.ndarray:
    """A random map of a width x height picture into a size x size input.

    Args:
        side: of the square round the picture's middle that scale 1 shows, in pixels.
    """
    scale = rng.uniform(*settings.scale)
    degrees = rng.uniform(-1, 1) * settings.rotation
    shift = rng.uniform(-1, 1, 2) * settings.translation * scale * side
    depth = rng.uniform(-1, 1, 2) * settings.perspective / size
    mirror = -1.0 if rng.random() < settings.flip else 1.0
    zoom = size / (scale * side)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    to_middle = _translate(-width / 2 - shift[0], -height / 2 - shift[1])
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.diag([mirror * zoom, zoom, 1])
    lean = np.array([[1, 0, 0], [0, 1, 0], [*depth, 1]])
    return _translate(size / 2, size / 2) @ lean @ turn @ to_middle


def warp_image(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """The uint8 [size, size, 3] input that a map makes of uint8 [h, w, 3]; black outside it.

    Interpolates once. A picture that shrinks to less than half is averaged to about its final size
    first, as bilinear sampling would skip pixels.
    """
    zoom = _zoom(matrix, size)
    if zoom < 0.5:
        height, width = image.shape[:2]
        small = max(round(width * zoom), 1), max(round(height * zoom), 1)
        image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([width / small[0], height / small[1], 1])
    # OpenCV counts from the middle of the first pixel.
    pixels = _translate(-0.5, -0.5) @ matrix @ _translate(0.5, 0.5)
    return cv2.warpPerspective(image, pixels, (size, size), flags=cv2.INTER_LINEAR)


def warp_boxes(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The smallest upright boxes round the four mapped corners of each: float64 [N, 4].

    They may reach over the input's edge. NaN where a corner lies at or behind the map's horizon.
    """
    corners = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    mapped = np.concatenate([corners, np.ones((*corners.shape[:2], 1))], axis=2) @ matrix.T
    depth = mapped[..., 2:]
    points = mapped[..., :2] / np.where(depth > _LEAST_DEPTH, depth, np.nan)
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)


def clip_boxes(boxes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes clipped to a size x size input, and who is still there.

    A person is gone whose box's centre lies outside (there is no pixel to read his emotions from)
    less than a quarter of whose box lies inside, or of whom less than a pixel is left.

    Returns:
        float64 [n, 4] of those who stay, and their places, int64 [n].
    """
    clipped = np.clip(boxes, 0, size)
    with np.errstate(invalid="ignore"):
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        inside = ((centre >= 0) & (centre < size)).all(axis=1)
        area, seen = ((b[:, 2:] - b[:, :2]).prod(axis=1) for b in (boxes, clipped))
        thick = (clipped[:, 2:] - clipped[:, :2] >= LEAST_SIDE).all(axis=1)
        stays = np.flatnonzero(inside & thick & (seen >= LEAST_VISIBLE * area))
    return clipped[stays], stays


def _zoom(matrix: np.ndarray, size: int) -> float:
    """How much longer lengths get at the middle of the input, on average over directions."""
    back = np.linalg.inv(matrix)
    x, y, w = back @ [size / 2, size / 2, 1]
    # The derivative of (x / w, y / w) by the input's coordinates.
    jacobian = (back[:2, :2] - np.outer([x / w, y / w], back[2, :2])) / w
    return float(abs(np.linalg.det(jacobian)) ** -0.5)


def _translate(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def _check(name: str, good: bool, allowed: str) -> None:
    if not good:
        raise InputError(f"augment.geometry: {name} is out of range.", f"Use {allowed}.")


# The middle of the picture, as it is.
STILL = Geometry((1.0, 1.0), 0.0, 0.0, 0.0, 0.0)
