"""Counts per class and split, in the layout of CAER-Net's Table 1 (ICCV 2019)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from caer_ros.core import CAER7
from caer_ros.datasets.samples import SPLITS


@dataclass(frozen=True)
class Counted:
    """One file of the table: split, place in CAER7, frames (1 for a picture)."""

    split: str
    label: int
    frames: int


def count_classes(files: Iterable[Counted]) -> list[dict[str, object]]:
    """A row a class and a last one for the total.

    Keys: category, files, frames, percent (of the files, as in the paper, not of the frames), and
    the number of files of each split.
    """
    files = list(files)
    rows = [_row(name, [f for f in files if f.label == i], files) for i, name in enumerate(CAER7)]
    return [*rows, _row("Total", files, files)]


def _row(name: str, files: list[Counted], everything: list[Counted]) -> dict[str, object]:
    return {
        "category": name,
        "files": len(files),
        "frames": sum(f.frames for f in files),
        "percent": 100 * len(files) / len(everything) if everything else 0.0,
        **{split: sum(f.split == split for f in files) for split in SPLITS},
    }


def format_table(rows: list[dict[str, object]], kind: str) -> str:
    """The rows as aligned text: clips and frames for `video`, images for `image`."""
    counts = {"files": "# of clips", "frames": "# of frames"}
    if kind == "image":
        counts = {"files": "# of images"}
    titles = {"category": "Category", **counts, "percent": "%", **{s: s for s in SPLITS}}
    lines = [list(titles.values())]
    lines += [[_cell(row[key]) for key in titles] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(titles))]
    text = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    rule = "-" * len(text[0])
    return "\n".join([text[0], rule, *text[1:-1], rule, text[-1]])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
