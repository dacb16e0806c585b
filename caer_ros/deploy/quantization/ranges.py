"""What was seen of each tensor, and keeping it so that a killed calibration goes on."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.bundles.files import write_atomically
from caer_ros.core import CaerError

BINS = 2048
NAME = "state.npz"


@dataclass
class Ranges:
    """Two passes over the pictures: first the ranges, then histograms within them.

    Histograms with fixed bins are sums, so that neither the order of the pictures nor a kill in
    between can change them.

    Attributes:
        tensors: names, T of them.
        low, high: float64 [T], least and largest value seen; infinities before the first batch.
        counts: int64 [T, BINS], |values| in equal bins from 0 to the largest |value|.
        ranged, counted: batches done in each pass.
    """

    tensors: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray
    ranged: int = 0
    counted: int = 0

    @classmethod
    def empty(cls, tensors: tuple[str, ...]) -> Ranges:
        """Nothing seen yet."""
        size = len(tensors)
        return cls(
            tensors,
            np.full(size, np.inf),
            np.full(size, -np.inf),
            np.zeros((size, BINS), np.int64),
        )

    @property
    def largest(self) -> np.ndarray:
        """float64 [T], the largest |value| seen."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def widen(self, index: int, values: np.ndarray) -> None:
        """Take values of one tensor into its range."""
        self.low[index] = min(self.low[index], float(values.min()))
        self.high[index] = max(self.high[index], float(values.max()))

    def count(self, index: int, values: np.ndarray) -> None:
        """Take values of one tensor into its histogram; its range must be known."""
        top = float(self.largest[index])
        if top == 0:
            self.counts[index, 0] += values.size
            return
        # By hand: numpy's histogram is several times slower for equal bins.
        place = np.abs(values.ravel()) * np.float32(BINS / top)
        place = np.minimum(place, BINS - 1).astype(np.int64)
        self.counts[index] += np.bincount(place, minlength=BINS)


def save_ranges(folder: Path, ranges: Ranges, work: dict[str, Any]) -> None:
    """Write what was seen so far to FOLDER/state.npz, wholly or not at all.

    Args:
        work: what the calibration is of, to be compared when it goes on.

    Raises:
        CaerError: the folder can not be written.
    """
    stream = io.BytesIO()
    header = {
        "work": work,
        "tensors": ranges.tensors,
        "ranged": ranges.ranged,
        "counted": ranges.counted,
    }
    np.savez(
        stream,
        header=np.frombuffer(json.dumps(header).encode(), np.uint8),
        low=ranges.low,
        high=ranges.high,
        counts=ranges.counts,
    )
    try:
        write_atomically(folder / NAME, stream.getvalue())
    except OSError as error:
        raise CaerError(
            f"{folder / NAME} can not be written: {error.strerror}.",
            "Make room or give another --out; the bundle was not touched.",
        ) from error


def load_ranges(folder: Path, work: dict[str, Any]) -> Ranges | None:
    """What `save_ranges` wrote of the same work; None where there is nothing, or of other work.

    Work that is not the same is begun anew, with a line on stderr.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        with np.load(path) as saved:
            header = json.loads(saved["header"].tobytes())
            arrays = [saved[name] for name in ("low", "high", "counts")]
        tensors = tuple(header["tensors"])
        ranges = Ranges(tensors, *arrays, ranged=header["ranged"], counted=header["counted"])
        same = header["work"] == json.loads(json.dumps(work))
    except Exception as error:  # a damaged zip archive raises half a dozen kinds
        print(f"caer: {path} is damaged ({error}): begun anew.", file=sys.stderr)
        return None
    if not same or arrays[2].shape != (len(tensors), BINS):
        print(f"caer: {path} is of another calibration: begun anew.", file=sys.stderr)
        return None
    return ranges
