"""From annotated clips to a data set in CAER's layout, split by show (CAER-Net section 4.1).

The paper split at random; a show's actors and sets would then be on both sides. Here a show is in
one split only.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, InputError
from caer_ros.datasets.class_table import Counted
from caer_ros.datasets.clip_faces import write_face_cache
from caer_ros.datasets.consensus import Decision
from caer_ros.datasets.face_boxes import NAME
from caer_ros.datasets.group_split import split_groups
from caer_ros.datasets.manifest import ClipEntry


@dataclass(frozen=True)
class Placed:
    """A labelled clip with its split and its path below the data set's folder."""

    entry: ClipEntry
    decision: Decision
    label: int
    split: str
    name: str


def place_clips(
    entries: Sequence[ClipEntry], decisions: Mapping[str, Decision], seed: int
) -> list[Placed]:
    """Split the labelled clips 70/10/20 by show and number them CLASS/0001.avi ... in each split.

    Raises:
        InputError: no clip has a label, or they come from fewer than three shows.
    """
    labelled = [
        (entry, decisions[entry.clip], label)
        for entry in sorted(entries, key=lambda e: e.clip)
        if (label := decisions[entry.clip].label) is not None
    ]
    if not labelled:
        raise InputError("No clip found a majority.", "See the reasons above; annotate more clips.")
    shows: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(CAER7), np.int64))
    for entry, _, label in labelled:
        shows[entry.show][label] += 1
    split_of = split_groups(shows, seed)
    numbers: Counter[tuple[str, int]] = Counter()
    placed = []
    for entry, decision, label in labelled:
        split = split_of[entry.show]
        numbers[split, label] += 1
        name = f"{split}/{CAER7[label]}/{numbers[split, label]:04d}.avi"
        placed.append(Placed(entry, decision, label, split, name))
    return placed


def write_benchmark(
    placed: Sequence[Placed], harvest: Path, out: Path, settings: Mapping[str, Any]
) -> None:
    """Copy the clips to `out`, whole or not at all.

    Beside them: clips.csv, where each comes from, and the cache of face boxes, subject first, made
    with the detector's `settings`.

    Raises:
        InputError: `out` exists, or a clip's file is missing.
    """
    if out.exists():
        raise InputError(f"{out} exists.", "Name a new folder, or delete it.")
    for item in placed:
        if not item.entry.file(harvest).is_file():
            raise InputError(
                f"{item.entry.file(harvest)} is missing.", "Run `caer data build` again."
            )
    scratch = out.with_name(f".{out.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    for item in placed:
        target = scratch / item.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(item.entry.file(harvest), target)
    faces = [
        (item.name, scratch / item.name, harvest / "clips" / item.entry.clip) for item in placed
    ]
    write_face_cache(scratch / NAME, faces, settings)
    write_atomically(scratch / "clips.csv", _table(placed).encode())
    scratch.rename(out)


def counted(placed: Sequence[Placed]) -> list[Counted]:
    """The labelled clips as class_table counts them."""
    return [Counted(item.split, item.label, item.entry.frames) for item in placed]


def _table(placed: Sequence[Placed]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["file", "clip", "show", "video", "confidence", "agreeing"])
    for item in placed:
        entry, decision = item.entry, item.decision
        row = [item.name, entry.clip, entry.show, entry.video]
        writer.writerow([*row, f"{decision.confidence:.4f}", decision.agreeing])
    return stream.getvalue()
