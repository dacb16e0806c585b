"""The scene as a network of clips sees it: the middle of the frame (CAER-Net, section 5.1).

Contexts are "resized to have the frame size of 128 x 171" and cropped to 112 x 112, at a random
place in training and in the middle otherwise. What lies to the sides, the network does not see.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from caer_ros.core import Box
from caer_ros.perception.preprocess import hide_faces, to_rgb
from caer_ros.perception.shrink import Shrink


def make_clip_context(
    image: np.ndarray,
    faces: Iterable[Box],
    encoding: str,
    out: np.ndarray,
    frame: tuple[int, int],
    fill: int = 0,
) -> np.ndarray:
    """The middle of the resized frame, every face hidden; see preprocess.make_context.

    Args:
        image: uint8 view of the frame, HxW or HxWxC in `encoding`; strides may be padded.
        faces: of everybody, in pixels of `image`.
        out: uint8 [size, size, 3], RGB; overwritten and returned.
        frame: rows and columns that the frame is resized to, each at least size.
    """
    rows, columns = frame
    shrink = Shrink.plan(image.shape[1], image.shape[0], columns, rows)
    small = to_rgb(shrink.apply(image), encoding)
    hide_faces(small, faces, shrink, fill)
    out[:] = small[_middle(frame, out.shape[0])]
    return out


def attention_over_frame(attention: np.ndarray, frame: tuple[int, int], size: int) -> np.ndarray:
    """A map over the context, laid over the frame that it was cut from.

    Args:
        attention: float32 [h, w], sums to 1.
        frame: rows and columns that the frame was resized to.
        size: side of the context.

    Returns:
        New float32 array [*frame], sums to 1; 0 where the network saw nothing.
    """
    whole = np.zeros(frame, np.float32)
    seen = cv2.resize(attention, (size, size), interpolation=cv2.INTER_LINEAR)
    whole[_middle(frame, size)] = seen / max(float(seen.sum()), 1e-12)
    return whole


def _middle(frame: tuple[int, int], size: int) -> tuple[slice, slice]:
    top, left = (round((side - size) / 2) for side in frame)
    return slice(top, top + size), slice(left, left + size)
