"""Pictures and films that people are looked for in, and the split that each of them goes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from caer_ros.core import InputError
from caer_ros.datasets.emotic.images import picture_size
from caer_ros.datasets.media import iterate_video
from caer_ros.datasets.real_faces import FILMS, named

LONGER_SIDE = 640
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class Sources:
    """What is read, and which split it goes to.

    Attributes:
        files: pictures and films.
        film_step: of a film, every so many-th frame from the first on.
        validation, test: patterns (fnmatch) of file names, with or without their ending, whose
            pictures go to these splits; `test` goes before.
    """

    files: tuple[Path, ...]
    film_step: int = 3
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()

    def split(self, path: Path) -> str:
        """A source's split."""
        for split, patterns in (("test", self.test), ("validation", self.validation)):
            if named(path.name, patterns) or named(path.stem, patterns):
                return split
        return "train"


def list_sources(given: Sequence[Path]) -> tuple[Path, ...]:
    """Files as they are, and of a folder its pictures and films, in order of their names.

    Raises:
        InputError: one does not exist, or a folder has neither.
    """
    files: list[Path] = []
    for path in given:
        inside = [path]
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in (*PICTURES, *FILMS))
        if not inside or not inside[0].is_file():
            raise InputError(f"{path} has no pictures and no films.", "Give files, or a folder.")
        files += inside
    return tuple(files)


def check_sources(files: Sequence[Path]) -> None:
    """Open every file, a picture no further than its header.

    Raises:
        InputError: some can not be read; the first is named.
    """
    said = []
    for path in files:
        try:
            # What Pillow can not open OpenCV may.
            if path.suffix.lower() in FILMS or not _has_header(path):
                next(read_pictures(path, 1))
        except InputError as error:
            said.append(error)
    if said:
        raise InputError(
            f"{len(said)} of {len(files)} files can not be read, the first: {said[0]}",
            "Or add --skip-bad.",
        )


def named_pictures(
    sources: Sources, on_bad: Callable[[Path, InputError], None]
) -> Iterator[tuple[Path, str, np.ndarray]]:
    """Each source's pictures, uint8 BGR, with their names; no two names are alike.

    Args:
        sources: pictures and films.
        on_bad: told of each file that can not be read, which is then left out, unless this raises.
    """
    taken: set[str] = set()
    for path in tqdm(sources.files, "people", unit="file", disable=None):
        try:
            for ending, image in read_pictures(path, sources.film_step):
                yield path, f"{_take(taken, path.stem + ending)}.png", image
        except InputError as error:
            on_bad(path, error)


def read_pictures(path: Path, step: int) -> Iterator[tuple[str, np.ndarray]]:
    """A source's pictures, uint8 BGR, shrunk to LONGER_SIDE, with the ending of their names.

    Raises:
        InputError: it can not be read.
    """
    if path.suffix.lower() in FILMS:
        for number, frame in enumerate(iterate_video(path)):
            if number % step == 0:
                yield f"_{number:04d}", _shrunk(frame)
        return
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(
            f"{path} can not be read.", f"Give a picture or a film ({', '.join(FILMS)})."
        )
    yield "", _shrunk(image)


def _take(taken: set[str], wanted: str) -> str:
    """A free name, as it is wanted or with a number; folders and films may share names."""
    number, name = 1, wanted
    # A file system may not tell cases apart.
    while name.lower() in taken:
        number += 1
        name = f"{wanted}-{number}"
    taken.add(name.lower())
    return name


def _has_header(path: Path) -> bool:
    try:
        picture_size(path)
    except InputError:
        return False
    return True


def _shrunk(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    scale = LONGER_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
