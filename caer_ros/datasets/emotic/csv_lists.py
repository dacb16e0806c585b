"""EMOTIC as lists of people, one CSV file a split, as public preprocessors write them.

Columns, by name, in any order and case; Index, Gender, Age and others are passed over:

    Folder, Filename      where the picture lies below `emotic/`
    Image Size            "[640, 480]": two numbers, see below
    BBox                  "[86, 58, 564, 628]": x1, y1, x2, y2 in pixels
    Categorical_Labels    "['Disconnection', 'Doubt/Confusion']"
    Continuous_Labels     "[5.0, 3.0, nan]": valence, arousal, dominance, 1 to 10 (may be missing)

The fields are Python's lists as text. The lists hold no single annotators: validation and test
people come with what all of theirs named together.

Prefer Annotations.mat. The preprocessors took the two numbers of a picture's size in the order of
the file, which is width first for some of EMOTIC's sources and height first for others, and cut x
by the first and y by the second: some boxes have lost a part. Whoever reads these lists has to ask
the picture itself for its size; the box stays cut.
"""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caer_ros.core import InputError

_NEEDED = ("folder", "filename", "imagesize", "bbox", "categoricallabels")
_CONTINUOUS = "continuouslabels"
_FORM = (
    "Needed columns: Folder, Filename, Image Size, BBox, Categorical_Labels, with Python lists as "
    "text."
)


def is_people_list(path: Path) -> bool:
    """Whether a CSV file starts with the header of such a list."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header = next(csv.reader(file), [])
    except OSError:
        return False
    return set(_NEEDED) <= {_key(name) for name in header}


def read_list(path: Path, split: str) -> list[dict[str, Any]]:
    """One entry a person, formed like those of Annotations.mat; one picture may have several.

    `image_size` has no reliable order: it is given as `listed` [2] instead of by name. `where` is
    the line.

    Raises:
        InputError: the file can not be read, misses a column or is empty, or a field is no list;
            the line is named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can not be read: {error}.", _FORM) from error
    reader = csv.reader(io.StringIO(text))
    header = [_key(name) for name in next(reader, [])]
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise InputError(f"{path} has no column {missing[0]}.", _FORM)
    entries = []
    for row in reader:
        if not row:
            continue
        try:
            entry = _entry(dict(zip(header, row, strict=True)), split)
            entries.append(entry | {"where": f"{path} line {reader.line_num}"})
        except ValueError as error:
            raise InputError(f"{path} line {reader.line_num} is wrong: {error}.", _FORM) from None
    if not entries:
        raise InputError(f"{path} lists nobody.", _FORM)
    return entries


def _key(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _entry(row: Mapping[str, str], split: str) -> dict[str, Any]:
    names, values = _parse(row, "categoricallabels"), _parse(row, _CONTINUOUS)
    if not all(isinstance(name, str) for name in names):
        raise ValueError("categoricallabels holds something that is no name")
    vad = dict(zip(("valence", "arousal", "dominance"), values, strict=True)) if values else {}
    person: dict[str, Any] = {"body_bbox": _parse(row, "bbox")}
    if split == "train":
        person |= {"annotations_categories": {"categories": names}, "annotations_continuous": vad}
    else:
        person |= {"combined_categories": names, "combined_continuous": vad}
    size = _parse(row, "imagesize")
    if len(size) != 2:
        raise ValueError(f"imagesize holds {len(size)} numbers")
    return {
        "folder": row["folder"],
        "filename": row["filename"],
        "image_size": {"listed": size},
        "person": [person],
    }


def _parse(row: Mapping[str, str], column: str) -> list[Any]:
    text = row.get(column, "").strip()
    if not text:
        return []
    try:
        # NaN is a float's text, but no literal of Python; no category has these letters as a word.
        value = ast.literal_eval(re.sub(r"\bnan\b", "None", text))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        value = None
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{column} reads '{text[:40]}', which is no list")
    return list(value)
