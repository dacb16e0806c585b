"""What a data set says of its files beside their labels: whom they show, and how.

Renders have a table FOLDER/people.csv with a header, drawn scenes a line of JSON a sample in
FOLDER/*.jsonl, both with the sample's name as `file`. Other data sets have neither, and then only
file names can tell people apart.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.face_boxes import NAME as FACES
from caer_ros.datasets.samples import Sample

TABLE = "people.csv"
Facts = Mapping[str, Mapping[str, Any]]
# Keys that name the person shown, the first that is there counts.
_PERSON = ("person", "identity", "subject")
_DIGITS = re.compile(r"(\d+)")


def read_sample_facts(root: Path) -> dict[str, dict[str, Any]]:
    """What the table and all lines say, by name of the file relative to `root`. Face caches are no
    such lines.

    Raises:
        InputError: a line is not JSON.
    """
    facts: dict[str, dict[str, Any]] = {}
    for row in _table_rows(root / TABLE):
        facts.setdefault(str(row["file"]), {}).update(row)
    for path in sorted(set(root.glob("*.jsonl")) - {root / FACES}):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                row = json.loads(line) if line.strip() else None
            except ValueError as error:
                raise InputError(
                    f"{path} line {number} is not JSON: {error}.", "Write the data set again."
                ) from error
            if isinstance(row, dict) and isinstance(row.get("file"), str):
                facts.setdefault(row["file"], {}).update(row)
    return facts


def _table_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a table that has a column `file`; numbers where there are numbers."""
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row.get("file"):
                yield {key: _number(cell) for key, cell in row.items() if key and cell}


def _number(cell: str) -> float | str:
    try:
        return float(cell) if "." in cell else int(cell)
    except ValueError:
        return cell


def names_of(root: Path, samples: Sequence[Sample]) -> list[str]:
    """The samples' names relative to `root`, with forward slashes."""
    return [sample.path.relative_to(root).as_posix() for sample in samples]


def numbers_of(facts: Facts, names: Sequence[str], key: str) -> np.ndarray:
    """A number of each file, float64 [N]; NaN where nothing is said of it."""
    found = np.full(len(names), np.nan)
    for place, name in enumerate(names):
        value = facts.get(name, {}).get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[place] = value
    return found


def people_of(facts: Facts, root: Path, samples: Sequence[Sample]) -> tuple[list[str], str]:
    """Whom each sample shows, and by what that is known: `manifest`, `clip` or `file number`.

    Where nothing names the people, files with one number are taken for one person: `caer data
    synth` numbers its people so. Of CAER-S, whose people nobody knows, that joins some who have
    nothing to do with each other, and `in_order` keeps the neighbours of a clip together.
    """
    rows = [facts.get(name, {}) for name in names_of(root, samples)]
    keys = [key for key in _PERSON if rows and all(key in row for row in rows)]
    if keys:
        return [str(row[keys[0]]) for row in rows], "manifest"
    if samples and all(sample.clip for sample in samples):
        return [sample.clip for sample in samples], "clip"
    return [sample.path.stem for sample in samples], "file number"


def in_order(names: Iterable[str]) -> list[str]:
    """Names of people, each once, sorted by the numbers in them: of SPLIT/CLASS/NAME by NAME first,
    so that all classes are spread over the whole list."""
    return sorted(set(names), key=_sorting)


def _sorting(name: str) -> list[tuple[int, int, str]]:
    parts = _DIGITS.split("/".join(reversed(name.split("/"))))
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
