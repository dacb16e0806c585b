"""Face boxes as a picture to look at and as lists that other tools read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from caer_ros.core import Box, InputError
from caer_ros.datasets.face_boxes import FileFaces, with_boxes
from caer_ros.datasets.face_list import ListedFile, write_face_list
from caer_ros.datasets.layouts import find_lists
from caer_ros.datasets.media import read_video_frames
from caer_ros.datasets.samples import Dataset
from caer_ros.perception.contact_sheet import contact_sheet
from caer_ros.perception.sources import read_image
from caer_ros.perception.writer import write_image

_SHOWN = 12
_SUBJECT, _OTHER = (80, 220, 80), (60, 160, 255)


def draw_faces(image: np.ndarray, faces: Sequence[Box]) -> np.ndarray:
    """A copy of a BGR picture with the first face (the subject) in green and others in orange."""
    drawn = image.copy()
    thickness = max(2, image.shape[1] // 200)
    for place, box in reversed(list(enumerate(faces))):
        corners = [round(v) for v in (box.x1, box.y1, box.x2, box.y2)]
        colour = _OTHER if place else _SUBJECT
        cv2.rectangle(drawn, corners[:2], corners[2:], colour, thickness)
    return drawn


def draw_examples(data: Dataset, boxes: Mapping[str, FileFaces], path: Path) -> int:
    """Write a sheet of files spread evenly over the set, their faces drawn in; how many."""
    files = {data.relative(s): s.path for s in data.samples if data.relative(s) in boxes}
    names = sorted(files)
    chosen = [names[i * len(names) // _SHOWN] for i in range(_SHOWN)] if names else []
    pictures = []
    for name in dict.fromkeys(chosen):
        frame = next(iter(boxes[name].frames))
        if data.kind == "image":
            image = read_image(files[name])
        else:
            image = read_video_frames(files[name], [frame])[0]
        pictures.append(draw_faces(image, boxes[name].frames[frame]))
    if pictures:
        write_image(path, contact_sheet(pictures, 4, 320))
    return len(pictures)


def check_no_lists(folder: Path) -> None:
    """Raise InputError where `folder` holds lists that writing new ones would replace."""
    there = find_lists(folder)
    if there:
        names = ", ".join(path.name for path in there.values())
        raise InputError(f"{folder} holds {names} already.", "Move them away or name a new folder.")


def write_lists(data: Dataset, boxes: Mapping[str, FileFaces], out: Path) -> None:
    """Write `out`/SPLIT.csv of the files that have boxes, names below each split's own folder.

    Written into `data.root` itself, they are the lists that readers find there.

    Raises:
        InputError: `out` holds lists already, perhaps somebody's hand-checked ones.
    """
    check_no_lists(out)
    held = Dataset(
        data.root, data.kind, tuple(s for s in data.samples if data.relative(s) in boxes)
    )
    samples = with_boxes(held, boxes)
    for split in held.splits():
        rows = [
            ListedFile(held.relative(s).split("/", 1)[1], s.label, s.box)
            for s in samples
            if s.split == split
        ]
        write_face_list(out / f"{split}.csv", rows)
