"""One person with one face, from one side, in one light: pixels to lay over a scene."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.ict_face import part
from caer_ros.datasets.photoreal import shade
from caer_ros.datasets.photoreal.light import Light
from caer_ros.datasets.photoreal.person import Person, Studio
from caer_ros.datasets.photoreal.pose import FACE_BOTTOM, FACE_TOP, View, project
from caer_ros.datasets.photoreal.stage import set_stage
from caer_ros.datasets.photoreal.surfaces import parts_of, shrink_parts
from caer_ros.datasets.photoreal.tint import tint
from caer_ros.datasets.photoreal.zbuffer import DENSITY, MOST_DENSITY, find_hits

# Faces are drawn at least this high in pixels, and larger than they come out, then shrunk.
_SMALLEST, _LEAST_SCALE, _MOST_SCALE = 120.0, 1.35, 5.0
# Points of the mean face (x, y in cm, front surface) whose pixels are written down.
LANDMARKS = {
    "right_eye_outer": (-4.45, 3.55), "right_eye_inner": (-2.05, 3.35),
    "left_eye_inner": (2.05, 3.35), "left_eye_outer": (4.45, 3.55),
    "right_brow_outer": (-5.4, 5.4), "right_brow_inner": (-1.2, 5.3),
    "left_brow_inner": (1.2, 5.3), "left_brow_outer": (5.4, 5.4),
    "nose_tip": (0.0, 0.3), "nose_right": (-1.7, -0.4), "nose_left": (1.7, -0.4),
    "mouth_right": (-2.5, -3.4), "mouth_left": (2.5, -3.4),
    "lip_top": (0.0, -2.5), "lip_bottom": (0.0, -4.4), "chin": (0.0, -7.6),
}  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """rgb float32 [H, W, 3] (linear, multiplied by alpha), alpha float32 [H, W] in [0, 1], the
    face's box, landmarks float32 [16, 2] in the order of LANDMARKS, and, if asked for, parts uint8
    [H, W] (see Part) of all that alpha covers."""

    rgb: np.ndarray
    alpha: np.ndarray
    box: Box
    landmarks: np.ndarray
    parts: np.ndarray | None = None


def shoot(
    studio: Studio,
    person: Person,
    weights: dict[str, float],
    view: View,
    light: Light,
    size: tuple[int, int],
    masks: bool = False,
) -> Shot:
    """Render a person with a face (shape name -> weight) into a picture of `size` (W, H), with
    `parts` where `masks` are wanted."""
    stage = set_stage(studio, person, weights, view, light)
    pixels = project(stage.placed, view)
    left, top, right, bottom = _window(pixels, stage.quads, size)
    scale = float(np.clip(_SMALLEST / view.face, _LEAST_SCALE, _MOST_SCALE))
    width, height = round((right - left) * scale), round((bottom - top) * scale)
    drawn = pixels - np.array([left, top, 0], np.float32)
    drawn *= np.array([width / (right - left), height / (bottom - top), 1], np.float32)
    # Arms point anywhere.
    dense = None
    if person.limbs is not None:
        dense = np.where(stage.material == shade.WEAR, MOST_DENSITY, DENSITY)
    hits = find_hits(drawn, stage.quads, height, width, dense)
    flat = np.zeros((height * width, 4), np.float32)
    flat[hits.pixel, :3] = tint(studio, person, weights, view, light, stage, hits)
    flat[hits.pixel, 3] = 1
    image = np.zeros((size[1], size[0], 4), np.float32)
    shown = (right - left, bottom - top)
    small = cv2.resize(flat.reshape(height, width, 4), shown, interpolation=cv2.INTER_AREA)
    image[top:bottom, left:right] = small
    marks = pixels[_landmark_vertices(studio), :2]
    parts = None
    if masks:
        drawn_parts = np.zeros(height * width, np.uint8)
        drawn_parts[hits.pixel] = parts_of(studio, person, stage, hits)
        parts = np.zeros((size[1], size[0]), np.uint8)
        parts[top:bottom, left:right] = shrink_parts(drawn_parts.reshape(height, width), shown)
    return Shot(image[..., :3], image[..., 3], _box(studio, pixels), marks, parts)


def _window(
    pixels: np.ndarray, quads: np.ndarray, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the part of the picture that is drawn on."""
    used = np.zeros(len(pixels), bool)
    used[quads] = True
    shown = pixels[used, :2]
    low = np.clip(np.floor(shown.min(axis=0)).astype(int), 0, np.array(size) - 1)
    high = np.clip(np.ceil(shown.max(axis=0)).astype(int) + 1, low + 1, size)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _box(studio: Studio, pixels: np.ndarray) -> Box:
    """What a detector would box: hairline to chin, cheek to cheek."""
    _, up, out = studio.model.neutral[part("face")].T
    boxed = (up < FACE_TOP) & (up > FACE_BOTTOM) & (out > 1)
    face = pixels[part("face")][boxed]
    low, high = face[:, :2].min(axis=0), face[:, :2].max(axis=0)
    return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _landmark_vertices(studio: Studio) -> np.ndarray:
    face = studio.model.neutral[part("face")]
    hidden = np.where(face[:, 2] > 5, 0, 100)
    # Of several layers (lips, lids) the outermost.
    gaps = [np.hypot(face[:, 0] - x, face[:, 1] - y) for x, y in LANDMARKS.values()]
    return np.array([int((gap + hidden - 0.02 * face[:, 2]).argmin()) for gap in gaps])
