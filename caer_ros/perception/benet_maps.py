"""BENet's maps of one image at two resolutions, merged where somebody looks, and only there.

As published, maps at 1/4 are brought to 1/2 of the input bilinearly, the sigmoid comes after that,
and both resolutions count the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from caer_ros.core import EngineError, EngineMismatch


class MapArrays(NamedTuple):
    """Maps of one image at one resolution, as the network puts them out.

    heat: float32 [1, h, w], logits of "here is the centre of a person".
    size: float32 [2, h, w], height and width of the person centred here, in pixels of this map.
    emotion: float32 [E, h, w], logits.
    vad: float32 [3, h, w], linear.

    All but `emotion` are None where the network has no such head.
    """

    heat: np.ndarray | None
    size: np.ndarray | None
    emotion: np.ndarray
    vad: np.ndarray | None = None

    @property
    def cells(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.emotion.shape[-2:]
        return height, width


# The maps of one image at 1/4 and at 1/2 of the input.
MapPair = tuple[MapArrays, MapArrays]


class MergedValues(NamedTuple):
    """What both resolutions say together at n cells.

    size: float32 [n, 2], height and width in pixels of the input; NaN where the network has none.
    emotion: float32 [n, E], in [0, 1].
    vad: float32 [n, 3], in [-1, 1]; NaN where the network has none.
    """

    size: np.ndarray
    emotion: np.ndarray
    vad: np.ndarray


def arrays_of(maps: Any, row: int = 0) -> MapArrays:
    """One image of a batch (heat, size, emotion, vad), each [n, C, h, w] or None."""
    heat, size, emotion, vad = (
        None if field is None else np.asarray(field[row], np.float32) for field in maps
    )
    assert emotion is not None
    return MapArrays(heat, size, emotion, vad)


def views_of(maps: MapPair, mirrored: MapPair | None) -> list[MapPair]:
    """What is averaged: the maps, and those of the mirrored image, mirrored back.

    Raises:
        EngineMismatch: maps at 1/2 that are not twice as large as those at 1/4.
    """
    views = [maps] if mirrored is None else [maps, (_mirror(mirrored[0]), _mirror(mirrored[1]))]
    for quarter, half in views:
        small, large = quarter.cells, half.cells
        if large != (2 * small[0], 2 * small[1]) or large != maps[1].cells:
            raise EngineMismatch(
                f"Maps of {small} and {large} cells do not belong together.",
                "The second must be twice the first: give images whose sides divide by 32.",
            )
    return views


def merged_heat(views: list[MapPair]) -> np.ndarray:
    """Heat map at 1/2 of the input: float32 [h, w], in [0, 1].

    Raises:
        EngineMismatch: the network has no detection head.
        EngineError: NaN or infinity in a heat map.
    """
    heat = np.zeros(views[0][1].cells, np.float32)
    for quarter, half in views:
        if quarter.heat is None or half.heat is None:
            raise EngineMismatch(
                "This BENet has no detection head and can not find people by itself.",
                "Read its maps at given boxes, or use a network that was trained with one.",
            )
        check_finite("heat map", quarter.heat)
        check_finite("heat map", half.heat)
        heat += _sigmoid(doubled(quarter.heat[0])) + _sigmoid(half.heat[0])
    return heat / (2 * len(views))


def read_cells(
    views: list[MapPair], rows: np.ndarray, cols: np.ndarray, full_size: bool
) -> MergedValues:
    """Merged maps at cells of the 1/2 map, or with `full_size` at pixels of the input.

    The same as enlarging, merging and then reading (a test says so), but 30 people need some
    thousand values, whereas the emotion maps have millions.

    Raises:
        EngineError: NaN or infinity at a cell that is read.
    """
    shares = [(1.0, rows, cols)]
    if full_size:
        shares = _shares(rows, cols, views[0][1].cells)
    parts = [
        [weight / len(views) * field for field in _read_half(view, r, c)]
        for view in views
        for weight, r, c in shares
    ]
    size, emotion, vad = (
        np.sum(fields, axis=0).astype(np.float32) for fields in zip(*parts, strict=True)
    )
    half = views[0][1]
    for name, field, values in (("sizes", half.size, size), ("vad", half.vad, vad)):
        if field is not None:
            check_finite(name, values)
    check_finite("emotions", emotion)
    return MergedValues(size, emotion, vad.clip(-1, 1))


def doubled(field: np.ndarray) -> np.ndarray:
    """float32 [h, w] -> [2h, 2w], bilinear."""
    height, width = field.shape
    contiguous = np.ascontiguousarray(field, np.float32)
    return cv2.resize(contiguous, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)


def check_finite(name: str, values: np.ndarray) -> None:
    """Raises EngineError where `values` hold NaN or infinity."""
    if not np.isfinite(values).all():
        raise EngineError(
            f"BENet put out NaN or infinity ({name}).",
            "Set precision:=fp32; if that does not help, reinstall the bundle.",
        )


def _mirror(maps: MapArrays) -> MapArrays:
    heat, size, vad = (
        None if field is None else field[..., ::-1] for field in (maps.heat, maps.size, maps.vad)
    )
    return MapArrays(heat, size, maps.emotion[..., ::-1], vad)


def _read_half(view: MapPair, rows: np.ndarray, cols: np.ndarray) -> MergedValues:
    quarter, half = view
    shares = _shares(rows, cols, quarter.cells)

    def small(field: np.ndarray) -> np.ndarray:
        return np.sum([weight * field[:, r, c] for weight, r, c in shares], axis=0).T

    def large(field: np.ndarray) -> np.ndarray:
        return field[:, rows, cols].T

    size = np.full((len(rows), 2), np.nan, np.float32)
    if quarter.size is not None and half.size is not None:
        # Cells are 4 and 2 pixels of the input; this is the mean of both in pixels.
        size = 2 * small(quarter.size) + large(half.size)
    vad = np.full((len(rows), 3), np.nan, np.float32)
    if quarter.vad is not None and half.vad is not None:
        vad = (small(quarter.vad) + large(half.vad)) / 2
    emotion = (_sigmoid(small(quarter.emotion)) + _sigmoid(large(half.emotion))) / 2
    return MergedValues(size, emotion, vad)


def _shares(
    rows: np.ndarray, cols: np.ndarray, shape: tuple[int, ...]
) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """What bilinear doubling of a map of `shape` mixes into cells of the doubled map.

    The centre of a doubled cell lies a quarter of a cell off the nearest centre, three off the
    next one; over the edge the edge goes on.
    """
    near = [cells // 2 for cells in (rows, cols)]
    far = [
        (cells // 2 + 2 * (cells % 2) - 1).clip(0, side - 1)
        for cells, side in zip((rows, cols), shape, strict=True)
    ]
    return [
        (9 / 16, near[0], near[1]),
        (3 / 16, near[0], far[1]),
        (3 / 16, far[0], near[1]),
        (1 / 16, far[0], far[1]),
    ]


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    """By tanh, which overflows nowhere."""
    return (0.5 + 0.5 * np.tanh(0.5 * logits)).astype(np.float32)
