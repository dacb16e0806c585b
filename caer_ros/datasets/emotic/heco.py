"""HECO: people with one of eight emotions, as further training data for EMOTIC's 26 categories.

    ROOT/Labels/HECO_Labels.csv   Image,xmin,ymin,xmax,ymax,Category,Valence,Arousal,Dominance,...
    ROOT/Data/ (or Images/)       the pictures

Each line is one person with his own box. Each of the eight labels has a counterpart among EMOTIC's
categories (names.py). A person has exactly one label, so the other seven counterparts are absent;
nothing is known of the remaining 18 categories, and `known` says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from caer_ros.core import EMOTIC26, InputError
from caer_ros.datasets.emotic.heco_table import (
    BOX,
    LAYOUT,
    Row,
    heco_labels,
    number_in,
    read_rows,
    read_vad,
)
from caer_ros.datasets.emotic.images import picture_size
from caer_ros.datasets.emotic.names import HECO_PLACES, heco_place
from caer_ros.datasets.emotic.person import clip_box, corners_of, one_hot
from caer_ros.datasets.emotic.records import AnnotatedPerson
from caer_ros.datasets.emotic.splits import Annotations, Found, Splits, Tally, join_pictures
from caer_ros.perception.sources import IMAGE_SUFFIXES


def read_heco(root: Path, train: float = 1.0, validation: float = 0.0) -> Splits:
    """Split -> annotated pictures; see `open_heco`."""
    return open_heco(root, train, validation).images


def open_heco(
    root: Path, train: float = 1.0, validation: float = 0.0, skip_bad: bool = False
) -> Annotations:
    """Read HECO's labels and the headers of its pictures, whose sizes the table does not hold.

    There is no official split: the first bytes of SHA-256 of a picture's name place it in [0, 1);
    the first `train` of that are training, the next `validation` validation, the rest test. A
    picture's people stay together, and no other picture shifts it. BENet trains on all of HECO
    (section 3.2), which is the default.

    Boxes are clipped to the picture; people without area after that are left out and counted.

    Args:
        skip_bad: leave out pictures whose header can not be read, and count them.

    Raises:
        InputError: no such folder or table, a missing column, an unknown label, a value that is no
            number or of no scale (`read_vad`), impossible shares, an unreadable picture, or nobody
            left.
    """
    if min(train, validation) < 0 or train + validation > 1 + 1e-9:
        raise InputError(
            f"Shares of {train} and {validation} are not possible.", "Their sum is at most 1."
        )
    if not root.is_dir():
        raise InputError(f"{root} is no folder.", LAYOUT)
    table = heco_labels(root)
    if table is None:
        raise InputError(f"{root} has no HECO_Labels.csv.", LAYOUT)
    rows = read_rows(table)
    vad, scale = read_vad(rows, table)
    tally = Tally()
    pictures = _pictures(_picture_folder(root), rows, skip_bad, tally)
    found = []
    for name, path, size, places in pictures:
        listed = [_person(rows[k], vad[k], size, tally, f"{table} line {k + 2}") for k in places]
        people = tuple(person for person in listed if person is not None)
        found.append(Found(path, *size, split_of(name, train, validation), people))
    images = join_pictures(found, "heco", tally)
    if not images:
        raise InputError(f"{table} has nobody in a readable picture.", LAYOUT)
    note = f"Valence, arousal and dominance were read as {scale}."
    return Annotations("heco", root, (table,), images, tally, (note,))


def split_of(name: str, train: float, validation: float) -> str:
    """The split of a picture by its name alone, see `open_heco`."""
    digest = hashlib.sha256(name.encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < train:
        return "train"
    return "validation" if place < train + validation else "test"


def _pictures(
    folder: Path, rows: list[Row], skip_bad: bool, tally: Tally
) -> Iterator[tuple[str, Path, tuple[int, int], list[int]]]:
    """Name, file, width and height, and the places in `rows` of its people, for each picture."""
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row["image"].strip(), []).append(place)
    for name, mine in places.items():
        path = _picture(folder, name)
        try:
            yield name, path, picture_size(path), mine
        except InputError as error:
            if not skip_bad:
                raise
            tally.unreadable.append(str(error))


def _person(
    row: Row, vad: np.ndarray, size: tuple[int, int], tally: Tally, where: str
) -> AnnotatedPerson | None:
    corners = corners_of([number_in(row[name], where) for name in BOX], where)
    box = clip_box(corners, size, tally, where)
    if box is None:
        return None
    known = np.zeros(len(EMOTIC26), bool)
    known[list(HECO_PLACES)] = True
    return AnnotatedPerson(box, one_hot({heco_place(row["category"], where)}), known, vad)


def _picture_folder(root: Path) -> Path:
    for name in ("Data", "Images", "data", "images"):
        if (root / name).is_dir():
            return root / name
    raise InputError(f"{root} has no folder of pictures.", LAYOUT)


def _picture(folder: Path, name: str) -> Path:
    """The file that a table means; some tables leave the suffix out."""
    path = folder / name
    if path.is_file() or path.suffix.lower() in IMAGE_SUFFIXES:
        return path
    for suffix in IMAGE_SUFFIXES:
        if (folder / f"{name}{suffix}").is_file():
            return folder / f"{name}{suffix}"
    return path
