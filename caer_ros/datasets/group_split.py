"""Deals whole groups (shows, or clips) out to training, validation and testing.

The paper's shares are 70, 10 and 20 % (CAER-Net section 4.1). A group is never divided, so that the
shares are met only as nearly as groups allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.samples import SPLITS

SHARES = (0.7, 0.1, 0.2)
# Sizes come first; between deals about as near, that with the more even classes is taken.
_CLASS_WEIGHT = 0.02
_STARTS = 8
_MOST_GROUPS_TO_TRY_ALL = 7
# Swaps are tried up to here; with more groups, moves alone come as near.
_MOST_GROUPS_TO_SWAP = 120


def split_groups(
    groups: Mapping[str, np.ndarray], seed: int, shares: tuple[float, ...] = SHARES
) -> dict[str, str]:
    """Which split each group goes to; the same arguments give the same answer.

    Up to 7 groups, the best of all deals; beyond, the best of several seeded greedy starts, each
    improved until no move of one group (and, up to 120 groups, no exchange of two) brings sizes and
    classes nearer to the shares.

    Args:
        groups: name -> int [classes], how many files of each class the group has.
        shares: of training, validation and testing; sum 1.

    Raises:
        InputError: fewer groups than splits, so that one would be empty.
    """
    names = sorted(groups)
    if len(names) < len(shares):
        raise InputError(
            f"{len(names)} group(s) ({', '.join(names)}) can not fill {len(shares)} splits.",
            "Collect more shows or clips: a group is never divided.",
        )
    counts = np.stack([np.asarray(groups[name], np.float64) for name in names])
    problem = _Problem(counts, np.asarray(shares))
    if len(names) <= _MOST_GROUPS_TO_TRY_ALL:
        found = [np.array(p) for p in product(range(len(shares)), repeat=len(names))]
    else:
        starts = _STARTS if len(names) <= _MOST_GROUPS_TO_SWAP else 1
        found = [problem.solve(np.random.default_rng([seed, start])) for start in range(starts)]
    best = min(found, key=problem.cost)
    return {name: SPLITS[place] for name, place in zip(names, best, strict=True)}


def size_error(sizes: Sequence[int], shares: tuple[float, ...] = SHARES) -> float:
    """How far the splits' sizes are from their shares: sum of the differences over the total."""
    total = sum(sizes)
    return sum(abs(n - share * total) for n, share in zip(sizes, shares, strict=True)) / total


class _Problem:
    """Costs of dealing groups [n, classes] out by shares [splits]."""

    def __init__(self, counts: np.ndarray, shares: np.ndarray) -> None:
        self._counts = counts
        self._shares = shares
        self._target = shares[:, None] * counts.sum(axis=0)
        self._total = max(counts.sum(), 1.0)

    def cost(self, places: np.ndarray) -> float:
        """Of places [n], the split of each group: size error, class error, empty splits."""
        return self._cost(*self._sums(places))

    def solve(self, rng: np.random.Generator) -> np.ndarray:
        """One greedy start in a random order of equals, improved: places [n]."""
        places = self._greedy(rng)
        while self._move(places) or (len(places) <= _MOST_GROUPS_TO_SWAP and self._swap(places)):
            pass
        return places

    def _sums(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        have = np.zeros_like(self._target)
        np.add.at(have, places, self._counts)
        return have, np.bincount(places, minlength=len(self._shares))

    def _cost(self, have: np.ndarray, members: np.ndarray) -> float:
        size = np.abs(have.sum(axis=1) - self._target.sum(axis=1)).sum()
        classes = np.abs(have - self._target).sum()
        # An empty split is worse than any mismatch.
        return float((size + _CLASS_WEIGHT * classes) / self._total + 10 * (members == 0).sum())

    def _greedy(self, rng: np.random.Generator) -> np.ndarray:
        """Largest first, each to where the shares are least filled."""
        shuffled = rng.permutation(len(self._counts))
        order = shuffled[np.argsort(-self._counts[shuffled].sum(axis=1), kind="stable")]
        places = np.zeros(len(order), np.int64)
        have = np.zeros_like(self._target)
        for group in order:
            after = have[None] + np.eye(len(have))[:, :, None] * self._counts[group]
            over = np.abs(after - self._target).sum(axis=(1, 2))
            size = np.abs(after.sum(axis=2) - self._target.sum(axis=1)).sum(axis=1)
            places[group] = int(np.argmin(size + _CLASS_WEIGHT * over))
            have[places[group]] += self._counts[group]
        return places

    def _move(self, places: np.ndarray) -> bool:
        """Make every move of one group that helps; whether any did."""
        have, members = self._sums(places)
        cost = self._cost(have, members)
        helped = False
        for group, count in enumerate(self._counts):
            for to in range(len(self._shares)):
                start = places[group]
                if to == start:
                    continue
                self._shift(have, members, count, start, to)
                new = self._cost(have, members)
                if new < cost - 1e-12:
                    places[group], cost, helped = to, new, True
                else:
                    self._shift(have, members, count, to, start)
        return helped

    def _swap(self, places: np.ndarray) -> bool:
        """Make the first exchange of two groups that helps; whether one did."""
        have, members = self._sums(places)
        cost = self._cost(have, members)
        for a in range(len(places)):
            for b in range(a):
                if places[a] == places[b]:
                    continue
                change = self._counts[a] - self._counts[b]
                have[places[a]] -= change
                have[places[b]] += change
                if self._cost(have, members) < cost - 1e-12:
                    places[a], places[b] = places[b], places[a]
                    return True
                have[places[a]] += change
                have[places[b]] -= change
        return False

    @staticmethod
    def _shift(
        have: np.ndarray, members: np.ndarray, count: np.ndarray, start: int, to: int
    ) -> None:
        have[start] -= count
        have[to] += count
        members[start] -= 1
        members[to] += 1
