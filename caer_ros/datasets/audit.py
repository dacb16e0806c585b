"""What `caer data check` finds out: counts, unusable files and boxes, and how far a split leaks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.class_table import Counted, count_classes
from caer_ros.datasets.fingerprints import Fingerprint, read_fingerprints
from caer_ros.datasets.near_duplicates import Pair, find_pairs
from caer_ros.datasets.samples import Dataset, Sample


@dataclass(frozen=True)
class Audit:
    """Everything found. Sample places count `samples`, the usable ones of `data`.

    `bad` are unreadable files and boxes wholly outside, as (path, reason); `over_edge` counts boxes
    that reach over the picture's edge, which readers clip. `identical` are groups of byte-identical
    files; `pairs` near duplicates; `leaks` maps each split but training to its sample places that
    have a near duplicate (or their own bytes) in training.
    """

    data: Dataset
    samples: tuple[Sample, ...]
    prints: tuple[Fingerprint, ...]
    bad: tuple[tuple[Path, str], ...]
    over_edge: int
    identical: tuple[tuple[int, ...], ...]
    pairs: tuple[Pair, ...]
    leaks: dict[str, tuple[int, ...]]

    def table(self) -> list[dict[str, object]]:
        """Rows of the paper's Table 1, of the usable files."""
        counted = zip(self.samples, self.prints, strict=True)
        return count_classes(Counted(s.split, s.label, p.frames) for s, p in counted)

    def crossing(self) -> list[Pair]:
        """Near duplicates in two different splits, most alike first, a file in one pair at most."""
        seen: set[int] = set()
        found = []
        for pair in self.pairs:
            ends = {pair.owner_a, pair.owner_b}
            a, b = self.samples[pair.owner_a], self.samples[pair.owner_b]
            if a.split != b.split and not ends & seen:
                seen |= ends
                found.append(pair)
        return found

    def crossing_identical(self) -> list[tuple[int, ...]]:
        """Groups of byte-identical files that are in more than one split."""
        return [g for g in self.identical if len({self.samples[i].split for i in g}) > 1]

    def contradicting(self) -> list[tuple[int, ...]]:
        """Groups of byte-identical files with more than one label."""
        return [g for g in self.identical if len({self.samples[i].label for i in g}) > 1]


def audit(data: Dataset, workers: int = 2) -> Audit:
    """Read every file and compare all with all; unusable ones are in the result, none raises."""
    read = read_fingerprints(data, workers)
    bad: dict[Path, str] = {}
    samples, prints, over_edge = [], [], 0
    for sample in data.samples:
        outcome = read[sample.path]
        if isinstance(outcome, InputError):
            bad[sample.path] = str(outcome)
            continue
        reach = _reach(sample, outcome)
        if reach == "outside":
            bad[sample.path] = _outside(sample, outcome)
            continue
        over_edge += reach == "over"
        samples.append(sample)
        prints.append(outcome)
    identical = _identical(prints)
    pairs = _compare(prints)
    return Audit(
        data,
        tuple(samples),
        tuple(prints),
        tuple(bad.items()),
        over_edge,
        identical,
        tuple(pairs),
        _leaks(samples, identical, pairs),
    )


def _reach(sample: Sample, found: Fingerprint) -> str:
    """`inside`, `over` the edge, or wholly `outside`."""
    box = sample.box
    if box is None:
        return "inside"
    if box.clipped(found.width, found.height) is None:
        return "outside"
    inside = min(box.x1, box.y1) >= 0 and box.x2 <= found.width and box.y2 <= found.height
    return "inside" if inside else "over"


def _outside(sample: Sample, found: Fingerprint) -> str:
    box = sample.box
    assert box is not None
    corners = ", ".join(f"{v:g}" for v in (box.x1, box.y1, box.x2, box.y2))
    return (
        f"{sample.path}: its face box ({corners}) lies outside the {found.width}x{found.height} "
        "picture. Correct or remove its line in the list."
    )


def _identical(prints: list[Fingerprint]) -> tuple[tuple[int, ...], ...]:
    by_hash: dict[str, list[int]] = defaultdict(list)
    for place, found in enumerate(prints):
        by_hash[found.sha256].append(place)
    return tuple(tuple(group) for group in by_hash.values() if len(group) > 1)


def _compare(prints: list[Fingerprint]) -> list[Pair]:
    if not prints:
        return []
    owners = np.repeat(np.arange(len(prints)), [len(p.places) for p in prints])
    hashes = np.concatenate([p.hashes for p in prints])
    return find_pairs(hashes, np.concatenate([p.thumbnails for p in prints]), owners)


def _leaks(
    samples: list[Sample], identical: tuple[tuple[int, ...], ...], pairs: list[Pair]
) -> dict[str, tuple[int, ...]]:
    """Per split but training: places of the files that training knows already."""
    edges = [(p.owner_a, p.owner_b) for p in pairs]
    for group in identical:
        known = next((i for i in group if samples[i].split == "train"), group[0])
        edges += [(known, i) for i in group if i != known]
    leaking: dict[str, set[int]] = {s.split: set() for s in samples if s.split != "train"}
    for a, b in edges:
        for this, other in ((a, b), (b, a)):
            if samples[this].split != "train" and samples[other].split == "train":
                leaking[samples[this].split].add(this)
    return {split: tuple(sorted(places)) for split, places in leaking.items()}
