"""What moves: the camera, the heads, and the boxes that a detector puts round them."""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.core import Box
from caer_ros.evaluation.motion.footage import Footage, moved, side

# Of an offset, how much is left a frame later: at 10 frames a second, hands and wheels.
_KEPT = 0.8
_MOST = 2.0
# Degrees of roll at an amount of 1.
_ROLL = 60.0
# A head is moved as a whole within this many of its sides from its centre, and nothing beyond that.
_WHOLE, _NOTHING = 0.75, 1.75


def wander(rng: np.random.Generator, frames: int, ways: int) -> np.ndarray:
    """Offsets that wander: float64 [frames, ways], each of mean 0 and deviation about 1, within
    [-2, 2], correlated by 0.8 from frame to frame."""
    steps = rng.standard_normal((frames, ways))
    offsets = steps.copy()
    for t in range(1, frames):
        offsets[t] = _KEPT * offsets[t - 1] + np.sqrt(1 - _KEPT**2) * steps[t]
    return np.clip(offsets, -_MOST, _MOST)


def camera(footage: Footage, amount: float, rng: np.random.Generator) -> Footage:
    """The whole picture shifts and rolls; what comes in at the edges is mirrored.

    Args:
        amount: deviation of the shift, in shares of the frame's shorter side. The roll's is 0.6
            degrees for each hundredth.
    """
    reach = amount * footage.short_side
    frames, faces = [], []
    ways = wander(rng, len(footage), 3)
    for frame, boxes, (dx, dy, roll) in zip(footage.frames, footage.faces, ways, strict=True):
        height, width = frame.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(_ROLL * amount * roll), 1.0)
        turn[:, 2] += reach * dx, reach * dy
        frames.append(cv2.warpAffine(frame, turn, (width, height), borderMode=cv2.BORDER_REFLECT))
        faces.append([_carried(box, turn) for box in boxes])
    return footage.changed(frames, faces)


def heads(footage: Footage, amount: float, rng: np.random.Generator) -> Footage:
    """Every head sways on its own; what is round it gives way smoothly, the rest stands still.

    Args:
        amount: deviation in shares of the face's longer side.
    """
    most = max(len(boxes) for boxes in footage.faces)
    ways = wander(rng, len(footage), 2 * most).reshape(len(footage), most, 2)
    frames, faces = [], []
    for frame, boxes, way in zip(footage.frames, footage.faces, ways, strict=True):
        shifts = [amount * side(box) * step for box, step in zip(boxes, way, strict=False)]
        after = [moved(box, *shift) for box, shift in zip(boxes, shifts, strict=True)]
        frames.append(_swayed(frame, after, shifts))
        faces.append(after)
    return footage.changed(frames, faces)


def boxes(footage: Footage, amount: float, rng: np.random.Generator) -> Footage:
    """Every box a little beside the face and of another size, anew in each frame; pictures stay.

    Args:
        amount: deviation of the shift, and of the logarithm of the size, in shares of the face's
            longer side.
    """
    most = max(len(faces) for faces in footage.faces)
    dice = np.clip(rng.standard_normal((len(footage), most, 3)), -_MOST, _MOST) * amount
    return footage.changed(
        faces=[
            [
                moved(face, dx * side(face), dy * side(face), float(np.exp(growth)))
                for face, (dx, dy, growth) in zip(faces, row, strict=False)
            ]
            for faces, row in zip(footage.faces, dice, strict=True)
        ]
    )


def _carried(box: Box, turn: np.ndarray) -> Box:
    """A box whose centre went along with the picture; detectors' boxes stay upright."""
    x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    to_x, to_y = turn @ (x, y, 1.0)
    return moved(box, float(to_x) - x, float(to_y) - y)


def _swayed(frame: np.ndarray, after: list[Box], shifts: list[np.ndarray]) -> np.ndarray:
    height, width = frame.shape[:2]
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    from_x, from_y = columns.copy(), rows.copy()
    for box, (dx, dy) in zip(after, shifts, strict=True):
        x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
        away = np.hypot(columns - x, rows - y) / side(box)
        share = np.clip((_NOTHING - away) / (_NOTHING - _WHOLE), 0, 1)
        share = share * share * (3 - 2 * share)
        from_x -= np.float32(dx) * share
        from_y -= np.float32(dy) * share
    return cv2.remap(frame, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
