"""Colour and light for the bare ICT-FaceKit mesh: skin, lips, brows, eyes, hair; one lamp."""

from __future__ import annotations

import numpy as np

from caer_ros.datasets.ict_face import FaceModel, part

# Linear mix of these spans light to dark skin (RGB, 0 to 1).
_SKIN = np.array([[0.93, 0.76, 0.67], [0.80, 0.58, 0.45], [0.58, 0.39, 0.28], [0.34, 0.22, 0.16]])
_HAIR = np.array([[0.08, 0.06, 0.05], [0.25, 0.15, 0.08], [0.55, 0.40, 0.20], [0.60, 0.58, 0.56]])
_IRIS = np.array([[0.22, 0.13, 0.06], [0.35, 0.25, 0.12], [0.25, 0.40, 0.35], [0.30, 0.45, 0.60]])


def _mix(palette: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    place = rng.uniform(0, len(palette) - 1)
    low = min(int(place), len(palette) - 2)
    colour = palette[low] + (place - low) * (palette[low + 1] - palette[low])
    return np.clip(colour * rng.normal(1, 0.04, 3), 0.02, 1)


def _smooth(low: float, high: float, x: np.ndarray) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _lip_mask(model: FaceModel) -> np.ndarray:
    """[9409] in [0, 1]: lips are what rolling them in moves most."""
    rolled = sum(
        np.linalg.norm(model.expressions[name][part("face")], axis=1)
        for name in ("mouthRollUpper", "mouthRollLower")
    )
    return _smooth(0.45, 0.62, rolled / rolled.max())


def _brow_mask(position: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    across = np.abs(position[:, 0])
    arch = 5.35 + 0.55 * np.sin(np.clip((across - 1.0) / 4.6, 0, 1) * 2.4)
    thick = rng.uniform(0.22, 0.42) * (1 - 0.5 * _smooth(3.5, 5.6, across))
    band = 1 - _smooth(0.7, 1.3, np.abs(position[:, 1] - arch) / thick)
    return band * _smooth(0.7, 1.2, across) * (1 - _smooth(5.0, 5.7, across))


def _eye_colour(eye: np.ndarray, iris: np.ndarray) -> np.ndarray:
    centre = (eye.max(axis=0) + eye.min(axis=0)) / 2
    off_axis = np.hypot(*(eye - centre)[:, :2].T)
    front = eye[:, 2] > centre[2]
    colour = np.tile(np.array([0.90, 0.88, 0.86]), (len(eye), 1))
    colour[front & (off_axis < 0.66)] = iris
    colour[front & (off_axis < 0.28)] = 0.03
    return colour


def paint(model: FaceModel, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One person's albedo [V, 3] in [0, 1] and hair thickness [V] in cm.

    Regions follow the mean face's vertex positions, so they move with identity and expression.
    """
    skin, hair = _mix(_SKIN, rng), _mix(_HAIR, rng)
    position = model.neutral
    albedo = np.tile(skin, (len(position), 1))
    # Skin is blotchy: a few slow waves with random direction.
    for _ in range(5):
        wave = np.sin(position @ rng.normal(0, 0.8, 3) + rng.uniform(0, 6.3))
        albedo *= 1 + 0.025 * wave[:, None] * rng.uniform(0.3, 1, 3)
    face = part("face")
    lips = _lip_mask(model)[:, None] * rng.uniform(0.5, 1.0)
    albedo[face] = albedo[face] * (1 - lips) + lips * skin * np.array([0.82, 0.5, 0.5])
    brows = _brow_mask(position[face], rng)[:, None] * rng.uniform(0.6, 0.95)
    albedo[face] = albedo[face] * (1 - brows) + brows * hair
    lid = (
        1 - _smooth(0.15, 0.35, distance_to_eyes(model, model.neutral[part("face")]))[:, None] * 0.6
    )
    albedo[face] *= 1 - (lid - 0.4) * rng.uniform(0.3, 0.9)
    albedo[part("mouth_socket")] = [0.28, 0.08, 0.08]
    albedo[part("eye_sockets")] = skin * 0.5
    albedo[part("gums")] = [0.55, 0.22, 0.22]
    albedo[part("teeth")] = [0.86, 0.83, 0.76]
    iris = _mix(_IRIS, rng)
    for eye in ("eye_left", "eye_right"):
        albedo[part(eye)] = _eye_colour(position[part(eye)], iris)
    thickness = _dress(position, albedo, hair, rng)
    return albedo.astype(np.float32), thickness.astype(np.float32)


def distance_to_eyes(model: FaceModel, points: np.ndarray) -> np.ndarray:
    """[V]: height in cm of each of `points` [V, 3] over the nearer neutral eyeball's surface."""
    nearest = np.full(len(points), np.inf)
    for eye in ("eye_left", "eye_right"):
        ball = model.neutral[part(eye)]
        centre = (ball.max(axis=0) + ball.min(axis=0)) / 2
        radius = (ball.max(axis=0) - ball.min(axis=0))[:2].max() / 2
        nearest = np.minimum(nearest, np.linalg.norm(points - centre, axis=1) - radius)
    return nearest


def _dress(
    position: np.ndarray, albedo: np.ndarray, hair: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Colour scalp, perhaps a beard, and clothes in place; how far hair lifts each vertex."""
    outer = np.zeros(len(position), bool)
    outer[part("face")] = outer[part("head")] = True
    x, y, z = position.T
    if rng.random() < 0.8:
        line = rng.uniform(8.3, 10.0) - 0.035 * x**2
        # Hair runs down behind the temples; long hair goes on to the neck.
        length = rng.uniform(-14, 4)
        back = (z < rng.uniform(0.5, 2.5)) & (y > length)
        ears = (np.abs(x) > 7.8) & (y > -4) & (y < 6)
        scalp = outer * np.maximum(_smooth(-0.3, 0.3, y - line), back & ~ears)
    else:
        scalp = np.zeros(len(position))
    strand = 1 + 0.25 * np.sin(position @ rng.normal(0, 6, 3))
    albedo[:] = albedo * (1 - scalp[:, None]) + scalp[:, None] * hair * strand[:, None]
    if rng.random() < 0.15:
        jaw = outer * _smooth(0.0, 3.0, -1.0 - y) * (z > 1) * (1 - _smooth(9, 11, -y))
        off_lips = _smooth(0.8, 1.3, np.hypot(x / 3.2, (y + 3.4) / 1.9))
        beard = (jaw * off_lips * rng.uniform(0.2, 0.7))[:, None]
        albedo[:] = albedo * (1 - beard) + beard * hair
    collar = rng.uniform(-15.5, -12.5) + 0.05 * x**2 * rng.choice([-1, 0, 1])
    cloth = (outer * _smooth(-0.1, 0.1, collar - y))[:, None]
    albedo[:] = albedo * (1 - cloth) + cloth * rng.uniform(0.05, 0.9, 3)
    return scalp * rng.uniform(0.2, 1.2)


def vertex_normals(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Unit normals float [V, 3], area-weighted from the quads' diagonals."""
    corner = vertices[quads]
    normal = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    total = np.stack(
        [
            np.bincount(
                quads.ravel(), weights=np.repeat(normal[:, axis], 4), minlength=len(vertices)
            )
            for axis in range(3)
        ],
        axis=1,
    )
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)


def shade(albedo: np.ndarray, normals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Albedo [V, 3] under one random lamp, sky light and a weak skin gloss: [V, 3], may exceed 1.

    `normals` are in camera axes (x right, y up, z to the camera).
    """
    lamp = rng.normal(0, 1, 3) * [1.0, 0.7, 0.4] + [0, 0.5, 1.0]
    lamp /= np.linalg.norm(lamp)
    warmth = rng.normal(1, 0.06, 3)
    ambient = rng.uniform(0.35, 0.6)
    diffuse = np.clip((normals @ lamp + 0.25) / 1.25, 0, None)
    sky = 0.85 + 0.15 * normals[:, 1]
    light = ambient * sky + rng.uniform(0.5, 0.8) * diffuse
    half = lamp + np.array([0, 0, 1])
    half /= np.linalg.norm(half)
    gloss = rng.uniform(0.02, 0.12) * np.clip(normals @ half, 0, None) ** rng.uniform(12, 40)
    # Daylight does not reach into the mouth.
    light[part("mouth_socket")] *= 0.35
    light[part("gums")] *= 0.5
    light[part("teeth")] *= 0.75
    return albedo * light[:, None] * warmth + gloss[:, None]
