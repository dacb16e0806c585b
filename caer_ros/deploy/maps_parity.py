"""How far the rows that a BENet file decodes are from the maps that they should come from.

Rows can not be held against rows: where two cells are equal but for rounding, back ends may choose
either. So each row is held against the maps at its own place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from caer_ros.perception.benet_decode import MIN_SIDE, BenetDecode, decode
from caer_ros.perception.benet_maps import MapPair, merged_heat, read_cells

_ALL = 1_000_000
# Share of the peaks that may be counted otherwise: those within rounding of their neighbours.
_PEAKS = 0.02


def rows_differ(rows: Mapping[str, np.ndarray], maps: MapPair, config: BenetDecode) -> float:
    """Largest difference between one image's rows and its maps, after the sigmoid.

    Sizes count relatively. Infinite where a row is at no peak's place, or people were miscounted.

    Args:
        rows: boxes [K, 4], scores [K], emotions [K, E], peaks [], heat [h, w], vad [K, 3] if any.
        maps: of the image, at 1/4 and 1/2.
    """
    heat = merged_heat([maps])
    real = rows["scores"] > 0
    boxes = rows["boxes"][real].astype(np.float64)
    # A centre moves by half a cell at most, and so stays in its cell.
    cells = np.floor((boxes[:, :2] + boxes[:, 2:]) / 2 / config.stride).astype(np.int64)
    height, width = heat.shape
    lines, cols = cells[:, 1].clip(0, height - 1), cells[:, 0].clip(0, width - 1)
    values = read_cells([maps], lines, cols, full_size=False)
    wanted = np.maximum(values.size[:, ::-1], MIN_SIDE)
    parts = [
        rows["heat"] - heat,
        np.sort(rows["scores"]) - np.sort(_best_scores(maps, config)),
        rows["scores"][real] - heat[lines, cols],
        rows["emotions"][real] - values.emotion,
        (boxes[:, 2:] - boxes[:, :2] - wanted) / (1 + wanted),
    ]
    if "vad" in rows:
        parts.append(rows["vad"][real] - values.vad)
    if _miscounted(int(rows["peaks"]), maps, config):
        return np.inf
    return float(np.max([np.abs(part).max(initial=0.0) for part in parts]))


def _best_scores(maps: MapPair, config: BenetDecode) -> np.ndarray:
    """float [top_k], 0 where an image has fewer peaks."""
    found = decode(maps, replace(config, threshold=0.0)).scores
    return np.pad(found, (0, config.top_k - len(found)))


def _miscounted(peaks: int, maps: MapPair, config: BenetDecode) -> bool:
    """Whether `peaks` is no count of peaks, those within rounding of the threshold aside."""
    scores = decode(maps, replace(config, threshold=0.0, top_k=_ALL)).scores
    most, least = ((scores > config.threshold + off).sum() for off in (-1e-4, 1e-4))
    slack = np.ceil(_PEAKS * most)
    return not least - slack <= peaks <= most + slack
