"""Picks samples that differ, so that few of them show a network all that it may meet.

k-centre greedy (Gonzalez 1985): the next sample is always the one farthest from all that were
picked. Distances are between small descriptors of colours and edges; nothing is drawn by chance.
"""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

from caer_ros.deploy.pictures.samples import Samples

_CELLS = 4
_ANGLES = 8


def describe(picture: np.ndarray) -> np.ndarray:
    """float32 [76] of a uint8 picture [H, W, 3]: mean and spread of 4x4 cells, edges by angle."""
    small = cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    cells = small.reshape(_CELLS, 32 // _CELLS, _CELLS, 32 // _CELLS, 3)
    colours = cells.mean(axis=(1, 3)).ravel()
    spread = cells.std(axis=(1, 3)).mean(axis=2).ravel()
    grey = small.mean(axis=2)
    down, across = np.gradient(grey)
    angle = np.arctan2(down, across) % np.pi
    place = np.minimum((angle / np.pi * _ANGLES).astype(int), _ANGLES - 1)
    edges = np.bincount(place.ravel(), np.hypot(down, across).ravel(), _ANGLES) / grey.size
    parts = colours, 2 * spread, 8 * edges, [grey.min(), grey.max(), grey.mean(), grey.std()]
    return np.concatenate(parts).astype(np.float32)


def descriptors(samples: Samples) -> np.ndarray:
    """float32 [N, D], all pictures of a sample after each other."""
    rows = [np.concatenate([describe(p) for p in samples.seen(i)]) for i in range(len(samples))]
    return np.stack(rows) if rows else np.zeros((0, 1), np.float32)


def pick(features: np.ndarray, count: int) -> list[int]:
    """Up to `count` different rows, the most typical first, then each time the farthest.

    Args:
        features: float [N, D].

    Returns:
        rows in the order they were picked; of equally far ones the first. Rows equal to a picked
        one come last.
    """
    if not len(features) or count < 1:
        return []
    centre = np.linalg.norm(features - features.mean(axis=0), axis=1)
    chosen = [int(centre.argmin())]
    away = np.linalg.norm(features - features[chosen[0]], axis=1)
    away[chosen[0]] = -1
    while len(chosen) < min(count, len(features)):
        following = int(away.argmax())
        chosen.append(following)
        away = np.minimum(away, np.linalg.norm(features - features[following], axis=1))
        away[chosen] = -1
    return chosen


def digest(samples: Samples, index: int) -> str:
    """Of one sample's pixels: equal pictures have equal ones."""
    state = hashlib.sha256()
    for picture in samples.seen(index):
        state.update(repr(picture.shape).encode())
        state.update(np.ascontiguousarray(picture).data)
    return state.hexdigest()
