"""Resizing along one axis as a matrix product: what cv2.resize does, written as weights."""

from __future__ import annotations

import numpy as np


def resize_weights(source: tuple[int, int], inner: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Weights of the columns and of the rows for a picture of `source` made `inner` large.

    As Fit.apply resizes: by area where the picture gets smaller, else bilinear. Each is float32
    [inner side, source side]; their rows add up to 1. A picture that keeps its proportions never
    gets smaller along one side and larger along the other, where cv2 would do something else.
    """
    pairs = list(zip(source, inner, strict=True))
    smaller = inner[0] * inner[1] < source[0] * source[1]
    return tuple((_area if smaller else _bilinear)(*pair) for pair in pairs)


def pad_weights(weights: np.ndarray, start: int, size: int) -> np.ndarray:
    """The same for an input of `size` in which the copy begins at `start`: black elsewhere."""
    padded = np.zeros((size, weights.shape[1]), np.float32)
    padded[start : start + len(weights)] = weights
    return padded


def _area(before: int, after: int) -> np.ndarray:
    """Each new pixel's share in the old ones that it covers."""
    edges = np.arange(after + 1) * (before / after)
    cells = np.arange(before)
    shares = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    shares = shares.clip(0)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def _bilinear(before: int, after: int) -> np.ndarray:
    """Pixels' centres keep their places; beyond the outer ones the edge is repeated."""
    places = ((np.arange(after) + 0.5) * (before / after) - 0.5).clip(0, before - 1)
    lower = np.floor(places).astype(int)
    share = places - lower
    weights = np.zeros((after, before), np.float32)
    rows = np.arange(after)
    weights[rows, lower] = 1 - share
    weights[rows, (lower + 1).clip(max=before - 1)] += share
    return weights
