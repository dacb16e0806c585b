"""Finds EMOTIC's annotations below a folder and reads them, whatever their form.

    ROOT/Annotations.mat or ROOT/Annotations/Annotations.mat      as published
    ROOT/Annotations.json (ditto)                                 as `caer data scenes` writes it
    ROOT/train.csv, val.csv, test.csv (ditto, or in emotic_pre/)  see csv_lists.py

The first form that is there counts. Pictures lie below ROOT/emotic/ or ROOT itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from caer_ros.core import InputError
from caer_ros.datasets.emotic.csv_lists import is_people_list, read_list
from caer_ros.datasets.emotic.mat_file import as_list, read_mat

Entries = dict[str, list[dict[str, Any]]]

LAYOUT = "EMOTIC has Annotations/Annotations.mat beside emotic/, the folder of its pictures."
SPLIT_NAMES = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}


def annotation_files(root: Path) -> list[Path]:
    """The file of annotations, or one list a split, below `root`; empty where there is none."""
    for name in ("annotations.mat", "annotations.json"):
        for folder in _folders(root):
            found = [path for path in _files(folder) if path.name.lower() == name]
            if found:
                return found[:1]
    for folder in _folders(root):
        lists = [path for path in _files(folder) if _list_split(path) and is_people_list(path)]
        if lists:
            return lists
    return []


def read_entries(files: list[Path]) -> Entries:
    """Split -> entries, nested like the records of Annotations.mat.

    Raises:
        InputError: a file is damaged, or not of EMOTIC's form.
    """
    if files[0].suffix.lower() == ".csv":
        return {_list_split(path): read_list(path, _list_split(path)) for path in files}
    path = files[0]
    data = read_mat(path) if path.suffix.lower() == ".mat" else _read_json(path)
    found: Entries = {}
    for name, split in SPLIT_NAMES.items():
        entries = as_list(data.get(name))
        if not all(isinstance(entry, dict) for entry in entries):
            raise InputError(f"{path}: '{name}' is no list of pictures.", LAYOUT)
        if entries:
            found.setdefault(split, []).extend(entries)
    if not found:
        raise InputError(f"{path} has no train, val or test pictures.", LAYOUT)
    return found


def picture_root(root: Path, entries: Entries) -> Path:
    """Where the pictures' own folders lie: the first of ROOT/emotic and ROOT that has one."""
    names = {str(entry.get("folder", "")) for listed in entries.values() for entry in listed}
    for base in (root / "emotic", root):
        if any((base / name).is_dir() for name in sorted(names)):
            return base
    return root / "emotic"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no readable JSON ({error}).", "Get the file again.") from error
    if not isinstance(data, dict):
        raise InputError(f"{path} has no splits.", LAYOUT)
    return data


def _folders(root: Path) -> list[Path]:
    below = sorted(p for p in root.iterdir() if p.name.lower() in ("annotations", "emotic_pre"))
    return [root, *(folder for folder in below if folder.is_dir())]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _list_split(path: Path) -> str:
    return SPLIT_NAMES.get(path.stem.lower(), "") if path.suffix.lower() == ".csv" else ""
