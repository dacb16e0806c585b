"""What reading a data set of annotated people gives: pictures a split, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from caer_ros.core import InputError
from caer_ros.datasets.emotic.records import AnnotatedImage, AnnotatedPerson

Splits = dict[str, list[AnnotatedImage]]
SPLITS = ("train", "validation", "test")


@dataclass
class Tally:
    """What a reader had to leave out or change, counted.

    Attributes:
        outside: people whose box has no area inside the picture, left out; one line each.
        unlabelled: people without any category, left out.
        unreadable: pictures whose size could not be read, left out; one line each.
        clipped: boxes that reached over the edge.
        odd_vad: people with a valence, arousal or dominance outside its scale, which was ignored.
        merged: entries joined with an earlier entry of the same picture.
    """

    outside: list[str] = field(default_factory=list)
    unlabelled: int = 0
    unreadable: list[str] = field(default_factory=list)
    clipped: int = 0
    odd_vad: int = 0
    merged: int = 0


@dataclass(frozen=True)
class Annotations:
    """A data set as it lies on disk.

    Attributes:
        dataset: `emotic` or `heco`.
        root: its folder.
        files: what was read.
        images: pictures with at least one person, a split; splits without any are not in it.
        tally: what was left out.
        notes: remarks for people.
    """

    dataset: str
    root: Path
    files: tuple[Path, ...]
    images: Splits
    tally: Tally
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """One picture's people as a file lists them; the same picture may be found again."""

    path: Path
    width: int
    height: int
    split: str
    people: tuple[AnnotatedPerson, ...]


def join_pictures(found: Iterable[Found], dataset: str, tally: Tally) -> Splits:
    """One AnnotatedImage a picture and split, in the order of the file, without empty ones.

    A network that finds people must see all of a picture's at once, however many entries they are
    spread over.
    """
    by_path: dict[tuple[str, Path], Found] = {}
    for item in found:
        key = (item.split, item.path)
        before = by_path.get(key)
        if before is None:
            by_path[key] = item
            continue
        tally.merged += 1
        people = (*before.people, *item.people)
        by_path[key] = Found(item.path, before.width, before.height, item.split, people)
    images: Splits = {}
    for split in SPLITS:
        chosen = [item for item in by_path.values() if item.split == split and item.people]
        if chosen:
            images[split] = [
                AnnotatedImage(i.path, i.width, i.height, i.people, split, dataset) for i in chosen
            ]
    return images


def choose_split(
    images: Mapping[str, Sequence[AnnotatedImage]], name: str, where: Path | str
) -> list[AnnotatedImage]:
    """The pictures of one split.

    Raises:
        InputError: the split is missing or empty; the message names those of `where` that exist.
    """
    chosen = images.get(name)
    if not chosen:
        there = ", ".join(split for split in SPLITS if images.get(split)) or "none"
        raise InputError(f"{where} has no {name} pictures (it has {there}).", "Name another split.")
    return list(chosen)


def merge(
    base: Mapping[str, Sequence[AnnotatedImage]], *extra: Mapping[str, Sequence[AnnotatedImage]]
) -> Splits:
    """`base` with the training pictures of the others added to its own (section 4.1: extra data).

    Validation and test stay those of `base`, so that scores stay comparable.
    """
    merged = {split: list(images) for split, images in base.items()}
    for other in extra:
        merged.setdefault("train", []).extend(other.get("train", ()))
    return merged
