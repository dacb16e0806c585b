"""The paper's Fig. 10 as a picture: a baseline's class activation maps beside our attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.core import InputError
from caer_ros.perception.overlay import emotion_color

ROWS = ("input", "class activation", "context", "attention")
_STRENGTH = 0.5
_GAP = 4
_TITLE = 22
_MARGIN = 110
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK, _PAPER = (40, 40, 40), 255


@dataclass(frozen=True)
class FigureColumn:
    """One sample of the figure.

    image: the frame, uint8 [H, W, 3], BGR.
    activation: the baseline's map of `label`, float [h, w], any range.
    context: the frame with its faces hidden, uint8 [H, W, 3], BGR.
    attention: our map, float [h, w]. Of a clip give one time step, or the mean over them.
    label: the class both were asked about, written over the column in its colour.
    """

    image: np.ndarray
    activation: np.ndarray
    context: np.ndarray
    attention: np.ndarray
    label: str


def attention_figure(columns: Sequence[FigureColumn], size: int = 192) -> np.ndarray:
    """The rows of Fig. 10, from the top: input, CAM on it, context, our attention on it.

    Args:
        columns: one a sample; their pictures may differ in size.
        size: width and height of a cell in pixels, at least 16.

    Returns:
        uint8 [height, width, 3], BGR. Red is each map's own maximum and blue its minimum, so
        colours compare places of one map, never two maps.

    Raises:
        InputError: there is no column, or an array is not as FigureColumn says.
    """
    if not columns or size < 16:
        raise InputError(
            f"A figure of {len(columns)} columns with cells of {size} pixels can not be drawn.",
            "Give at least one sample and 16 pixels.",
        )
    strips = [_names(size), *(_column(column, size) for column in columns)]
    gap = np.full((strips[0].shape[0], _GAP, 3), _PAPER, np.uint8)
    return np.hstack([part for strip in strips for part in (strip, gap)][:-1])


def heat_over(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A map blended over its picture: red its maximum, blue its minimum; a flat one is all blue.

    Args:
        image: uint8 [H, W, 3], BGR; not changed.
        heat: float [h, w], any range, finite.

    Returns:
        uint8 [H, W, 3], BGR.

    Raises:
        InputError: an array is not as above.
    """
    _check(image, heat)
    low, high = float(heat.min()), float(heat.max())
    scaled = (heat - low) / (high - low) if high > low else np.zeros_like(heat)
    height, width = image.shape[:2]
    grown = cv2.resize(scaled.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    colored = cv2.applyColorMap((grown * 255).round().astype(np.uint8), cv2.COLORMAP_JET)
    return cv2.addWeighted(image, 1 - _STRENGTH, colored, _STRENGTH, 0)


def _column(column: FigureColumn, size: int) -> np.ndarray:
    _check(column.image, column.activation)
    _check(column.context, column.attention)
    title = np.full((_TITLE, size, 3), _PAPER, np.uint8)
    cv2.putText(
        title,
        column.label,
        (2, _TITLE - 7),
        _FONT,
        0.5,
        emotion_color(column.label),
        1,
        cv2.LINE_AA,
    )
    image, context = (_cell(picture, size) for picture in (column.image, column.context))
    cells = [
        image,
        heat_over(image, column.activation),
        context,
        heat_over(context, column.attention),
    ]
    return _stack([title, *cells])


def _names(size: int) -> np.ndarray:
    """The strip on the left that says what each row is."""
    cells = [np.full((_TITLE, _MARGIN, 3), _PAPER, np.uint8)]
    for name in ROWS:
        cell = np.full((size, _MARGIN, 3), _PAPER, np.uint8)
        cv2.putText(cell, name, (2, size // 2), _FONT, 0.4, _INK, 1, cv2.LINE_AA)
        cells.append(cell)
    return _stack(cells)


def _stack(cells: list[np.ndarray]) -> np.ndarray:
    gap = np.full((_GAP, cells[0].shape[1], 3), _PAPER, np.uint8)
    return np.vstack([part for cell in cells for part in (cell, gap)][:-1])


def _cell(image: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def _check(image: np.ndarray, heat: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise InputError(
            f"A picture is {image.dtype} {list(image.shape)}.", "Give uint8 [H, W, 3], BGR."
        )
    if heat.ndim != 2 or heat.size == 0 or not np.isfinite(heat).all():
        raise InputError(
            f"A map has the shape {list(heat.shape)} or values that are not finite.",
            "Give a finite [h, w]; of a clip's maps one time step, or their mean.",
        )
