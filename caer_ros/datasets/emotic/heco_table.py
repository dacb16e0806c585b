"""The lines of HECO_Labels.csv, and the scale of their valence, arousal and dominance."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.emotic.person import unit_vad

LAYOUT = "HECO has Labels/HECO_Labels.csv beside Data/, the folder of its pictures."
BOX = ("xmin", "ymin", "xmax", "ymax")
_VAD = ("valence", "arousal", "dominance")
Row = dict[str, str]


def heco_labels(root: Path) -> Path | None:
    """HECO's table of labels below `root`, or None."""
    for folder in (root / "Labels", root / "labels", root):
        if (folder / "HECO_Labels.csv").is_file():
            return folder / "HECO_Labels.csv"
    return None


def read_rows(table: Path) -> list[Row]:
    """Lines by lower-case column; line k of the result is line k + 2 of the file.

    Raises:
        InputError: the table can not be read, is empty, misses a column, or a line has too many or
            too few fields.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{table} can not be read: {error}.", LAYOUT) from error
    reader = csv.reader(io.StringIO(text.rstrip()))
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in ("image", *BOX, "category") if name not in header]
    if missing:
        raise InputError(f"{table} has no column {missing[0]}.", LAYOUT)
    rows = []
    for row in reader:
        if len(row) != len(header):
            raise InputError(
                f"{table} line {reader.line_num} has {len(row)} fields instead of {len(header)}.",
                "Correct the line.",
            )
        rows.append(dict(zip(header, row, strict=True)))
    if not rows:
        raise InputError(f"{table} lists nobody.", LAYOUT)
    return rows


def read_vad(rows: list[Row], table: Path) -> tuple[np.ndarray, str]:
    """float32 [N, 3] in [-1, 1], NaN where a field is empty; and the file's scale, in words.

    The scale is not documented with the file and is taken from its values: 1 to 10 as in EMOTIC
    where any exceeds 1; tenths of that where all are within 0 to 1; -1 to 1 where one is negative
    and none exceeds 1.

    Raises:
        InputError: a value is no number, or the values fit no scale.
    """
    values = np.array(
        [
            [number_in(row.get(name, ""), f"{table} line {line}") for name in _VAD]
            for line, row in enumerate(rows, start=2)
        ]
    )
    known = values[~np.isnan(values)]
    if not len(known):
        return unit_vad(values), "not given"
    low, high = known.min(), known.max()
    if high > 10 or low < -1 or (high > 1 and low < 0):
        raise InputError(
            f"{table}: valence, arousal and dominance go from {low:g} to {high:g}.",
            "They must be within 1 to 10, or all within 0 to 1, or all within -1 to 1.",
        )
    if high > 1:
        return unit_vad(values), "1 to 10"
    if low < 0:
        return values.astype(np.float32), "-1 to 1"
    return unit_vad(values * 10), "tenths of 1 to 10"


def number_in(text: str, where: str) -> float:
    """A field as a number, NaN where it is empty.

    Raises:
        InputError: it is no number.
    """
    if not text.strip():
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{where}: '{text}' is no number.", "Correct the line.") from None
