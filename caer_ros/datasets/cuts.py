"""How faces and contexts are cut out of frames for training and test (section 5.1).

Faces are cut, and hidden in the context, by the robot's own functions. What the paper adds in
training, a random crop of the context and boxes that are not quite where the detector put them, is
chosen once a sample, so that all frames of a clip are cut alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.patches import FILL, MARGIN
from caer_ros.perception.preprocess import crop_face, hide_faces
from caer_ros.perception.shrink import Shrink

# Section 5.1: contexts of clips are "resized to have the frame size of 128 x 171 and randomly
# cropped into 112 x 112". Rows x columns, in shares of the crop's side.
_CLIP_ROWS, _CLIP_COLUMNS = 128 / 112, 171 / 112


@dataclass(frozen=True)
class Cut:
    """Sizes in pixels and switches.

    Attributes:
        face: side of a face crop.
        context: side of a context.
        cropped: resize the frame to 128/112 x 171/112 of `context` and crop, as the paper does with
            clips; else the whole frame is squeezed into the square, as the robot does.
        hide_faces: paint every face of the frame over in the context.
        jitter: most that a face box moves or grows in training, in shares of its longer side.
    """

    face: int = 96
    context: int = 224
    cropped: bool = False
    hide_faces: bool = True
    jitter: float = 0.0


@dataclass(frozen=True)
class Choice:
    """What chance chose for one sample: crop position in [0, 1] (0.5: centre) and box change."""

    row: float = 0.5
    column: float = 0.5
    shift_x: float = 0.0
    shift_y: float = 0.0
    growth: float = 0.0


CENTRE = Choice()


def choose(cut: Cut, rng: np.random.Generator) -> Choice:
    """A random crop position and box change; always the same number of draws."""
    row, column = rng.random(2)
    shift_x, shift_y, growth = rng.uniform(-cut.jitter, cut.jitter, 3)
    return Choice(float(row), float(column), float(shift_x), float(shift_y), float(growth))


def cut_face(image: np.ndarray, box: Box, cut: Cut, choice: Choice = CENTRE) -> np.ndarray:
    """The face crop, uint8 RGB [face, face, 3], of `image` (uint8 BGR [H, W, 3])."""
    side = max(box.width, box.height)
    half = side * (1 + choice.growth) / 2
    # Half as far as `jitter` says: a box that moved by its own half would show half a face.
    cx = (box.x1 + box.x2) / 2 + choice.shift_x * side / 2
    cy = (box.y1 + box.y2) / 2 + choice.shift_y * side / 2
    moved = Box(cx - half, cy - half, cx + half, cy + half) if cut.jitter else box
    out = np.empty((cut.face, cut.face, 3), np.uint8)
    return crop_face(image, moved, "bgr8", MARGIN, out)


def cut_context(
    image: np.ndarray, faces: Iterable[Box], cut: Cut, choice: Choice = CENTRE
) -> np.ndarray:
    """The scene, uint8 RGB [context, context, 3], of `image` (uint8 BGR [H, W, 3])."""
    rows, columns = scaled_size(cut)
    shrink = Shrink.plan(image.shape[1], image.shape[0], columns, rows)
    rgb = cv2.cvtColor(shrink.apply(image), cv2.COLOR_BGR2RGB)
    if cut.hide_faces:
        hide_faces(rgb, faces, shrink, FILL)
    top, left = crop_offset(cut, choice)
    return np.ascontiguousarray(rgb[top : top + cut.context, left : left + cut.context])


def scaled_size(cut: Cut) -> tuple[int, int]:
    """Rows and columns that the whole frame is resized to before the crop."""
    if not cut.cropped:
        return cut.context, cut.context
    return round(cut.context * _CLIP_ROWS), round(cut.context * _CLIP_COLUMNS)


def crop_offset(cut: Cut, choice: Choice) -> tuple[int, int]:
    """First row and column of the crop in the resized frame."""
    rows, columns = scaled_size(cut)
    return (
        round((rows - cut.context) * choice.row),
        round((columns - cut.context) * choice.column),
    )


def no_face(cut: Cut, frames: tuple[int, ...] = ()) -> np.ndarray:
    """The black crop of somebody whose face was not found: uint8 [*frames, face, face, 3]."""
    return np.zeros((*frames, cut.face, cut.face, 3), np.uint8)
