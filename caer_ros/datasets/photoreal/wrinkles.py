"""Folds that come with movement: grooves over the mean head, deepened by the muscles' activity."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from caer_ros.datasets.photoreal.canvas import HEIGHT, WIDTH, Canvas

# Where the grooves are: the face without ears and neck.
FRONT = (slice(HEIGHT // 8, 5 * HEIGHT // 8), slice(5 * WIDTH // 16, 11 * WIDTH // 16))

_Line = list[tuple[float, float]]


def _both(*lines: _Line) -> list[_Line]:
    return [[(side * x, y) for x, y in line] for line in lines for side in (1.0, -1.0)]


# Name -> (width in cm, depth, lines in cm on the front of the mean head).
_GROOVES: dict[str, tuple[float, float, list[_Line]]] = {
    "forehead": (0.28, 0.8, [
        [(-4.2, y - 0.3), (-2, y + 0.05), (0, y - 0.15), (2, y + 0.05), (4.2, y - 0.3)]
        for y in (6.7, 7.5, 8.3)
    ]),
    "inner": (0.28, 0.8, [
        [(-2.0, y - 0.35), (-0.8, y), (0.8, y), (2.0, y - 0.35)] for y in (6.6, 7.3)
    ]),
    "glabella": (0.28, 1.2, _both(
        [(0.55, 4.6), (0.5, 5.3), (0.75, 6.2)], [(1.1, 5.4), (1.15, 6.1)]
    )),
    "bridge": (0.25, 0.9, [
        *([(-0.7, y - 0.1), (0, y + 0.05), (0.7, y - 0.1)] for y in (3.3, 3.9, 4.5)),
        *_both([(0.8, 2.6), (1.3, 1.6)], [(0.9, 3.3), (1.6, 2.4)]),
    ]),
    "nasolabial": (0.42, 1.3, _both([(1.75, 0.1), (2.35, -0.9), (2.9, -2.1), (3.25, -3.3)])),
    "crow": (0.2, 0.9, _both(
        [(5.0, 3.8), (6.1, 4.5)], [(5.1, 3.4), (6.3, 3.4)], [(5.0, 3.0), (6.1, 2.3)]
    )),
    "under_eye": (0.22, 0.8, _both(
        [(1.9, 2.6), (2.8, 2.1), (3.8, 2.15), (4.7, 2.7)], [(2.0, 2.1), (3.0, 1.5), (4.2, 1.7)]
    )),
    "marionette": (0.3, 1.1, _both([(2.65, -3.5), (3.0, -4.3), (3.1, -5.2)])),
    "chin": (0.5, 0.8, [[(-1.6, -5.1), (-0.8, -4.9), (0, -4.85), (0.8, -4.9), (1.6, -5.1)]]),
    "corner": (0.35, 1.0, _both([(3.2, -2.6), (3.5, -3.4), (3.3, -4.1)])),
}  # fmt: skip


def groove_maps(canvas: Canvas) -> dict[str, np.ndarray]:
    """By name, float32 [h, w, 3] of the part FRONT of the map: height (about -1 in a groove, with a
    rim beside it) and its change per texel along columns and rows."""
    maps = {}
    for name, (width, depth, lines) in _GROOVES.items():
        cut = np.zeros(canvas.lips.shape, np.float32)
        for line in lines:
            cut = np.maximum(cut, canvas.stroke(np.array(line), width * 0.6))
        rim = cv2.GaussianBlur(cut, (0, 0), 6)
        height = depth * (0.8 * rim - cut)
        along = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8)
        down = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8)
        maps[name] = np.stack([height, along, down], axis=-1)[FRONT].copy()
    return maps


def aged(deep: Mapping[str, float], age: float) -> dict[str, float]:
    """Grooves as deep as a skin of `age` (0 to 1) shows them, some of them at rest as well."""
    rest = max(0.0, age - 0.3) * 1.3
    return {
        name: amount * (0.45 + 0.9 * age) + rest * _REST.get(name, 0.0)
        for name, amount in deep.items()
    }


_REST = {
    "nasolabial": 0.35, "forehead": 0.3, "under_eye": 0.3, "crow": 0.25, "marionette": 0.2,
    "glabella": 0.15,
}  # fmt: skip


def activity(weights: Mapping[str, float]) -> dict[str, float]:
    """How deep each groove is for shape weights: 0 to about 1.5."""

    def mean(name: str) -> float:
        return (weights.get(f"{name}_L", 0.0) + weights.get(f"{name}_R", 0.0)) / 2

    down, inner, outer = mean("browDown"), mean("browInnerUp"), mean("browOuterUp")
    smile, sneer, upper = mean("mouthSmile"), mean("noseSneer"), mean("mouthUpperUp")
    squint, cheek = mean("eyeSquint"), mean("cheekSquint")
    return {
        "forehead": max(outer - 0.5 * down, 0.0),
        "inner": max(inner - 0.3 * outer, 0.0),
        "glabella": down + 0.3 * abs(inner) * (down > 0.1),
        "bridge": 0.9 * sneer + 0.2 * down,
        "nasolabial": 0.8 * smile + 0.9 * sneer + 0.7 * upper + 0.3 * cheek,
        "crow": 0.8 * cheek + 0.3 * squint,
        "under_eye": 0.6 * cheek + 0.5 * squint,
        "marionette": 0.8 * mean("mouthFrown") + 0.2 * mean("mouthStretch"),
        "chin": weights.get("mouthShrugLower", 0.0) + 0.3 * mean("mouthPress"),
        "corner": 0.6 * smile + 0.5 * mean("mouthStretch") + 0.5 * mean("mouthDimple"),
    }
