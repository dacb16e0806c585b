"""Lists of face boxes as they go round for CAER-S: `Class/NNNN.png,label,x1,y1,x2,y2`.

Some have the split in front (`train/Class/NNNN.png`). The label is the place in CAER7. A box of
four zeros, or none at all, means that no face was found. There is no header.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.class_names import class_of

_FORM = "Each line must read CLASS/FILE,LABEL,X1,Y1,X2,Y2 (label 0 to 6, box in pixels)."


@dataclass(frozen=True)
class ListedFile:
    """One line of a list: relative name with forward slashes, place in CAER7, box or None."""

    name: str
    label: int
    box: Box | None


def read_face_list(path: Path) -> list[ListedFile]:
    """All lines of a list; boxes may reach over the picture's edge (in public lists some do).

    Raises:
        InputError: the list can not be read, is empty, or a line is malformed; the line is named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can not be read: {error}.", _FORM) from error
    rows = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not row:
            continue
        try:
            rows.append(_parse(row, f"{path} line {number}"))
        except ValueError as error:
            raise InputError(f"{path} line {number} is wrong: {error}.", _FORM) from None
    if not rows:
        raise InputError(f"{path} is empty.", _FORM)
    return rows


def write_face_list(path: Path, rows: Iterable[ListedFile]) -> None:
    """Write a list that `read_face_list` reads back; without a box the four numbers are 0."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for row in rows:
        box = row.box
        corners = (box.x1, box.y1, box.x2, box.y2) if box else (0.0, 0.0, 0.0, 0.0)
        writer.writerow([row.name, row.label, *(f"{value:.6g}" for value in corners)])
    write_atomically(path, stream.getvalue().encode())


def _parse(row: list[str], where: str) -> ListedFile:
    if len(row) not in (2, 6):
        raise ValueError(f"{len(row)} columns")
    name, label = row[0].strip(), int(row[1])
    parts = name.split("/")
    if len(parts) < 2 or ".." in parts or name.startswith("/"):
        raise ValueError(f"'{name}' is not CLASS/FILE")
    if label != class_of(parts[-2], where):
        right = CAER7[label] if 0 <= label < len(CAER7) else "no class"
        raise ValueError(f"label {label} ({right}) does not fit {name}")
    corners = [float(value) for value in row[2:]]
    return ListedFile(name, label, Box(*corners) if any(corners) else None)
