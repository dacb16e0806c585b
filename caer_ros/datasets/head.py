"""One rendered head: who, which face, seen from where, in which light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.expressions import sample_expression
from caer_ros.datasets.face_paint import paint, shade, vertex_normals
from caer_ros.datasets.ict_face import FaceModel, part
from caer_ros.datasets.raster import rasterize

_SUPERSAMPLING = 2
# What detectors box on the mean face, hairline to chin, in cm.
_FACE_TOP, _FACE_BOTTOM = 8.5, -9.0


@dataclass(frozen=True)
class Head:
    """rgb float32 [H, W, 3] in 0..255, alpha float32 [H, W] in 0..1, and the face's box."""

    rgb: np.ndarray
    alpha: np.ndarray
    box: Box


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation matrix [3, 3] from degrees; positive yaw turns the face to the image's right."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def render_head(
    model: FaceModel,
    label: str,
    identity: np.random.Generator,
    rng: np.random.Generator,
    width: int,
    height: int,
) -> Head:
    """Render one person with the expression of `label` somewhere in a width x height picture.

    `identity` draws the person (shape, skin, hair) and `rng` all else, so that one seed for
    `identity` gives one person in many pictures.
    """
    coefficients = np.clip(identity.normal(0, 0.8, len(model.identities)), -2, 2)
    albedo, hair = paint(model, identity)
    weights = sample_expression(label, rng, model.expressions)
    vertices = model.shape(coefficients, weights)
    pose = rotation(rng.normal(0, 14), rng.normal(0, 7), rng.normal(0, 6))
    vertices = (vertices - [0, 0, 2]) @ pose.T
    normals = vertex_normals(vertices, model.quads)
    vertices = vertices + normals * hair[:, None]
    face_pixels = rng.uniform(0.28, 0.5) * height
    centre = (
        rng.uniform(0.25, 0.75) * width,
        rng.uniform(0.38, 0.5) * height,
    )
    pixels = _project(vertices, face_pixels, centre, distance=rng.uniform(70, 160))
    colour = shade(albedo, normals, rng)
    scaled = pixels * [_SUPERSAMPLING, _SUPERSAMPLING, 1]
    image, mask = rasterize(
        scaled, colour, model.quads, height * _SUPERSAMPLING, width * _SUPERSAMPLING
    )
    # Averaging over covered samples only keeps the background's black out of the outline.
    alpha = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    rgb = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    rgb = rgb / np.maximum(alpha, 1e-3)[..., None]
    # Gamma: shading was linear, pictures are not.
    rgb = 255 * np.clip(rgb, 0, 1) ** (1 / 1.5)
    return Head(rgb.astype(np.float32), alpha, _face_box(model, pixels))


def _project(
    vertices: np.ndarray, face_pixels: float, centre: tuple[float, float], distance: float
) -> np.ndarray:
    scale = face_pixels / (_FACE_TOP - _FACE_BOTTOM) * distance / (distance - vertices[:, 2])
    x = centre[0] + vertices[:, 0] * scale
    y = centre[1] - vertices[:, 1] * scale
    return np.stack([x, y, vertices[:, 2]], axis=1)


def _face_box(model: FaceModel, pixels: np.ndarray) -> Box:
    """What a detector would box: hairline to chin, cheek to cheek."""
    _, up, out = model.neutral[part("face")].T
    boxed = (up < _FACE_TOP) & (up > _FACE_BOTTOM) & (out > 1)
    face = pixels[part("face")][boxed]
    low, high = face[:, :2].min(axis=0), face[:, :2].max(axis=0)
    return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
