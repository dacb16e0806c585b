"""Finds the samples of a data set that lies on disk like CAER, CAER-S, AFEW or SFEW.

    CAER-S   {train,test}/CLASS/NNNN.png      and maybe lists {train,val,test}.{csv,txt} beside
    CAER     {train,validation,test}/CLASS/NNNN.avi
    AFEW     {Train,Val}/CLASS/NAME.avi
    SFEW     {Train,Val}_Aligned_Faces/CLASS/MOVIE_TIME_FRAME.png

Splits and classes are found whatever their case. Where a list exists for any split, lists say what
belongs to which split (public validation lists of CAER-S name files below test/); else folders do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from caer_ros.core import InputError
from caer_ros.datasets.class_names import class_of
from caer_ros.datasets.face_list import ListedFile, read_face_list
from caer_ros.datasets.samples import SPLITS, Dataset, Sample
from caer_ros.perception.sources import IMAGE_SUFFIXES

VIDEO_SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".webm", ".m4v", ".mpg")

_SPLIT_NAMES = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}
_LAYOUT = "Lay it out as {train,validation,test}/CLASS/FILE, like CAER and CAER-S."
# SFEW 2.0 names a still after the film, its time and the frame: the first two are one clip.
_SFEW_NAME = re.compile(r"(?P<clip>.+_\d+)_\d+")


def read_dataset(root: Path, lists: Path | None = None) -> Dataset:
    """List a data set's labelled files, sorted; opens no picture and no video.

    Args:
        root: folder with one folder a split.
        lists: folder with the lists to go by; by default those in `root`, where it has any.

    Raises:
        InputError: no such folder, no split, an empty split, a folder that is no class, pictures
            and videos mixed, or a list that is malformed or names a missing file.
    """
    if not root.is_dir():
        raise InputError(f"{root} is no folder.", _LAYOUT)
    folders, notes = _split_folders(root)
    found = {split: _walk_split(folder, split) for split, folder in folders.items()}
    kind = _kind_of(root, [s.path for samples in found.values() for s in samples])
    tables = find_lists(lists or root)
    if lists is not None and not tables:
        raise InputError(f"{lists} holds no list.", "Lists are called train.csv or test.txt etc.")
    if not tables:
        return Dataset(root, kind, _joined(found.values()), notes=tuple(notes))
    known = {sample.path: sample for samples in found.values() for sample in samples}
    listed = [_listed_samples(root, table, split, known) for split, table in tables.items()]
    samples = _joined(listed)
    notes.append(f"Splits and boxes are those of {', '.join(str(t) for t in tables.values())}.")
    unlisted = len(known) - len({sample.path for sample in samples})
    return Dataset(root, kind, samples, unlisted, tuple(notes))


def find_lists(folder: Path) -> dict[str, Path]:
    """Split -> list of that split in `folder`; of train.csv and train.txt the first counts."""
    found: dict[str, Path] = {}
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in files:
        split = _SPLIT_NAMES.get(path.stem.lower())
        if split and path.suffix.lower() in (".csv", ".txt") and path.is_file():
            found.setdefault(split, path)
    return {split: found[split] for split in SPLITS if split in found}


def _joined(groups: Iterable[Iterable[Sample]]) -> tuple[Sample, ...]:
    return tuple(sample for group in groups for sample in group)


def _split_folders(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Split -> folder. AFEW has cut-out faces without labels beside its videos: those stay out."""
    plain: dict[str, Path] = {}
    aligned: dict[str, Path] = {}
    notes = []
    for folder in _subfolders(root):
        name = folder.name.lower()
        bare = name.removesuffix("_aligned_faces")
        if bare not in _SPLIT_NAMES:
            continue
        where = plain if bare == name else aligned
        if _SPLIT_NAMES[bare] in where:
            raise InputError(
                f"{root} has two folders for one split: {where[_SPLIT_NAMES[bare]].name} and "
                f"{folder.name}.",
                "Move one of them away.",
            )
        where[_SPLIT_NAMES[bare]] = folder
    found = plain or aligned
    if plain and aligned:
        names = ", ".join(folder.name for folder in aligned.values())
        notes.append(f"Left out: {names} (aligned faces beside the videos).")
    labelled = {}
    for split in SPLITS:
        if split not in found:
            continue
        # The challenges keep the labels of AFEW's and SFEW's test files to themselves.
        if split == "test" and not _subfolders(found[split]) and any(found[split].iterdir()):
            notes.append(f"Left out: {found[split].name} (no class folders, so no labels).")
            continue
        labelled[split] = found[split]
    if not labelled:
        raise InputError(f"{root} holds no split (train, val, validation or test).", _LAYOUT)
    return labelled, notes


def _subfolders(folder: Path) -> list[Path]:
    """Folders below, sorted, without what archives and file managers leave behind."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__")))


def _walk_split(folder: Path, split: str) -> list[Sample]:
    samples = []
    for class_folder in _subfolders(folder):
        label = class_of(class_folder.name, class_folder)
        for path in sorted(class_folder.iterdir()):
            suffix = path.suffix.lower()
            if path.name.startswith(".") or suffix not in IMAGE_SUFFIXES + VIDEO_SUFFIXES:
                continue
            samples.append(Sample(path, label, None, split, _clip_name(path)))
    if not samples:
        raise InputError(f"{folder} holds no picture and no video in class folders.", _LAYOUT)
    return samples


def _clip_name(path: Path) -> str:
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return f"{path.parent.parent.name}/{path.parent.name}/{path.stem}"
    match = _SFEW_NAME.fullmatch(path.stem)
    return match["clip"] if match else ""


def _kind_of(root: Path, paths: list[Path]) -> str:
    first: dict[str, Path] = {}
    for path in paths:
        kind = "video" if path.suffix.lower() in VIDEO_SUFFIXES else "image"
        first.setdefault(kind, path)
    if len(first) > 1:
        raise InputError(
            f"{root} mixes pictures and videos ({first['image']}, {first['video']}).",
            "Keep CAER (videos) and CAER-S (pictures) in two folders.",
        )
    return next(iter(first))


def _listed_samples(root: Path, table: Path, split: str, known: dict[Path, Sample]) -> list[Sample]:
    by_name = {(s.split, s.label, s.path.name): s for s in known.values()}
    samples = []
    for row in read_face_list(table):
        sample = _resolve(row, split, by_name)
        if sample is None:
            raise InputError(
                f"{table} names {row.name}, which is not below {root}.",
                "The list belongs to another copy of the data: remove the line or the list.",
            )
        samples.append(Sample(sample.path, row.label, row.box, split, sample.clip))
    return samples


def _resolve(
    row: ListedFile, split: str, by_name: dict[tuple[str, int, str], Sample]
) -> Sample | None:
    """The file that a line means, by split, class (not its spelling) and file name."""
    parts = row.name.split("/")
    named = _split_of(parts[0]) if len(parts) > 2 else None
    # Without a prefix: a validation list without a folder of its own names files below test/.
    candidates = [named] if named else [split, "test"] if split == "validation" else [split]
    for place in candidates:
        sample = by_name.get((place, row.label, parts[-1]))
        if sample is not None:
            return sample
    return None


def _split_of(folder: str) -> str | None:
    return _SPLIT_NAMES.get(folder.lower().removesuffix("_aligned_faces"))
