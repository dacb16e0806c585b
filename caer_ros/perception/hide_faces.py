"""Takes faces out of a picture, so that nobody can be told by his face. It can not be undone."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from caer_ros.core import Box, PersonEmotion
from caer_ros.perception.heat import pixels

# What is left of a face: the mean colours of this many places a side, 48 numbers in all.
_CELLS = 4
_MARGIN = 0.15
# The head of a body whose face nobody looked for: from a standing one's to a close-up's.
_HEAD_OF_HEIGHT, _HEAD_OF_WIDTH = 0.3, 0.7


def hide_faces(canvas: np.ndarray, boxes: Iterable[Box]) -> None:
    """Replace what is in the boxes, in place, by a few mean colours that run into each other.

    Args:
        canvas: uint8 [height, width, 3].
        boxes: pixels; parts outside are left out.
    """
    height, width = canvas.shape[:2]
    for box in boxes:
        part = canvas[pixels(box, width, height)]
        if part.size:
            rows, columns = part.shape[:2]
            few = cv2.resize(part, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
            part[:] = cv2.resize(few, (columns, rows), interpolation=cv2.INTER_LINEAR)


def where_faces_may_be(people: Iterable[PersonEmotion], others: Iterable[Box] = ()) -> list[Box]:
    """What to hide: the faces, a little wider, and heads of bodies without a face.

    Args:
        people: of one frame.
        others: faces of nobody among them.

    Of a body without a face (BENet looks for none) the upper part is taken: 0.3 of its height, or
    0.7 of its width where that is more, as in a close-up.
    """
    boxes = [_wider(box) for box in others]
    for person in people:
        if person.face is not None:
            boxes.append(_wider(person.face))
        elif person.body is not None:
            boxes.append(_head(person.body))
    return boxes


def _wider(box: Box) -> Box:
    x, y = box.width * _MARGIN, box.height * _MARGIN
    return Box(box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y)


def _head(body: Box) -> Box:
    height = min(body.height, max(_HEAD_OF_HEIGHT * body.height, _HEAD_OF_WIDTH * body.width))
    return Box(body.x1, body.y1, body.x2, body.y1 + height)
