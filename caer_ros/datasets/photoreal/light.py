"""Light from all round: a sky, a floor and a few lamps, and how much of it reaches each vertex."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.photoreal.zbuffer import find_hits

COUNT = 96
_SIZE = 160


@cache
def sphere(count: int = COUNT) -> np.ndarray:
    """Evenly spread directions float32 [count, 3]."""
    k = np.arange(count) + 0.5
    up = 1 - 2 * k / count
    turn = np.pi * (1 + 5**0.5) * k
    flat = np.sqrt(1 - up**2)
    return np.stack([flat * np.cos(turn), up, flat * np.sin(turn)], axis=1).astype(np.float32)


def reach(model: FaceModel) -> np.ndarray:
    """float32 [V, COUNT]: 1 where the mean head lets light of that direction come to the vertex."""
    seen = np.zeros((len(model.neutral), COUNT), np.float32)
    for index, way in enumerate(sphere()):
        side = np.cross([0, 1, 0.01], way)
        side /= np.linalg.norm(side)
        turned = model.neutral @ np.stack([side, -np.cross(way, side), way], axis=1)
        points = turned.copy()
        points[:, :2] = turned[:, :2] * (_SIZE / 44) + _SIZE / 2
        hits = find_hits(points, model.quads, _SIZE, _SIZE)
        depth = np.full(_SIZE * _SIZE, -1e3, np.float32)
        depth[hits.pixel] = hits.mix(points[:, 2:].astype(np.float32))[:, 0]
        at = np.clip(points[:, :2].astype(int), 0, _SIZE - 1)
        gap = depth[at[:, 1] * _SIZE + at[:, 0]] - points[:, 2]
        seen[:, index] = np.clip(1.6 - gap, 0, 1)
    return seen


@dataclass(frozen=True)
class Light:
    """sky float32 [COUNT, 3]: radiance from each direction of `sphere()`, in camera axes.

    lamp float32 [3] is the direction of the strongest lamp, shine float32 [3] its colour.
    """

    sky: np.ndarray
    lamp: np.ndarray
    shine: np.ndarray

    def between(self) -> np.ndarray:
        """Unit vector float32 [3] half way between the lamp and the camera."""
        half = self.lamp + np.array([0, 0, 1.0])
        return (half / np.linalg.norm(half)).astype(np.float32)


def sample_light(rng: np.random.Generator) -> Light:
    """A lit room or an outdoor scene; a face turned to the camera gets about 1."""
    ways = sphere()
    up = ways[:, 1:2]
    top, bottom = _tint(rng, 0.12), _tint(rng, 0.15) * rng.uniform(0.3, 0.9)
    sky = top * (0.5 + 0.5 * up) + bottom * (0.5 - 0.5 * up)
    sky = sky * (1 + 0.4 * np.tanh(ways @ rng.normal(0, 1, 3)))[:, None]
    lamp, shine = np.array([0.0, 0.3, 1.0]), np.zeros(3)
    for index in range(int(rng.integers(1, 4))):
        way = rng.normal(0, 1, 3) * [1.0, 0.7, 0.6] + [0, 0.6, 0.9 if index == 0 else 0.2]
        way /= np.linalg.norm(way)
        power = rng.gamma(2.0, 1.2) * (1 if index == 0 else 0.5)
        colour = _tint(rng, 0.12) * power
        # A lobe of the sky, so that its shadows are soft.
        focus = rng.uniform(3, 14)
        lobe = np.exp(focus * (ways @ way - 1))
        sky = sky + colour * (lobe / lobe.sum() * COUNT / 4)[:, None]
        if index == 0:
            lamp, shine = way, colour
    front = np.clip(ways[:, 2], 0, None)
    level = (sky * front[:, None]).sum(axis=0).mean() * 4 / COUNT
    level /= rng.uniform(0.75, 1.25)
    return Light(
        (sky / level).astype(np.float32), lamp.astype(np.float32),
        (shine / level).astype(np.float32),
    )  # fmt: skip


def irradiance(
    normals: np.ndarray, seen: np.ndarray | None, ways: np.ndarray, sky: np.ndarray
) -> np.ndarray:
    """Light float32 [V, 3] on vertices.

    Args:
        normals: float [V, 3], in the frame of `ways`.
        seen: float32 [V, COUNT], as `reach` gives it; None where nothing is in the way.
        ways: float32 [COUNT, 3]: the directions of `sphere()`.
        sky: float32 [COUNT, 3]: radiance from each.
    """
    facing = np.maximum((normals @ ways.T + 0.08) / 1.08, 0)
    if seen is not None:
        facing *= seen
    return (facing @ sky) * np.float32(4 / COUNT)


def _tint(rng: np.random.Generator, spread: float) -> np.ndarray:
    warm = rng.normal(0, spread)
    return np.clip(np.array([1 + warm, 1, 1 - warm]) * rng.normal(1, 0.03, 3), 0.3, 1.8)
