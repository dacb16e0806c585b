"""The flat map that skin is painted on: the head unrolled round its vertical axis.

Columns are the angle round the axis (0 in front, in the middle), rows the height. The face model
has no texture coordinates of its own; a vertex's place on the mean, neutral head serves as such,
so that paint moves with identity and expression and is finer than the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.datasets.face_paint import distance_to_eyes
from caer_ros.datasets.ict_face import FaceModel, part
from caer_ros.datasets.photoreal.zbuffer import find_hits

WIDTH, HEIGHT = 1024, 512
TOP, BOTTOM = 15.0, -20.0
_AXIS_Z = 0.0


@dataclass(frozen=True)
class Canvas:
    """place float32 [HEIGHT, WIDTH, 3]: the mean head's surface (cm) under each texel.

    lips and eye_gap float32 [HEIGHT, WIDTH]: how much lip it is (0 to 1); cm to the eyeball.
    """

    place: np.ndarray
    lips: np.ndarray
    eye_gap: np.ndarray

    def texels(self, points: np.ndarray) -> np.ndarray:
        """Front points [N, 2] (x, y in cm) as column and row, float64 [N, 2]."""
        rows = np.clip((TOP - points[:, 1]) / (TOP - BOTTOM) * HEIGHT - 0.5, 0, HEIGHT - 1)
        front = slice(WIDTH // 4, 3 * WIDTH // 4)
        columns = [
            np.interp(
                x, np.maximum.accumulate(self.place[round(r), front, 0]), np.arange(WIDTH // 2)
            )
            for x, r in zip(points[:, 0], rows, strict=True)
        ]
        return np.stack([np.array(columns) + WIDTH // 4, rows], axis=1)

    def stroke(self, points: np.ndarray, width: float) -> np.ndarray:
        """A soft line through front points [N, 2] (cm), `width` cm broad: float32, 0 to 1."""
        image = np.zeros((HEIGHT, WIDTH), np.float32)
        line = np.round(self.texels(points) * 16).astype(np.int32)
        texels = width * HEIGHT / (TOP - BOTTOM)
        cv2.polylines(image, [line], False, 1.0, max(1, round(texels)), cv2.LINE_8, 4)
        image = cv2.GaussianBlur(image, (0, 0), max(texels * 0.35, 0.6))
        return image / max(float(image.max()), 1e-6)


def lookup(place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points float32 [N, 3] of the mean head as columns and rows float32 [N] for cv2.remap."""
    angle = np.arctan2(place[:, 0], place[:, 2] - _AXIS_Z)
    columns = (angle / (2 * np.pi) + 0.5) * WIDTH - 0.5
    rows = (TOP - place[:, 1]) / (TOP - BOTTOM) * HEIGHT - 0.5
    return columns.astype(np.float32), rows.astype(np.float32)


def build_canvas(model: FaceModel) -> Canvas:
    """Unroll the mean head once; a second or so."""
    skin = np.r_[0 : part("head").stop]
    quads = model.quads[(model.quads < part("head").stop).all(axis=1)]
    position = model.neutral[skin]
    columns, rows = lookup(position)
    # Where the seam at the back cuts a quad its corners lie on both edges: left out, filled below.
    quads = quads[np.ptp(columns[quads], axis=1) < WIDTH / 4]
    radius = np.hypot(position[:, 0], position[:, 2] - _AXIS_Z)
    points = np.stack([columns, rows, radius], axis=1)
    hits = find_hits(points, quads, HEIGHT, WIDTH)
    values = np.concatenate(
        [
            position,
            _lips(model)[:, None],
            distance_to_eyes(model, model.neutral[: part("head").stop])[:, None],
        ],
        axis=1,
    )
    flat = np.zeros((HEIGHT * WIDTH, 5), np.float32)
    flat[hits.pixel] = hits.mix(values.astype(np.float32))
    known = np.zeros(HEIGHT * WIDTH, np.uint8)
    known[hits.pixel] = 1
    flat = _fill(flat.reshape(HEIGHT, WIDTH, 5), known.reshape(HEIGHT, WIDTH))
    return Canvas(flat[..., :3].copy(), flat[..., 3].copy(), flat[..., 4].copy())


def _fill(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give unknown texels the values of the nearest known one."""
    _, labels = cv2.distanceTransformWithLabels(
        1 - known, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros((int(labels.max()) + 1, image.shape[2]), np.float32)
    values[labels[known > 0]] = image[known > 0]
    return values[labels]


def _lips(model: FaceModel) -> np.ndarray:
    """[V] in [0, 1]: lips are what rolling them in moves most."""
    rolled = sum(
        np.linalg.norm(model.expressions[name][: part("head").stop], axis=1)
        for name in ("mouthRollUpper", "mouthRollLower")
    )
    t = np.clip((rolled / rolled.max() - 0.42) / 0.16, 0, 1)
    return t * t * (3 - 2 * t)
