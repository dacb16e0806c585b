"""Reads every file of a data set to its end and keeps what comparing them needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import imagehash
import numpy as np
from PIL import Image
from tqdm import tqdm

from caer_ros.bundles import sha256_of
from caer_ros.core import InputError
from caer_ros.datasets.media import iterate_video, read_facts
from caer_ros.datasets.samples import Dataset
from caer_ros.perception.sources import read_image

# A clip is compared by one frame a second, at most this many.
_MOST_FRAMES = 8
_THUMBNAIL = 16
_TAKEN_AT_ONCE = 256


@dataclass(frozen=True)
class Fingerprint:
    """What is known of one readable file.

    `hashes` is bool [k, 64], perceptual hashes of k frames (1 of a picture); `thumbnails` is
    float32 [k, 256], their grey thumbnails with mean 0 and length 1; `places` their indices.
    """

    sha256: str
    width: int
    height: int
    frames: int
    hashes: np.ndarray
    thumbnails: np.ndarray
    places: tuple[int, ...]


def read_fingerprints(data: Dataset, workers: int) -> dict[Path, Fingerprint | InputError]:
    """Open and decode every file once, with progress on stderr; unreadable ones give their error.

    Args:
        data: a file that is in several splits is read once.
        workers: threads; decoding frees Python's lock.
    """
    paths = list(dict.fromkeys(sample.path for sample in data.samples))
    read = _read_image if data.kind == "image" else _read_video

    def attempt(path: Path) -> Fingerprint | InputError:
        try:
            return read(path)
        except InputError as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        results = _in_order(pool, attempt, paths)
        return dict(
            zip(paths, tqdm(results, "check", len(paths), unit="file", disable=None), strict=True)
        )


def describe(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Perceptual hash (bool [64]) and thumbnail (float32 [256], mean 0, length 1) of a BGR frame.

    The hash is imagehash's pHash: the signs of an image's lowest frequencies about their median.
    """
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA)
    bits = imagehash.phash(Image.fromarray(small)).hash.ravel()
    tiny = cv2.resize(grey, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    flat = tiny.astype(np.float32).ravel()
    flat -= flat.mean()
    # An even frame has no direction; it stays zero and is like nothing.
    return bits, flat / max(float(np.linalg.norm(flat)), 1.0)


def _in_order(
    pool: ThreadPoolExecutor,
    attempt: Callable[[Path], Fingerprint | InputError],
    paths: list[Path],
) -> Iterator[Fingerprint | InputError]:
    """As pool.map, but an interrupt does not wait for 70,000 files already handed out."""
    for start in range(0, len(paths), _TAKEN_AT_ONCE):
        yield from pool.map(attempt, paths[start : start + _TAKEN_AT_ONCE])


def _read_image(path: Path) -> Fingerprint:
    image = read_image(path)
    return _fingerprint(path, image.shape, 1, [(0, image)])


def _read_video(path: Path) -> Fingerprint:
    facts = read_facts(path)
    kept: list[tuple[int, np.ndarray]] = []
    count = 0
    shape: tuple[int, ...] = ()
    step = max(round(facts.fps), -(-facts.frames // _MOST_FRAMES), 1)
    for frame in iterate_video(path):
        if count % step == 0 and len(kept) < _MOST_FRAMES:
            kept.append((count, frame))
        count, shape = count + 1, frame.shape
    if count < facts.frames:
        raise InputError(
            f"{path} is cut short: {count} of {facts.frames} frames can be read.",
            "Replace or delete it.",
        )
    return _fingerprint(path, shape, count, kept)


def _fingerprint(
    path: Path, shape: tuple[int, ...], frames: int, kept: list[tuple[int, np.ndarray]]
) -> Fingerprint:
    described = [describe(frame) for _, frame in kept]
    return Fingerprint(
        sha256_of(path),
        shape[1],
        shape[0],
        frames,
        np.stack([bits for bits, _ in described]),
        np.stack([thumbnail for _, thumbnail in described]),
        tuple(index for index, _ in kept),
    )
