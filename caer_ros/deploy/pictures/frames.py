"""Unlabelled pictures from a folder, a video or a bag, thinned out evenly and split in two.

Neighbours in a film look alike. So what is measured on is never a neighbour of what was calibrated
on, but for the edges of a block: three blocks in ten, each in one piece, are held out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import cv2
import numpy as np
from tqdm import tqdm

from caer_ros.core import InputError
from caer_ros.deploy.pictures.bag import bag_frames
from caer_ros.perception.bags.bag import is_bag
from caer_ros.perception.sources import IMAGE_SUFFIXES, open_source, read_image

Made = TypeVar("Made")
_BLOCKS = 10
_HELD_OUT = (2, 5, 8)
_REMEDY = "Name a folder of pictures, a video or a bag."


@dataclass(frozen=True)
class Split(Generic[Made]):
    """What was made of frames.

    Attributes:
        seen: may be calibrated on.
        held_out: is measured on.
        bad: pictures that could not be read.
    """

    seen: list[Made]
    held_out: list[Made]
    bad: int


def split_frames(
    target: Path,
    make: Callable[[np.ndarray], Made | None],
    held_out: Sequence[str],
    most: int,
    topic: str = "",
) -> Split[Made]:
    """Make something of up to about `most` frames of `target`, evenly spread over it.

    A picture that can not be read is left out with a line on stderr and counted.

    Args:
        target: folder (with sub-folders), picture, video, or bag.
        make: called with a frame, uint8 [H, W, 3] RGB; None leaves it out.
        held_out: names of files (without ending) or folders to hold out; none: blocks are.
        most: frames, at least 2.
        topic: of a bag's images; empty: the only one.

    Raises:
        InputError: it does not exist, holds no picture, or none can be read.
    """
    if not target.exists():
        raise InputError(f"{target} does not exist.", _REMEDY)
    if target.is_dir() and not is_bag(target):
        return _of_folder(target, make, held_out, most)
    frames = bag_frames(target, topic) if is_bag(target) else _video(target)
    kept = _thinned(frames, make, most, target.name)
    if not kept:
        raise InputError(f"{target} holds no usable picture.", _REMEDY)
    if held_out:
        whole = target.stem in held_out
        return Split([], kept, 0) if whole else Split(kept, [], 0)
    return Split(*_blocks(kept), 0)


def _of_folder(
    folder: Path, make: Callable[[np.ndarray], Made | None], held_out: Sequence[str], most: int
) -> Split[Made]:
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise InputError(f"{folder} holds no picture.", _REMEDY)
    paths = _spread(paths, most)
    names = set(held_out)
    if names:
        sides = [bool(names & {*p.relative_to(folder).parts, p.stem}) for p in paths]
    else:
        sides = _sides(len(paths))
    parts: tuple[list[Made], list[Made]] = [], []
    bad = 0
    for path, side in zip(_progress(paths, folder.name), sides, strict=True):
        try:
            made = make(cv2.cvtColor(read_image(path), cv2.COLOR_BGR2RGB))
        except InputError as error:
            print(f"caer: left out: {error}", file=sys.stderr)
            bad += 1
            continue
        if made is not None:
            parts[side].append(made)
    if bad == len(paths):
        raise InputError(f"None of the {bad} pictures of {folder} can be read.", _REMEDY)
    return Split(*parts, bad)


def _video(path: Path) -> Iterator[np.ndarray]:
    for frame in open_source(str(path)):
        yield cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)


def _thinned(
    frames: Iterator[np.ndarray],
    make: Callable[[np.ndarray], Made | None],
    most: int,
    name: str,
) -> list[Made]:
    """Every n-th frame; n doubles whenever there are twice too many: lengths may be unknown."""
    kept: list[Made | None] = []
    step = 1
    for number, frame in enumerate(_progress(frames, name)):
        if number % step:
            continue
        kept.append(make(frame))
        if len(kept) >= 2 * most:
            kept, step = kept[::2], 2 * step
    return [made for made in _spread(kept, most) if made is not None]


def _blocks(kept: list[Made]) -> tuple[list[Made], list[Made]]:
    parts: tuple[list[Made], list[Made]] = [], []
    for made, side in zip(kept, _sides(len(kept)), strict=True):
        parts[side].append(made)
    return parts


def _sides(count: int) -> list[bool]:
    """Whether each of so many in a row is held out."""
    return [index * _BLOCKS // count in _HELD_OUT for index in range(count)]


def _spread(items: list, most: int) -> list:  # type: ignore[type-arg]
    if len(items) <= most:
        return items
    return [items[int(i)] for i in np.unique(np.linspace(0, len(items) - 1, most).astype(int))]


def _progress(items, name: str):  # type: ignore[no-untyped-def]
    return tqdm(items, f"reading {name}", unit="frame", file=sys.stderr, disable=None)
