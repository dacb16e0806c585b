"""Cuts of a picture: what the robot's network sees, and roomier patches to jitter crops from.

Faces and contexts are cut by the functions that the robot uses, so the two can not drift apart.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from caer_ros.core import Box
from caer_ros.perception.preprocess import crop_face, make_context

FACE = 96
MARGIN = 0.1
CONTEXT = 224
FILL = 0
PATCH = 192
# Half the face's longer side on each side, so the face fills the middle half of the patch.
ROOM = 0.5


def cut_face(image: np.ndarray, box: Box, encoding: str) -> np.ndarray:
    """The crop that the robot makes of `box`: uint8 RGB [FACE, FACE, 3]."""
    return crop_face(image, box, encoding, MARGIN, np.empty((FACE, FACE, 3), np.uint8))


def cut_context(image: np.ndarray, faces: Iterable[Box], encoding: str) -> np.ndarray:
    """The scene as the robot makes it, all `faces` hidden: uint8 RGB [CONTEXT, CONTEXT, 3]."""
    out = np.empty((CONTEXT, CONTEXT, 3), np.uint8)
    return make_context(image, faces, encoding, out, FILL)


def cut_patch(image: np.ndarray, box: Box, encoding: str) -> tuple[np.ndarray, Box]:
    """The patch round `box`, uint8 RGB [PATCH, PATCH, 3], and the box in the patch's pixels."""
    patch = np.empty((PATCH, PATCH, 3), np.uint8)
    crop_face(image, box, encoding, ROOM, patch)
    (x1, y1), (x2, y2) = in_patch(np.array([[box.x1, box.y1], [box.x2, box.y2]]), box)
    return patch, Box(float(x1), float(y1), float(x2), float(y2))


def in_patch(points: np.ndarray, box: Box) -> np.ndarray:
    """Points [N, 2] of the image, in pixels of the patch round `box`."""
    square = box.squared(ROOM)
    return (points - [square.x1, square.y1]) * (PATCH / square.width)
