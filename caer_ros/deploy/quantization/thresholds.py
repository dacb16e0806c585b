"""How much of each tensor's range INT8 covers: all of it, nearly all, or what loses least."""

from __future__ import annotations

import numpy as np

from caer_ros.core import InputError
from caer_ros.deploy.quantization.ranges import BINS, Ranges

METHODS = ("minmax", "percentile", "entropy")
PERCENTILE = 99.99
# Positive levels of a signed byte.
_LEVELS = 128
_STRIDE = 8


def thresholds(ranges: Ranges, method: str, percentile: float = PERCENTILE) -> np.ndarray:
    """float64 [T]: |values| above it are clipped; never more than the largest that was seen.

    minmax: the largest |value|.
    percentile: no more than 100 - `percentile` in a hundred |values| are clipped.
    entropy: the clipped and rounded distribution tells least from the one seen (Kullback-Leibler
        divergence, as TensorRT's former calibrator had it).

    Raises:
        InputError: unknown method, or a percentile outside (50, 100].
    """
    if method not in METHODS:
        raise InputError(f"Unknown method '{method}'.", f"Use one of {', '.join(METHODS)}.")
    if not 50 < percentile <= 100:
        raise InputError(f"A percentile of {percentile} is no use.", "Use above 50, up to 100.")
    if method == "minmax":
        return ranges.largest.copy()
    edges = [
        _percentile(row, percentile) if method == "percentile" else _entropy(row)
        for row in ranges.counts
    ]
    return ranges.largest * np.array(edges) / BINS


def _percentile(counts: np.ndarray, percentile: float) -> int:
    """Bins to keep, from the first, so that enough values are in them."""
    total = counts.cumsum()
    # Rounding must not ask for more than there is.
    wanted = min(total[-1] * (percentile / 100), total[-1])
    return int(np.searchsorted(total, wanted)) + 1


def _entropy(counts: np.ndarray) -> int:
    """Bins to keep, from the first, so that least is lost."""
    seen = counts.astype(np.float64)
    # Most values behind a ReLU are 0, which every scale keeps: they say nothing of the others.
    seen[0] = seen[1]
    if not seen.any():
        return BINS
    best, least = BINS, np.inf
    for kept in range(_LEVELS, BINS + 1, _STRIDE):
        lost = _divergence(seen, kept)
        if lost < least:
            best, least = kept, lost
    return best


def _divergence(seen: np.ndarray, kept: int) -> float:
    """Of `seen`, clipped to its first `kept` bins, from the same in _LEVELS levels."""
    clipped = seen[:kept].copy()
    clipped[-1] += seen[kept:].sum()
    level = np.arange(kept) * _LEVELS // kept
    there = seen[:kept] > 0
    sums = np.bincount(level, seen[:kept], _LEVELS)
    filled = np.bincount(level, there, _LEVELS)
    # A level's values are spread over those of its bins that had any.
    coarse = np.where(there, (sums / np.maximum(filled, 1))[level], 0.0)
    if not coarse.sum():
        return np.inf
    p, q = clipped / clipped.sum(), coarse / coarse.sum()
    both = p > 0
    # Where the coarse one has nothing and the other something, the divergence has no bound.
    return float((p[both] * np.log(p[both] / np.maximum(q[both], 1e-12))).sum())
