"""An audit as people read it, as JSON, as a picture of the worst pairs, and as new split lists."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7
from caer_ros.datasets.audit import Audit
from caer_ros.datasets.class_table import format_table
from caer_ros.datasets.clip_groups import group_files
from caer_ros.datasets.face_list import ListedFile, write_face_list
from caer_ros.datasets.group_split import split_groups
from caer_ros.datasets.media import read_video_frames
from caer_ros.datasets.near_duplicates import Pair
from caer_ros.datasets.samples import SPLITS
from caer_ros.perception.contact_sheet import contact_sheet
from caer_ros.perception.sources import read_image
from caer_ros.perception.writer import write_image

# From this share of leaking test files on, accuracy says little of unseen clips.
_LITTLE, _MUCH = 0.01, 0.10
_SHOWN_PAIRS = 12


def describe_audit(audit: Audit) -> str:
    """The class table and what is wrong with the data, in lines for people."""
    lines = [format_table(audit.table(), audit.data.kind), ""]
    lines += [f"Note: {note}" for note in audit.data.notes]
    if audit.data.unlisted:
        lines.append(f"Note: {audit.data.unlisted} files are on no list and in no split.")
    lines.append(f"Unusable: {len(audit.bad)} files.")
    boxes = sum(sample.box is not None for sample in audit.samples)
    if boxes:
        lines.append(f"Face boxes: {boxes}, {audit.over_edge} reach over the edge (clipped).")
    lines.append(
        f"Byte-identical: {len(audit.identical)} groups, {len(audit.crossing_identical())} of them "
        f"in more than one split, {len(audit.contradicting())} with more than one label."
    )
    return "\n".join([*lines, *_leak_lines(audit)])


def _leak_lines(audit: Audit) -> list[str]:
    if not audit.leaks:
        return ["Leakage: only a training split, nothing to leak into."]
    if not any(sample.split == "train" for sample in audit.samples):
        return ["Leakage: no training split, nothing to leak from."]
    lines = []
    for split, share in leak_shares(audit).items():
        places = audit.leaks[split]
        total = sum(sample.split == split for sample in audit.samples)
        lines.append(
            f"Leakage into {split}: {len(places)} of {total} files ({100 * share:.1f} %) have a "
            f"near duplicate in train. {_verdict(share)}"
        )
    return lines


def _verdict(share: float) -> str:
    if share >= _MUCH:
        return "Very leaky: remembering earns that much. Split anew with --write-split."
    if share >= _LITTLE:
        return "Leaky: --write-split writes a split by clip."
    return "Hardly leaky."


def leak_shares(audit: Audit) -> dict[str, float]:
    """Share of each split's files, in [0, 1], that training knows already."""
    totals = Counter(sample.split for sample in audit.samples)
    return {
        split: len(audit.leaks[split]) / totals[split] for split in SPLITS if split in audit.leaks
    }


def audit_to_dict(audit: Audit) -> dict[str, object]:
    """The audit for `--json`; near duplicates in two splits by name, most alike first."""

    def name(place: int) -> str:
        return audit.data.relative(audit.samples[place])

    return {
        "root": str(audit.data.root),
        "kind": audit.data.kind,
        "table": audit.table(),
        "bad": [{"file": str(path), "reason": reason} for path, reason in audit.bad],
        "unlisted": audit.data.unlisted,
        "boxes_over_edge": audit.over_edge,
        "identical": [[name(i) for i in group] for group in audit.identical],
        "contradicting": [[name(i) for i in group] for group in audit.contradicting()],
        "leak_share": leak_shares(audit),
        "near_duplicates_across_splits": [
            {
                "a": name(pair.owner_a),
                "b": name(pair.owner_b),
                "bits": pair.bits,
                "likeness": round(pair.likeness, 4),
            }
            for pair in audit.crossing()
        ],
    }


