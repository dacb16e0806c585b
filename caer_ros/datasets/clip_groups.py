"""Guesses which files come from one clip or scene, so that a split can keep them together.

CAER-S does not say which clip a picture was taken from. Two pictures are put in one group where
- they are near duplicates (see near_duplicates), whatever their split, class and number; or
- they follow each other in number in one folder and are still alike (the same shot, moved on); or
- the layout names the same clip for both (SFEW's file names).
Groups are chains: a and c are together where a is with b and b with c.

Limits. A clip that cuts to another camera falls into several groups when its pictures are not
alike; two clips from one unmoving scene fall into one, which costs choice but leaks nothing. The
same actors, sets and shows stay on both sides: only a split by show (`caer data build`) parts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from caer_ros.datasets.samples import Sample

# Likeness of thumbnails from which on neighbours in number count as one shot. Frames a second apart
# of real films with moving people reach .80 and more, unrelated frames .64 at most.
LEAST_NEIGHBOUR_LIKENESS = 0.75

_NUMBER = re.compile(r"(?P<series>.*?)(?P<number>\d+)")


def group_files(
    samples: Sequence[Sample], pairs: Iterable[tuple[int, int]], thumbnails: np.ndarray
) -> np.ndarray:
    """Number of each file's group: int [n], counted from 0 in the order of the files.

    Args:
        samples: n files, each once.
        pairs: places of near duplicates among them.
        thumbnails: float32 [n, d], one a file, each of mean 0 and length 1.
    """
    edges = [*pairs, *_neighbours(samples, thumbnails), *_same_clips(samples)]
    ends = np.array(edges, np.int64).reshape(-1, 2)
    n = len(samples)
    graph = coo_matrix((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(n, n))
    _, groups = connected_components(graph, directed=False)
    return groups


def _neighbours(samples: Sequence[Sample], thumbnails: np.ndarray) -> Iterable[tuple[int, int]]:
    """Files of one folder that are named alike, with consecutive numbers, and look alike."""
    numbered = []
    for place, sample in enumerate(samples):
        match = _NUMBER.fullmatch(sample.path.stem)
        if match:
            series = str(sample.path.parent / match["series"])
            numbered.append((series, int(match["number"]), place))
    for (series, number, a), (other, following, b) in pairwise(sorted(numbered)):
        if series != other or following - number > 1:
            continue
        if float(thumbnails[a] @ thumbnails[b]) >= LEAST_NEIGHBOUR_LIKENESS:
            yield a, b


def _same_clips(samples: Sequence[Sample]) -> Iterable[tuple[int, int]]:
    first: dict[str, int] = {}
    for place, sample in enumerate(samples):
        if sample.clip:
            earlier = first.setdefault(sample.clip, place)
            if earlier != place:
                yield earlier, place
