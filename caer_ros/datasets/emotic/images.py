"""The pixels of annotated pictures: from files, or from memory."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from caer_ros.core import InputError
from caer_ros.datasets.emotic.records import AnnotatedImage

_REMEDY = "Run `caer data check` on the folder, or let bad pictures be skipped."


class Images(Protocol):
    """Annotated pictures, read one by one."""

    @property
    def records(self) -> Sequence[AnnotatedImage]: ...

    def pixels(self, index: int) -> np.ndarray:
        """Picture `index`: uint8 [height, width, 3], RGB, of the size in its record."""
        ...


@dataclass(frozen=True, eq=False)
class FolderImages:
    """Pictures on disk, decoded anew each time."""

    records: Sequence[AnnotatedImage]

    def pixels(self, index: int) -> np.ndarray:
        """See Images.

        Raises:
            InputError: the file is missing, damaged, or of another size than annotated.
        """
        return read_picture(self.records[index])


@dataclass(frozen=True, eq=False)
class MemoryImages:
    """Pictures in memory, one uint8 [height, width, 3] RGB a record.

    Raises:
        ValueError: counts or sizes differ.
    """

    records: Sequence[AnnotatedImage]
    arrays: Sequence[np.ndarray]

    def __post_init__(self) -> None:
        for record, array in zip(self.records, self.arrays, strict=True):
            if array.shape != (record.height, record.width, 3) or array.dtype != np.uint8:
                raise ValueError(f"{record.path}: {array.dtype} {array.shape} is not as annotated")

    def pixels(self, index: int) -> np.ndarray:
        """See Images."""
        return self.arrays[index]


def read_picture(record: AnnotatedImage) -> np.ndarray:
    """A picture's pixels: uint8 [height, width, 3], RGB.

    The annotated size decides whether a camera's note to turn the picture (EXIF) holds: boxes are
    in pixels of the picture that the annotators saw.

    Raises:
        InputError: the file is missing, damaged, or of another size than annotated.
    """
    try:
        data = np.fromfile(record.path, np.uint8)
    except OSError as error:
        raise InputError(f"{record.path} can not be read: {error.strerror}.", _REMEDY) from error
    wanted = (record.height, record.width)
    image = _decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is not None and image.shape[:2] == wanted[::-1] != wanted:
        image = _decode(data, cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{record.path} is not a readable image.", _REMEDY)
    if image.shape[:2] != wanted:
        raise InputError(
            f"{record.path} has {image.shape[1]}x{image.shape[0]} pixels, but its annotation says "
            f"{wanted[1]}x{wanted[0]}.",
            _REMEDY,
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels as stored, from the file's header alone.

    Raises:
        InputError: the file is missing or no picture.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is not a readable image ({error}).", _REMEDY) from error
    return width, height


def without_bad(
    records: Sequence[AnnotatedImage], name: str, workers: int = 2
) -> tuple[list[AnnotatedImage], list[str]]:
    """Decode every picture once.

    Args:
        name: for the progress bar and the complaint.
        workers: threads.

    Returns:
        the records whose pictures can be read, and one complaint for each of the others.

    Raises:
        InputError: none can be read.
    """

    said = complaints_about(records, name, workers)
    good = [record for record, text in zip(records, said, strict=True) if not text]
    complaints = [text for text in said if text]
    if not good:
        raise InputError(
            f"No picture of {name} can be read: {(complaints or ['none is there'])[0]}"
        )
    return good, complaints


def complaints_about(records: Sequence[AnnotatedImage], name: str, workers: int) -> list[str]:
    """Decode every picture, with progress on stderr: what is wrong with each, empty where nothing.

    Args:
        workers: threads; decoding frees Python's lock.
    """

    def complaint(record: AnnotatedImage) -> str:
        try:
            read_picture(record)
        except InputError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(workers) as pool:
        said = pool.map(complaint, records)
        return list(tqdm(said, f"reading {name}", len(records), unit="file", disable=None))


def _decode(data: np.ndarray, flags: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(data, flags) if data.size else None
    except cv2.error:  # A damaged header can promise more pixels than OpenCV takes.
        return None
