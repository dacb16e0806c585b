"""Pairs of pictures that show (nearly) the same moment.

Two frames are near duplicates where their perceptual hashes differ in at most MOST_BITS of 64 bits
and their thumbnails correlate by at least LEAST_LIKENESS. Measured on real films of people: frames
a second apart in a still scene pass (0 to 8 bits, .97 to 1.00); frames of two films from one fixed
camera do not (10 bits and more, at most .77), nor do unrelated ones (20 bits and more).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

MOST_BITS = 10
LEAST_LIKENESS = 0.90
_BLOCK = 2048


@dataclass(frozen=True)
class Pair:
    """Two near duplicates: owners (files) and rows (frames) `a < b`, bits that differ, likeness."""

    owner_a: int
    owner_b: int
    row_a: int
    row_b: int
    bits: int
    likeness: float


def find_pairs(
    hashes: np.ndarray, thumbnails: np.ndarray, owners: Sequence[int] | np.ndarray
) -> list[Pair]:
    """All pairs of near duplicates between different owners, the closest pair of two owners each.

    Args:
        hashes: bool [n, 64].
        thumbnails: float32 [n, d], each of mean 0 and length 1 (or all zero: like nothing).
        owners: int [n], which file each frame is of.

    Returns:
        Pairs, most alike first; memory grows with n and with the pairs, not with n².
    """
    owner = np.asarray(owners, np.int64)
    # Of ±1 vectors, the product counts agreeing minus differing bits: one matrix product a block
    # compares millions of pairs, exactly.
    signs = np.where(hashes, np.float32(1), np.float32(-1))
    agree = signs.shape[1] - 2 * MOST_BITS
    best: dict[tuple[int, int], Pair] = {}
    for top in tqdm(range(0, len(owner), _BLOCK), "compare", unit="block", disable=None):
        for left in range(top, len(owner), _BLOCK):
            product = signs[top : top + _BLOCK] @ signs[left : left + _BLOCK].T
            rows, columns = np.nonzero(product >= agree)
            a, b = rows + top, columns + left
            fits = (a < b) & (owner[a] != owner[b])
            a, b, score = a[fits], b[fits], product[rows[fits], columns[fits]]
            likeness = np.einsum("nd,nd->n", thumbnails[a], thumbnails[b])
            for i in np.flatnonzero(likeness >= LEAST_LIKENESS):
                bits = (signs.shape[1] - int(score[i])) // 2
                _keep(best, Pair(*_ends(owner, a[i], b[i]), bits, float(likeness[i])))
    return sorted(best.values(), key=_closeness)


def _ends(owner: np.ndarray, a: int, b: int) -> tuple[int, int, int, int]:
    return int(owner[a]), int(owner[b]), int(a), int(b)


def _keep(best: dict[tuple[int, int], Pair], pair: Pair) -> None:
    key = (min(pair.owner_a, pair.owner_b), max(pair.owner_a, pair.owner_b))
    if key not in best or _closeness(pair) < _closeness(best[key]):
        best[key] = pair


def _closeness(pair: Pair) -> tuple[int, float, int, int]:
    return pair.bits, -pair.likeness, pair.owner_a, pair.owner_b
