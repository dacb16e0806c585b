"""Folders laid out like CAER-S: ROOT/{train,test}/CLASS/NNNN.png and a list of face boxes.

The list is ROOT/{train,test}.csv with lines `CLASS/NNNN.png,label,x1,y1,x2,y2`: the form that
public CAER-S face lists have, label being the place in CAER7.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from caer_ros.core import CAER7, Box, InputError

# CAER-S itself names its first class "Angry" in train/ and "Anger" in test/.
_ALIASES = {"Angry": "Anger"}
_REMEDY = "Lay the folder out like CAER-S, or make one with `caer data synth`."


@dataclass(frozen=True)
class Sample:
    """One labelled person: picture, place in CAER7, face box in the picture's pixels."""

    path: Path
    label: int
    box: Box


def class_index(name: str) -> int:
    """Place of a class folder's name in CAER7.

    Raises:
        InputError: no such class.
    """
    name = _ALIASES.get(name, name)
    if name not in CAER7:
        raise InputError(f"Unknown class '{name}'.", f"Use {', '.join(CAER7)}.")
    return CAER7.index(name)


def list_samples(root: Path, split: str) -> list[Sample]:
    """All samples of `root`/`split`, in the order of the list of boxes.

    Raises:
        InputError: the folder, its list or a listed picture is missing or malformed.
    """
    table = root / f"{split}.csv"
    if not table.is_file():
        raise InputError(f"{table} does not exist.", _REMEDY)
    samples = []
    with table.open(newline="") as stream:
        for number, row in enumerate(csv.reader(stream), start=1):
            try:
                samples.append(_parse(root / split, row))
            except (ValueError, IndexError) as error:
                raise InputError(f"{table} line {number} is wrong: {error}.", _REMEDY) from None
    if not samples:
        raise InputError(f"{table} is empty.", _REMEDY)
    return samples


def _parse(folder: Path, row: list[str]) -> Sample:
    name, label = row[0], int(row[1])
    x1, y1, x2, y2 = (float(value) for value in row[2:6])
    if label != class_index(name.split("/")[0]):
        raise ValueError(f"label {label} does not fit {name}")
    path = folder / name
    if not path.is_file():
        raise InputError(f"{path} is listed but does not exist.", _REMEDY)
    return Sample(path, label, Box(x1, y1, x2, y2))


def read_rgb(path: Path) -> np.ndarray:
    """A picture as uint8 RGB [H, W, 3].

    Raises:
        InputError: it is missing or not a picture.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path} is not a picture that can be read.", "Give a PNG or JPEG file.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
