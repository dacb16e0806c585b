"""From BENet's maps to people, in numpy: peaks of the heat map, their boxes and their emotions.

Follows section 2.2 and the published decoding, with two deviations:

- The published code enlarges everything to the input's size before it looks for peaks. Here they
  are looked for at 1/2, a quarter of the work; `full_size` does it as published. With the same
  window of cells, two people must then be twice as far apart, in pixels, to be told apart.
- Where neighbouring cells tie for a peak, the published code reports a person for each of them.
  Here the topmost, then the leftmost stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from caer_ros.core import InputError
from caer_ros.perception.benet_maps import (
    MapPair,
    check_finite,
    doubled,
    merged_heat,
    read_cells,
    views_of,
)

# One pixel of the input: a network in training may put out sizes below 0, and a Box needs an area.
MIN_SIDE = 1.0


@dataclass(frozen=True)
class BenetDecode:
    """How maps become people.

    Attributes:
        top_k: most people in an image.
        threshold: a person's score is above this, in [0, 1).
        kernel: side of the window, in cells, in which one peak is one person; odd.
        shift: how far a centre moves towards its higher neighbour, in cells; not where they tie.
        full_size: look for peaks at the input's size, as published, not at 1/2 of it.

    Raises:
        InputError: a value out of its range.
    """

    top_k: int = 30
    threshold: float = 0.1
    kernel: int = 5
    shift: float = 0.25
    full_size: bool = False

    def __post_init__(self) -> None:
        ranges = {
            "top_k": (self.top_k >= 1, "at least 1"),
            "threshold": (0 <= self.threshold < 1, "in [0, 1)"),
            "kernel": (self.kernel >= 3 and self.kernel % 2 == 1, "odd and at least 3"),
            "shift": (0 <= self.shift <= 0.5, "in [0, 0.5]"),
        }
        for name, (fits, wanted) in ranges.items():
            if not fits:
                raise InputError(
                    f"decode: {name} is {getattr(self, name)}.", f"Use a number {wanted}."
                )

    @property
    def stride(self) -> int:
        """Pixels of the input a cell, in which peaks are looked for."""
        return 1 if self.full_size else 2


class Decoded(NamedTuple):
    """People of one image, best first.

    boxes: float32 [K, 4], x1, y1, x2, y2 in pixels of the network's input, sides of at least one
        pixel; they may reach over its edge.
    scores: float32 [K], in [0, 1], above the threshold.
    emotions: float32 [K, E], in [0, 1].
    vad: float32 [K, 3], valence, arousal, dominance in [-1, 1]; NaN where the network has none.
    peaks: people above the threshold before the best were taken; more than K: some are missing.
    """

    boxes: np.ndarray
    scores: np.ndarray
    emotions: np.ndarray
    vad: np.ndarray
    peaks: int


class Reading(NamedTuple):
    """What the maps say at given places: emotions float32 [N, E], vad float32 [N, 3] as Decoded."""

    emotions: np.ndarray
    vad: np.ndarray


def decode(
    maps: MapPair, config: BenetDecode | None = None, mirrored: MapPair | None = None
) -> Decoded:
    """Find the people in the maps of one image.

    Args:
        maps: of the image, at 1/4 and 1/2.
        mirrored: of the mirrored image, as the network put them out. Both are averaged then, the
            published protocol's "flip test" (the paper does not mention it).

    Raises:
        EngineMismatch: the maps at 1/2 are not twice as large as those at 1/4, or the network has
            no detection head.
        EngineError: NaN or infinity in a heat map, or where a person was found.
    """
    config = config or BenetDecode()
    views = views_of(maps, mirrored)
    heat = merged_heat(views)
    if config.full_size:
        heat = doubled(heat)
    rows, cols = np.nonzero(_is_peak(heat, config.kernel) & (heat > config.threshold))
    # Stable: among equal scores the topmost, then the leftmost goes first.
    best = np.argsort(-heat[rows, cols], kind="stable")[: config.top_k]
    peaks, rows, cols = len(rows), rows[best], cols[best]
    values = read_cells(views, rows, cols, config.full_size)
    boxes = _boxes(_centres(heat, rows, cols, config), values.size)
    return Decoded(boxes, heat[rows, cols], values.emotion, values.vad, peaks)


def read_at(
    maps: MapPair,
    boxes: np.ndarray,
    config: BenetDecode | None = None,
    mirrored: MapPair | None = None,
) -> Reading:
    """Emotions at the centres of given boxes: evaluation without the detector (section 4.2).

    boxes: float [N, 4], x1, y1, x2, y2 in pixels of the network's input. A centre outside the
    input is read at the nearest cell. Needs no detection head.

    Raises:
        EngineMismatch, EngineError: as `decode`.
        InputError: a box with a coordinate that is not finite.
    """
    config = config or BenetDecode()
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    if not np.isfinite(boxes).all():
        raise InputError("A box has a coordinate that is not finite.", "Check the annotation.")
    views = views_of(maps, mirrored)
    height, width = (side * 2 // config.stride for side in maps[1].cells)
    cells = np.floor((boxes[:, :2] + boxes[:, 2:]) / 2 / config.stride).astype(np.int64)
    rows, cols = cells[:, 1].clip(0, height - 1), cells[:, 0].clip(0, width - 1)
    values = read_cells(views, rows, cols, config.full_size)
    return Reading(values.emotion, values.vad)


def rows_above(
    boxes: np.ndarray,
    scores: np.ndarray,
    emotions: np.ndarray,
    vad: np.ndarray | None,
    peaks: int,
    threshold: float,
) -> Decoded:
    """One image's rows of a network that decodes itself (`DecodeGraph`), cut at `threshold`.

    boxes [K, 4], scores [K], emotions [K, E], vad [K, 3] or None: rows as the graph put them out.
    peaks: as the graph counted them, above a threshold of its own.

    Raises:
        EngineError: NaN or infinity in a score, or in a row above the threshold.
    """
    check_finite("scores", scores)
    kept = np.nonzero(scores > threshold)[0]
    if vad is None:
        vad = np.full((len(scores), 3), np.nan, np.float32)
    else:
        check_finite("vad", vad[kept])
    check_finite("boxes", boxes[kept])
    check_finite("emotions", emotions[kept])
    # Somebody is missing only where all rows are in use; else the graph counted weaker people.
    found = max(int(peaks), len(kept)) if len(kept) == len(scores) else len(kept)
    return Decoded(boxes[kept], scores[kept], emotions[kept], vad[kept], found)


def _is_peak(heat: np.ndarray, kernel: int) -> np.ndarray:
    """bool [h, w]: no lower than any cell of its window, and higher than all before it in there.

    "Before" is above, or in the same row to the left: of cells that tie, the first one stays.
    """
    window = np.ones((kernel, kernel), np.uint8)
    before = window.copy()
    before.ravel()[kernel * kernel // 2 :] = 0
    return (heat >= cv2.dilate(heat, window)) & (heat > cv2.dilate(heat, before))


def _centres(
    heat: np.ndarray, rows: np.ndarray, cols: np.ndarray, config: BenetDecode
) -> np.ndarray:
    """Centres of cells, moved towards their higher neighbours: [n, 2], x, y in input pixels.

    Over the edge the edge goes on, so a person at the edge moves outwards, as published.
    """
    height, width = heat.shape
    right = heat[rows, np.minimum(cols + 1, width - 1)] - heat[rows, np.maximum(cols - 1, 0)]
    below = heat[np.minimum(rows + 1, height - 1), cols] - heat[np.maximum(rows - 1, 0), cols]
    moved = np.stack([cols, rows], axis=1) + config.shift * np.sign(np.stack([right, below], 1))
    return (moved + 0.5) * config.stride


def _boxes(centres: np.ndarray, size: np.ndarray) -> np.ndarray:
    half = np.maximum(size[:, ::-1], MIN_SIDE) / 2
    return np.hstack([centres - half, centres + half]).astype(np.float32)
