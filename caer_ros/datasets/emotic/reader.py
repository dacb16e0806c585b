"""EMOTIC read from its Annotations.mat, from the same as JSON, or from CSV lists."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from caer_ros.core import InputError
from caer_ros.datasets.emotic.annotation_file import (
    LAYOUT,
    Entries,
    annotation_files,
    picture_root,
    read_entries,
)
from caer_ros.datasets.emotic.images import picture_size
from caer_ros.datasets.emotic.mat_file import as_list
from caer_ros.datasets.emotic.person import (
    LABELS,
    categories_of,
    clip_box,
    corners_of,
    emotic_person,
    known_of,
    one_hot,
    vad_of,
)
from caer_ros.datasets.emotic.records import AnnotatedPerson
from caer_ros.datasets.emotic.splits import Annotations, Found, Splits, Tally, join_pictures


def read_emotic(root: Path, labels: str = "combined") -> Splits:
    """Split -> annotated pictures; see `open_emotic`."""
    return open_emotic(root, labels).images


def open_emotic(
    root: Path, labels: str = "combined", annotations: Path | None = None
) -> Annotations:
    """Read EMOTIC's annotations; opens no picture (of CSV lists: only the headers, for the sizes).

    Boxes are clipped to the picture. People without area after that and people without any category
    are left out and counted, as are pictures without anybody left. Somebody whose record says of
    which categories anything is known (`known_categories`) stays, even if of none.

    Args:
        root: folder with the annotations and the pictures, see annotation_file.py.
        labels: `combined` (a validation or test person has every category that any of the three to
            five annotators named, as published) or `majority`, see `categories_of`. Training people
            have one annotator either way, so that they have about a third of the labels.
        annotations: the file to read, instead of the first one found below `root`.

    Raises:
        InputError: no such folder, no annotations, a damaged file, an unknown category, a box that
            is not four numbers, or nobody left.
    """
    if labels not in LABELS:
        raise InputError(f"Unknown labels '{labels}'.", f"Use {' or '.join(LABELS)}.")
    if not root.is_dir():
        raise InputError(f"{root} is no folder.", LAYOUT)
    files = [annotations] if annotations else annotation_files(root)
    if not files:
        raise InputError(f"{root} has no annotations.", LAYOUT)
    entries = read_entries(files)
    tally = Tally()
    images = images_in(entries, picture_root(root, entries), labels, tally, str(files[0]))
    if not images:
        raise InputError(f"{files[0]} has nobody with a box and a category.", LAYOUT)
    return Annotations("emotic", root, tuple(files), images, tally)


def images_in(entries: Entries, base: Path, labels: str, tally: Tally, source: str) -> Splits:
    """Split -> annotated pictures of entries that are nested like those of Annotations.mat.

    Args:
        base: folder that the entries' folders lie in.
        labels: see `open_emotic`.
        tally: what is left out is counted here.
        source: for complaints.

    Raises:
        InputError: an entry is malformed.
    """
    return join_pictures(_found(entries, base, labels, tally, source), "emotic", tally)


def _found(entries: Entries, base: Path, labels: str, tally: Tally, source: str) -> Iterator[Found]:
    for split, listed in entries.items():
        for entry in listed:
            name = f"{entry.get('folder', '')}/{entry.get('filename', '')}"
            where = entry.get("where", f"{source}: {split}, {name}")
            if not entry.get("folder") or not entry.get("filename"):
                raise InputError(f"{where}: the picture has no folder or no name.", LAYOUT)
            path = base / str(entry["folder"]) / str(entry["filename"])
            size = _size(entry, path, where)
            people = [
                _person(record, size, labels, tally, f"{where}, person {number}")
                for number, record in enumerate(as_list(entry.get("person")), start=1)
            ]
            yield Found(path, *size, split, tuple(p for p in people if p is not None))


def _person(
    record: Any, size: tuple[int, int], labels: str, tally: Tally, where: str
) -> AnnotatedPerson | None:
    if not isinstance(record, Mapping):
        raise InputError(f"{where} is no record of a person.", LAYOUT)
    corners = corners_of(record.get("body_bbox"), where)
    box = clip_box(corners, size, tally, where)
    if box is None:
        return None
    categories, known = categories_of(record, labels, where), known_of(record, where)
    if categories is None and known is None:
        tally.unlabelled += 1
        return None
    if categories is None:
        categories = one_hot(set())
    vad, odd = vad_of(record, where)
    tally.odd_vad += odd
    return emotic_person(box, categories, vad, known)


def _size(entry: Mapping[str, Any], path: Path, where: str) -> tuple[int, int]:
    """Width and height. By name they are sure; CSV lists give them in either order (see there)."""
    size = entry.get("image_size")
    if isinstance(size, Mapping) and "listed" in size:
        numbers = size["listed"]
        if path.is_file():
            # Rather a wrong order than no data: `caer data check` reports unreadable pictures.
            with contextlib.suppress(InputError):
                numbers = picture_size(path)
    else:
        numbers = [size.get(k) for k in ("n_col", "n_row")] if isinstance(size, Mapping) else []
    if len(numbers) != 2 or not all(isinstance(n, (int, float)) and n >= 1 for n in numbers):
        raise InputError(f"{where}: the picture's size is missing.", "It needs n_row and n_col.")
    return int(numbers[0]), int(numbers[1])