def write_pair_sheet(audit: Audit, path: Path) -> int:
    """Write the closest pairs in two splits side by side; how many are on it (0: no file)."""
    pairs = audit.crossing()[:_SHOWN_PAIRS]
    if pairs:
        write_image(path, contact_sheet([_pair_picture(audit, pair) for pair in pairs], 2, 640))
    return len(pairs)


def _pair_picture(audit: Audit, pair: Pair) -> np.ndarray:
    halves = []
    for owner, row in ((pair.owner_a, pair.row_a), (pair.owner_b, pair.row_b)):
        first_row = sum(len(p.places) for p in audit.prints[:owner])
        frame = audit.prints[owner].places[row - first_row]
        path = audit.samples[owner].path
        if audit.data.kind == "image":
            image = read_image(path)
        else:
            image = read_video_frames(path, [frame])[0]
        half = cv2.resize(image, (320, 240), interpolation=cv2.INTER_AREA)
        caption = f"{audit.samples[owner].split}: {audit.data.relative(audit.samples[owner])}"
        cv2.rectangle(half, (0, 0), (320, 16), (0, 0, 0), -1)
        cv2.putText(half, caption, (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
        halves.append(half)
    return np.hstack(halves)


def write_split(audit: Audit, out: Path, seed: int) -> dict[str, object]:
    """Write train.csv, validation.csv and test.csv that keep guessed clips together.

    The usable files of all splits are dealt out anew, 70, 10 and 20 %, see clip_groups for the rule
    and its limits. Files that are in several lists are taken once.

    Returns:
        groups, the largest group's share of all files, and the files of each split.

    Raises:
        InputError: fewer than three groups.
    """
    unique: dict[Path, int] = {}
    for place, sample in enumerate(audit.samples):
        unique.setdefault(sample.path, place)
    places = list(unique.values())
    row_of = {place: row for row, place in enumerate(places)}
    first = {audit.samples[place].path: row for row, place in enumerate(places)}
    edges = [_edge(audit, pair.owner_a, pair.owner_b, first) for pair in audit.pairs]
    for group in audit.identical:
        edges += [_edge(audit, group[0], other, first) for other in group[1:]]
    samples = [audit.samples[place] for place in row_of]
    thumbnails = np.stack([audit.prints[place].thumbnails[0] for place in row_of])
    groups = group_files(samples, edges, thumbnails)
    counts = {str(g): np.zeros(len(CAER7), np.int64) for g in range(groups.max() + 1)}
    for sample, group in zip(samples, groups, strict=True):
        counts[str(group)][sample.label] += 1
    chosen = split_groups(counts, seed)
    lists: dict[str, list[ListedFile]] = {split: [] for split in SPLITS}
    for sample, group in zip(samples, groups, strict=True):
        row = ListedFile(audit.data.relative(sample), sample.label, sample.box)
        lists[chosen[str(group)]].append(row)
    for split, rows in lists.items():
        write_face_list(out / f"{split}.csv", rows)
    largest = int(np.bincount(groups).max()) / len(samples)
    note = _split_note(len(counts), largest, seed)
    write_atomically(out / "README.txt", note.encode())
    sizes: dict[str, object] = {split: len(rows) for split, rows in lists.items()}
    return {"groups": len(counts), "largest_share": largest, **sizes}


def _edge(audit: Audit, a: int, b: int, first: dict[Path, int]) -> tuple[int, int]:
    return first[audit.samples[a].path], first[audit.samples[b].path]


def _split_note(groups: int, largest: float, seed: int) -> str:
    return (
        f"Split by guessed clips: {groups} groups, seed {seed}; the largest holds "
        f"{100 * largest:.1f} % of the files.\n"
        "Lines: path below the data set's folder, label, face box (zeros: none known).\n"
        "Near duplicates, look-alike neighbours in number and frames of one named clip are never\n"
        "parted. The same actors, sets and shows can still be on both sides.\n"
    )
