"""From a frame and its face boxes to the uint8 tensors that CAER-Net-S reads.

The same functions cut training crops, calibration crops and the robot's crops, so that the three
can not drift apart. Normalisation is part of the network's graph and colour conversion is done on
the small crops: the frame itself is never copied.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np

from caer_ros.core import Box, InputError
from caer_ros.perception.shrink import Shrink

# cv2 codes from each packed encoding to RGB; None where nothing is to be done.
_TO_RGB: dict[str, int | None] = {
    "rgb8": None,
    "bgr8": cv2.COLOR_BGR2RGB,
    "rgba8": cv2.COLOR_RGBA2RGB,
    "bgra8": cv2.COLOR_BGRA2RGB,
    "mono8": cv2.COLOR_GRAY2RGB,
}

ENCODINGS = tuple(_TO_RGB)

CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}


def check_encoding(encoding: str) -> None:
    """Raise InputError unless `encoding` is one that the pipeline can read."""
    if encoding not in _TO_RGB:
        raise InputError(
            f"Image encoding '{encoding}' is not supported.",
            f"Publish one of {', '.join(ENCODINGS)}.",
        )


def to_rgb(image: np.ndarray, encoding: str, out: np.ndarray | None = None) -> np.ndarray:
    """`image` (uint8, HxW or HxWxC of `encoding`) as RGB (uint8, HxWx3), into `out` where given."""
    code = _TO_RGB[encoding]
    if code is None:
        if out is None:
            return image
        np.copyto(out, image)
        return out
    return cv2.cvtColor(image, code, dst=out)


def crop_face(
    image: np.ndarray, box: Box, encoding: str, margin: float, out: np.ndarray
) -> np.ndarray:
    """Cut the square round `box` (longer side x (1 + 2 margin)) and resize it into `out`.

    Args:
        image: uint8 view of the frame, HxW or HxWxC in `encoding`; strides may be padded.
        box: face in pixels of `image`; may reach over the edge, where the edge pixel is repeated.
        out: uint8, size x size x 3, RGB; overwritten and returned.
    """
    size = out.shape[0]
    square = box.squared(margin)
    scale = size / square.width
    height, width = image.shape[:2]
    # Cut the smallest part of the frame that the square touches, one pixel of border for bilinear.
    x1, y1 = max(int(np.floor(square.x1)) - 1, 0), max(int(np.floor(square.y1)) - 1, 0)
    x2, y2 = min(int(np.ceil(square.x2)) + 1, width), min(int(np.ceil(square.y2)) + 1, height)
    if x2 <= x1 or y2 <= y1:
        raise InputError(f"Face box {box} lies outside the {width}x{height} image.")
    patch = image[y1:y2, x1:x2]
    if scale < 1:
        # Shrink by area first: a bare affine samples too few pixels and aliases.
        shrunk = (
            max(1, round(patch.shape[1] * scale)),
            max(1, round(patch.shape[0] * scale)),
        )
        sx, sy = shrunk[0] / patch.shape[1], shrunk[1] / patch.shape[0]
        patch = cv2.resize(patch, shrunk, interpolation=cv2.INTER_AREA)
    else:
        sx = sy = 1.0
    # Pixel centres: source = (u + 0.5) / scale + square.x1, in patch coordinates times sx.
    ax, ay = sx / scale, sy / scale
    inverse = np.array(
        [
            [ax, 0, (square.x1 - x1) * sx + 0.5 * ax - 0.5],
            [0, ay, (square.y1 - y1) * sy + 0.5 * ay - 0.5],
        ]
    )
    warped = cv2.warpAffine(
        patch,
        inverse,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return to_rgb(warped, encoding, out)


def hide_faces(context: np.ndarray, faces: Iterable[Box], shrink: Shrink, fill: int) -> None:
    """Paint every face over in `context`, in place (CAER-Net section 3.2.1, "hide faces").

    `shrink` made `context` of the frame. Rectangles cover every `context` pixel that a face pixel
    had a share in: blocks are covered whole, and resizing smears a pixel over the border, further
    so when it enlarges.
    """
    (width, height), (block_x, block_y) = shrink.size, shrink.blocks
    sx, sy = width / shrink.middle[0], height / shrink.middle[1]
    smear_x, smear_y = max(0.0, 0.5 - 0.5 / sx), max(0.0, 0.5 - 0.5 / sy)
    for face in faces:
        left, right = math.floor(face.x1) // block_x, -(-math.ceil(face.x2) // block_x)
        top, bottom = math.floor(face.y1) // block_y, -(-math.ceil(face.y2) // block_y)
        x1 = max(math.floor((left - smear_x) * sx), 0)
        y1 = max(math.floor((top - smear_y) * sy), 0)
        x2 = min(math.ceil((right + smear_x) * sx), width)
        y2 = min(math.ceil((bottom + smear_y) * sy), height)
        context[y1:y2, x1:x2] = fill


def make_context(
    image: np.ndarray, faces: Iterable[Box], encoding: str, out: np.ndarray, fill: int = 0
) -> np.ndarray:
    """The whole frame, resized into `out` (uint8, size x size x 3, RGB), with every face hidden.

    One context serves every person of the frame: the paper hides all faces, not only the person's.
    Hiding comes after resizing, so the frame is neither copied nor touched.
    """
    size = out.shape[0]
    shrink = Shrink.plan(image.shape[1], image.shape[0], size, size)
    to_rgb(shrink.apply(image), encoding, out)
    hide_faces(out, faces, shrink, fill)
    return out
