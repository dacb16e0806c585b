"""Sheets that annotators fill in, each alone: DIR/annotation/annotator_N.csv.

Blind as in the paper (CAER-Net section 4.1): a sheet has no other annotator's answers, and its
clips come in an order of its own. The paper had six annotators, three of them for each clip.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, InputError
from caer_ros.datasets.class_names import class_of
from caer_ros.datasets.manifest import ClipEntry

COLUMNS = ("clip", "category", "confidence", "video", "from_s", "to_s")
FOLDER = "annotation"


@dataclass(frozen=True)
class Vote:
    """One annotator's answer: place in CAER7 and confidence in [0, 1]."""

    annotator: str
    label: int
    confidence: float


def deal_clips(
    clips: Sequence[str],
    assigned: Mapping[str, set[str]],
    annotators: Sequence[str],
    per_clip: int,
    seed: int,
) -> dict[str, list[str]]:
    """Which clips each annotator gets in addition to those assigned already, in their order.

    Args:
        clips: all clips; those that anybody has already stay as they are.
        assigned: annotator -> clips in the sheet that exists.
        per_clip: different annotators for each clip.

    Returns:
        annotator -> new clips; the numbers differ by one at most if `assigned` is even.

    Raises:
        InputError: fewer annotators than `per_clip`.
    """
    if not 1 <= per_clip <= len(annotators):
        raise InputError(
            f"{len(annotators)} annotators can not give {per_clip} answers a clip.",
            "Raise --annotators or lower --per-clip.",
        )
    rng = np.random.default_rng(seed)
    done = set().union(*assigned.values())
    load = {name: len(assigned.get(name, ())) for name in annotators}
    dealt: dict[str, list[str]] = {name: [] for name in annotators}
    for clip in rng.permutation([clip for clip in clips if clip not in done]):
        # The least busy first; chance decides between equals, so that teams are mixed.
        order = sorted(annotators, key=lambda name: (load[name], rng.random()))
        for name in order[:per_clip]:
            dealt[name].append(str(clip))
            load[name] += 1
    return {name: [str(c) for c in rng.permutation(new)] for name, new in dealt.items()}


def write_sheets(
    folder: Path, entries: Sequence[ClipEntry], count: int, per_clip: int, seed: int
) -> dict[str, int]:
    """Write `count` sheets below `folder`, or add new clips to those that are there.

    Rows that exist are kept as they are; only empty ones of clips that are gone (other thresholds)
    are taken out.

    Returns:
        Rows of each sheet.

    Raises:
        InputError: a sheet that exists is malformed, or the numbers do not fit.
    """
    names = [f"annotator_{number}" for number in range(1, count + 1)]
    by_name = {entry.clip: entry for entry in entries}
    rows = {
        name: [
            row
            for row in _read_rows(folder / f"{name}.csv")
            if row["clip"] in by_name or row["category"] or row["confidence"]
        ]
        for name in names
    }
    assigned = {name: {row["clip"] for row in found} for name, found in rows.items()}
    for name, clips in deal_clips(list(by_name), assigned, names, per_clip, seed).items():
        rows[name] += [_empty_row(by_name[clip]) for clip in clips]
        _write_rows(folder / f"{name}.csv", rows[name])
    return {name: len(found) for name, found in rows.items()}


def read_votes(folder: Path) -> tuple[dict[str, list[Vote]], dict[str, int]]:
    """All answers of the sheets in `folder`.

    Returns:
        clip -> votes, and clip -> how many of its rows nobody has filled in yet.

    Raises:
        InputError: no sheet, or a row is malformed: unknown category, confidence outside 0 to 1,
            one without the other, or a clip twice in a sheet. File and line are named.
    """
    sheets = sorted(folder.glob("*.csv"))
    if not sheets:
        raise InputError(f"{folder} holds no sheet.", "`caer data build` writes them.")
    votes: dict[str, list[Vote]] = {}
    empty: dict[str, int] = {}
    for sheet in sheets:
        seen: set[str] = set()
        for line, row in enumerate(_read_rows(sheet), start=2):
            where, clip = f"{sheet} line {line}", row["clip"]
            if clip in seen:
                raise InputError(f"{where}: clip {clip} is in the sheet twice.", "Delete one row.")
            seen.add(clip)
            vote = _parse_vote(row, sheet.stem, where)
            if vote is None:
                empty[clip] = empty.get(clip, 0) + 1
            else:
                votes.setdefault(clip, []).append(vote)
    return votes, empty


def _parse_vote(row: Mapping[str, str], annotator: str, where: str) -> Vote | None:
    category, confidence = row["category"].strip(), row["confidence"].strip()
    if not category and not confidence:
        return None
    if not category or not confidence:
        raise InputError(f"{where} is half filled in.", "Give category and confidence, or neither.")
    try:
        # Spreadsheets of many countries write 0,8.
        value = float(confidence.replace(",", "."))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InputError(f"{where}: confidence '{confidence}' is not 0 to 1.", "Correct it.")
    return Vote(annotator, class_of(category, where), value)


def _empty_row(entry: ClipEntry) -> dict[str, str]:
    span = (f"{entry.begins:.2f}", f"{entry.ends:.2f}")
    return dict(zip(COLUMNS, (entry.clip, "", "", entry.video, *span), strict=True))


def _read_rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8-sig")
    # Spreadsheets of countries with decimal commas save with semicolons.
    first = text.split("\n", 1)[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    lacking = [name for name in COLUMNS[:3] if name not in (rows.fieldnames or ())]
    if lacking:
        raise InputError(
            f"{path} has no column {', '.join(lacking)}.", f"Columns are {', '.join(COLUMNS)}."
        )
    return [{name: row.get(name) or "" for name in COLUMNS} for row in rows]


def _write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, stream.getvalue().encode())


def instructions() -> str:
    """What an annotator reads first."""
    return f"""How to annotate

Everybody fills in their own annotator_N.csv, alone and without talking about it.
For each row, watch the clip (../clips/CLIP.avi; the pictures/ show it at a glance, the person meant
is in the green box) and LISTEN to it: clips are silent, so play the video named in the row from
from_s to to_s.

category    what the person in the green box feels: {", ".join(CAER7)}
confidence  how sure you are, 0 (guessed) to 1 (certain)

Leave a row empty until you have judged it. When all are filled in: caer data aggregate
A clip stays where two or more of its annotators agree and their mean confidence is 0.5 or more.
"""
