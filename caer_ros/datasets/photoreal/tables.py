"""What tables beside renders say of them, and the files' bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.photoreal.cues import Cue
from caer_ros.datasets.photoreal.picture import Picture
from caer_ros.datasets.photoreal.render import LANDMARKS

MARKS = tuple(f"{name}_{axis}" for name in LANDMARKS for axis in "xy")
CUE = ("cue_kind", "cue", "cue_label", "cue_x1", "cue_y1", "cue_x2", "cue_y2")


def corners(box: Box) -> list[float]:
    """x1, y1, x2, y2 to a tenth of a pixel."""
    return [round(v, 1) for v in (box.x1, box.y1, box.x2, box.y2)]


def picture_row(picture: Picture) -> dict[str, Any]:
    """The face's box, the skin's tone, the head's angles in degrees, the face's height in pixels,
    and its landmarks."""
    view = picture.view
    return {
        "box": corners(picture.box),
        "ita": round(picture.ita, 1), "yaw": round(view.yaw, 1), "pitch": round(view.pitch, 1),
        "roll": round(view.roll, 1), "face": round(view.face, 1),
        "landmarks": [round(float(v), 1) for v in picture.landmarks.ravel()],
    }  # fmt: skip


def cue_row(cue: Cue) -> list[Any]:
    """Values of the columns CUE; empty ones where there is no cue."""
    box = [""] * 4 if cue.box is None else corners(cue.box)
    return [cue.kind, cue.name, cue.label, *box]


def face_row(name: str, size: int, pictures: Sequence[Picture]) -> dict[str, Any]:
    """A file's row of the face cache: the subject's exact box first in every frame, then those of
    others, clipped to the picture."""
    height, width = pictures[0].image.shape[:2]
    frames = []
    for t, picture in enumerate(pictures):
        faces = [
            [*corners(box), 1.0 if k == 0 else 0.9]
            for k, whole in enumerate((picture.box, *picture.others))
            if (box := whole.clipped(width, height)) is not None
        ]
        frames.append([t, faces])
    return {"file": name, "bytes": size, "width": width, "height": height, "frames": frames}


def encode_png(rgb: np.ndarray) -> bytes:
    """A picture (uint8 RGB [H, W, 3]) as a PNG file."""
    return cv2.imencode(".png", rgb[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 2])[1].tobytes()


def encode_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as a CSV file."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def cut_face(rgb: np.ndarray, box: Sequence[float], side: int) -> np.ndarray:
    """A face (x1, y1, x2, y2) with some surroundings: uint8 RGB [side, side, 3]."""
    scale = side / (max(box[2] - box[0], box[3] - box[1]) * 1.5)
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    move = np.array(
        [[scale, 0, side / 2 - middle[0] * scale], [0, scale, side / 2 - middle[1] * scale]]
    )
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(np.ascontiguousarray(rgb), move, (side, side), flags=flags)
