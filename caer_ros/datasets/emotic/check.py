"""What `caer data check` finds out about EMOTIC and HECO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caer_ros.core import EMOTIC26
from caer_ros.datasets.emotic.annotation_file import annotation_files
from caer_ros.datasets.emotic.heco import open_heco
from caer_ros.datasets.emotic.heco_table import heco_labels
from caer_ros.datasets.emotic.images import complaints_about
from caer_ros.datasets.emotic.reader import open_emotic
from caer_ros.datasets.emotic.records import AnnotatedImage
from caer_ros.datasets.emotic.splits import Annotations

# Two boxes of one picture this much alike are one person annotated twice.
SAME_PERSON = 0.9


@dataclass(frozen=True)
class SplitFacts:
    """Counts of one split, after leaving out what the readers leave out.

    Attributes:
        images, people: how many.
        with_vad: people with valence, arousal and dominance, all three.
        labels_per_person: mean number of categories.
        positives: people with each category, in the order of EMOTIC26.
        crowd: number of people -> pictures with so many.
        duplicates: pairs of people in one picture whose boxes overlap by an IoU of 0.9 or more.
    """

    images: int
    people: int
    with_vad: int
    labels_per_person: float
    positives: tuple[int, ...]
    crowd: dict[int, int]
    duplicates: int


@dataclass(frozen=True)
class Check:
    """Everything found.

    Attributes:
        annotations: what was read, and what had to be left out.
        splits: facts of each split that there is.
        bad: pictures that are missing, damaged or of another size, and people outside their
            picture; one line each.
        shared: pictures that are in more than one split.
    """

    annotations: Annotations
    splits: dict[str, SplitFacts]
    bad: tuple[str, ...]
    shared: tuple[Path, ...]


def people_layout(root: Path) -> str:
    """`emotic` or `heco` where `root` has annotations of that kind, else an empty string."""
    if not root.is_dir():
        return ""
    if heco_labels(root):
        return "heco"
    return "emotic" if annotation_files(root) else ""


def check_people(root: Path, workers: int = 2) -> Check:
    """Read the annotations of an EMOTIC or HECO folder and decode every picture.

    Raises:
        InputError: the annotations can not be read, see `open_emotic` and `open_heco`. What is
            wrong with single pictures and people is in the result.
    """
    if people_layout(root) == "heco":
        annotations = open_heco(root, skip_bad=True)
    else:
        annotations = open_emotic(root)
    images = [image for listed in annotations.images.values() for image in listed]
    # A picture in two splits is read once.
    unique = list({image.path: image for image in images}.values())
    said = complaints_about(unique, annotations.dataset, workers)
    tally = annotations.tally
    bad = (*tally.unreadable, *(text for text in said if text), *tally.outside)
    splits = {split: facts_of(listed) for split, listed in annotations.images.items()}
    return Check(annotations, splits, bad, _shared(annotations.images.values()))


def facts_of(images: Sequence[AnnotatedImage]) -> SplitFacts:
    """Counts of some pictures, at least one."""
    people = [person for image in images for person in image.people]
    categories = np.stack([person.categories for person in people])
    vad = np.stack([person.vad for person in people])
    return SplitFacts(
        images=len(images),
        people=len(people),
        with_vad=int(np.isfinite(vad).all(axis=1).sum()),
        labels_per_person=float(categories.sum(axis=1).mean()),
        positives=tuple(int(n) for n in categories.sum(axis=0)),
        crowd=dict(sorted(Counter(len(image.people) for image in images).items())),
        duplicates=sum(_duplicates(image) for image in images),
    )


def never_annotated(facts: SplitFacts) -> list[str]:
    """Categories that nobody has."""
    return [name for name, n in zip(EMOTIC26, facts.positives, strict=True) if not n]


def _duplicates(image: AnnotatedImage) -> int:
    boxes = [person.box for person in image.people]
    return sum(boxes[a].iou(boxes[b]) >= SAME_PERSON for b in range(len(boxes)) for a in range(b))


def _shared(splits: Iterable[Sequence[AnnotatedImage]]) -> tuple[Path, ...]:
    counts = Counter(path for listed in splits for path in {image.path for image in listed})
    return tuple(sorted(path for path, count in counts.items() if count > 1))
