"""A check of EMOTIC or HECO as people read it, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from caer_ros.core import EMOTIC26
from caer_ros.datasets.emotic.check import Check, SplitFacts, never_annotated
from caer_ros.datasets.emotic.names import HECO_PLACES

# Pictures and people that public preprocessors of EMOTIC are left with. They leave out people
# without categories, and some of them people without valence, arousal and dominance.
PUBLISHED: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"train": (16_977, 23_266), "validation": (2_085, 3_315), "test": (4_388, 7_203)}
)
PUBLISHED_HECO = (9_385, 19_781)
# EMOTIC's own folders of pictures; a set that has none of them is another one in its format.
_SOURCES = ("mscoco", "framesdb", "emodb_small", "ade20k")


def describe_check(check: Check) -> str:
    """Tables and remarks, in lines for people."""
    facts = check.splits
    lines = [_row("", facts)]
    lines.append(_row("Pictures", [f.images for f in facts.values()]))
    lines.append(_row("People", [f.people for f in facts.values()]))
    lines.append(_row("with V, A, D", [f.with_vad for f in facts.values()]))
    lines.append(_row("Labels a person", [f"{f.labels_per_person:.2f}" for f in facts.values()]))
    lines.append(_row("Twice annotated", [f.duplicates for f in facts.values()]))
    lines += ["", _row("People with", facts)]
    for place, name in enumerate(EMOTIC26):
        if check.annotations.dataset == "heco" and place not in HECO_PLACES:
            continue
        lines.append(_row(name, [f.positives[place] for f in facts.values()]))
    lines += ["", _row("Pictures with", facts)]
    for count in sorted({count for f in facts.values() for count in f.crowd}):
        unit = "person" if count == 1 else "people"
        lines.append(_row(f"{count} {unit}", [f.crowd.get(count, 0) for f in facts.values()]))
    return "\n".join([*lines, "", *_remarks(check), *_published_lines(check)])


def check_to_dict(check: Check) -> dict[str, object]:
    """The check for `--json`."""
    annotations, tally = check.annotations, check.annotations.tally
    return {
        "root": str(annotations.root),
        "dataset": annotations.dataset,
        "files": [str(path) for path in annotations.files],
        "notes": list(annotations.notes),
        "splits": {split: _facts_to_dict(facts) for split, facts in check.splits.items()},
        "bad": list(check.bad),
        "outside": len(tally.outside),
        "without_category": tally.unlabelled,
        "boxes_over_edge": tally.clipped,
        "vad_off_scale": tally.odd_vad,
        "joined_entries": tally.merged,
        "in_several_splits": [str(path) for path in check.shared],
        "published": {split: list(counts) for split, counts in _published(check).items()},
    }


def _facts_to_dict(facts: SplitFacts) -> dict[str, object]:
    return {
        "images": facts.images,
        "people": facts.people,
        "with_vad": facts.with_vad,
        "labels_per_person": round(facts.labels_per_person, 4),
        "positives": dict(zip(EMOTIC26, facts.positives, strict=True)),
        "never_annotated": never_annotated(facts),
        "people_per_image": {str(count): n for count, n in facts.crowd.items()},
        "duplicates": facts.duplicates,
    }


def _row(name: str, cells: Iterable[object]) -> str:
    return f"{name:<18}" + "".join(f"{cell!s:>12}" for cell in cells)


def _remarks(check: Check) -> list[str]:
    annotations, tally = check.annotations, check.annotations.tally
    lines = [f"Read: {', '.join(str(path) for path in annotations.files)}"]
    lines += [f"Note: {note}" for note in annotations.notes]
    lines.append(f"Unusable: {len(check.bad)} pictures or people.")
    counted = {
        "boxes reach over the edge (clipped).": tally.clipped,
        "people without any category are left out.": tally.unlabelled,
        "people have a number off the scale of valence, arousal, dominance.": tally.odd_vad,
        "entries were joined with another one of the same picture.": tally.merged,
        "pictures are in more than one split.": len(check.shared),
    }
    lines += [f"{number} {text}" for text, number in counted.items() if number]
    if annotations.dataset == "emotic":
        for split, facts in check.splits.items():
            missing = never_annotated(facts)
            if missing:
                lines.append(f"Nobody in {split} has: {', '.join(missing)}.")
    return lines


def _published(check: Check) -> dict[str, tuple[int, int]]:
    """Published counts to compare with, where the folder looks like the published data set."""
    if check.annotations.dataset == "heco":
        return {"train": PUBLISHED_HECO}
    root, splits = check.annotations.root, check.annotations.images.values()
    parts = {part for listed in splits for i in listed for part in i.path.relative_to(root).parts}
    return dict(PUBLISHED) if parts & set(_SOURCES) else {}


def _published_lines(check: Check) -> list[str]:
    lines = []
    for split, (images, people) in _published(check).items():
        facts = check.splits.get(split)
        found = f"{facts.images:,} and {facts.people:,}" if facts else "none"
        same = facts is not None and (facts.images, facts.people) == (images, people)
        verdict = "as published" if same else f"published: {images:,} and {people:,}"
        lines.append(f"Pictures and people in {split}: {found} ({verdict}).")
    return lines
