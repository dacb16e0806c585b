"""Torso, glasses and hats as quad meshes in the head's axes (cm)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from caer_ros.datasets.ict_face import part
from caer_ros.datasets.photoreal import colour
from caer_ros.datasets.photoreal.looks import Looks
from caer_ros.datasets.photoreal.parts import Part

# Rows and points a row of the torso, whose points come first in what `dress` gives.
TORSO = (10, 72)


@dataclass(frozen=True)
class Mesh:
    """points float32 [V, 3], quads int32 [F, 4], paint float32 [V, 3] (linear), gloss [V], parts
    uint8 [F] (see Part)."""

    points: np.ndarray
    quads: np.ndarray
    paint: np.ndarray
    gloss: np.ndarray
    parts: np.ndarray


def join(meshes: list[Mesh]) -> Mesh:
    """One mesh of several, in their order."""
    offsets = np.cumsum([0] + [len(mesh.points) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([m.points for m in meshes]).astype(np.float32),
        np.concatenate([m.quads + o for m, o in zip(meshes, offsets, strict=True)]).astype(
            np.int32
        ),
        np.concatenate([m.paint for m in meshes]).astype(np.float32),
        np.concatenate([m.gloss for m in meshes]).astype(np.float32),
        np.concatenate([m.parts for m in meshes]),
    )


def dress(base: np.ndarray, looks: Looks, rng: np.random.Generator) -> tuple[Mesh, float]:
    """What a person wears, and how dark the glasses' lenses are (0: none or clear)."""
    meshes = [_torso(looks, rng)]
    lens = 0.0
    if rng.random() < 0.2:
        meshes.append(_glasses(base, rng))
        lens = float(rng.uniform(0.5, 0.95)) if rng.random() < 0.08 else 0.0
    if rng.random() < 0.08:
        meshes.append(_hat(base, rng))
    return join(meshes), lens


def sheet(
    grid: np.ndarray, paint: np.ndarray, gloss: float, closed: bool, part_of: Part = Part.CLOTHES
) -> Mesh:
    """A mesh from points [R, C, 3]; `closed` joins the last column to the first."""
    rows, columns = grid.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    nxt = np.roll(index, -1, axis=1)
    if not closed:
        index, nxt = index[:, :-1], nxt[:, :-1]
    quads = np.stack([index[:-1], index[1:], nxt[1:], nxt[:-1]], axis=-1).reshape(-1, 4)
    paint = np.broadcast_to(paint, (*grid.shape[:2], 3)).reshape(-1, 3)
    shine, parts = np.full(rows * columns, gloss), np.full(len(quads), part_of, np.uint8)
    return Mesh(grid.reshape(-1, 3), quads, paint.copy(), shine, parts)


def _torso(looks: Looks, rng: np.random.Generator) -> Mesh:
    y = np.array([-13.0, -14.5, -16, -17.2, -18.5, -20, -22, -26, -34, -46])
    wide = np.array([6.6, 7.4, 9.5, 13, 17, 19.5, 21, 21.5, 20, 19]) * rng.uniform(0.88, 1.12)
    deep = np.array([6.4, 6.8, 7.4, 8, 8.6, 9.4, 10.2, 11, 11.5, 11.5]) * rng.uniform(0.9, 1.15)
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    drop = rng.uniform(0, 3.5)
    grid = np.stack([
        wide[:, None] * np.sin(angle), np.broadcast_to(y[:, None], (len(y), 72)),
        deep[:, None] * np.cos(angle) - 2.5,
    ], axis=-1)  # fmt: skip
    grid[:3, :, 1] -= drop * np.clip(np.cos(angle), 0, 1) ** 2
    fold = np.sin(grid @ rng.normal(0, 0.5, 3)) + np.sin(grid @ rng.normal(0, 1.0, 3))
    grid[..., 2] += 0.25 * fold
    paint = np.broadcast_to(looks.cloth, grid.shape).copy()
    if rng.random() < 0.3:
        stripe = np.sin(grid @ (rng.choice([[0, 1, 0], [1, 0, 0]]) * rng.uniform(1.5, 4))) > 0
        paint[stripe] = colour.sample_cloth(rng)
    paint *= (1 + 0.08 * fold)[..., None]
    if rng.random() < 0.3:
        paint[:2] = colour.sample_cloth(rng)
    return sheet(grid, paint, 0.02, True)


def _tube(path: np.ndarray, radius: float, paint: np.ndarray, closed: bool) -> Mesh:
    """A square rod of glasses along points [N, 3]."""
    around = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * radius
    ahead = np.gradient(path, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-6)
    side = np.cross(ahead, [0.01, 0.02, 1.0])
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
    top = np.cross(side, ahead)
    ring = path[:, None] + around[None, :, :1] * side[:, None] + around[None, :, 1:] * top[:, None]
    return _with_back(sheet(ring, paint, 0.5, True, Part.GLASSES))


def _with_back(mesh: Mesh) -> Mesh:
    """The same, seen from both sides."""
    quads = np.concatenate([mesh.quads, mesh.quads[:, ::-1]])
    return replace(mesh, quads=quads, parts=np.tile(mesh.parts, 2))


def _glasses(base: np.ndarray, rng: np.random.Generator) -> Mesh:
    left = base[part("eye_left")].mean(axis=0)
    nose = base[part("face")]
    ridge = nose[(np.abs(nose[:, 0]) < 0.5) & (np.abs(nose[:, 1] - left[1] + 0.3) < 0.5)][
        :, 2
    ].max()
    x0, y0 = left[0] + 0.25, left[1] - 0.35
    z0 = max(ridge + 0.15, left[2] + 2.0)
    wide, high = rng.uniform(2.2, 2.7), rng.uniform(1.4, 2.2)
    power = rng.uniform(2, 5)
    thick = rng.choice([0.06, 0.1, 0.2])
    paint = colour.to_linear(rng.choice([0.04, 0.15, 0.6]) * rng.uniform(0.4, 1.2, 3))
    t = np.linspace(0, 2 * np.pi, 33)
    c, s = np.cos(t), np.sin(t)
    bend = np.abs(c) ** (2 / power) * np.sign(c), np.abs(s) ** (2 / power) * np.sign(s)
    parts = []
    for side in (1.0, -1.0):
        rim = np.stack(
            [
                side * x0 + wide * bend[0],
                y0 + high * bend[1],
                z0 - 0.06 * (wide * bend[0] * side) ** 2 * (bend[0] * side > 0),
            ],
            1,
        )
        parts.append(_tube(rim, thick, paint, True))
        temple = np.stack(
            [
                np.linspace(side * (x0 + wide), side * 7.7, 8),
                np.full(8, y0 + 0.5 * high),
                np.linspace(z0 - 0.5, 0, 8),
            ],
            1,
        )
        parts.append(_tube(temple, thick, paint, False))
    bridge = np.stack(
        [np.linspace(-(x0 - wide), x0 - wide, 6), np.full(6, y0 + 0.3) + 0.15, np.full(6, z0)], 1
    )
    parts.append(_tube(bridge, thick, paint, False))
    return join(parts)


def _hat(base: np.ndarray, rng: np.random.Generator) -> Mesh:
    """A woollen hat, sometimes with a brim."""
    paint, tall = colour.sample_cloth(rng), rng.uniform(1.0, 1.18)
    low = rng.uniform(6.6, 8.2)
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    rise = np.linspace(0, 1, 10)
    ring = np.sqrt(np.clip(1 - rise**2.4, 0, 1))
    half = np.abs(base[:11248, 0][base[:11248, 1] > 5]).max() + 0.9
    front, back = base[:11248, 2].max() - 1.2, base[:11248, 2].min() - 0.9
    deep, mid = (front - back) / 2, (front + back) / 2
    top = base[:11248, 1].max() * tall + 0.8
    tilt = rng.uniform(0.0, 0.12)
    slope = tilt * ring[:, None] * deep * np.cos(angle)
    height = low + (top - low) * rise[:, None] + slope
    outline = ring[:, None] * half * np.sin(angle), mid + ring[:, None] * deep * np.cos(angle)
    grid = np.stack([outline[0], height, outline[1]], axis=-1)
    crown = sheet(grid[::-1], paint, 0.02, True, Part.HAT)
    knit = 1 + 0.15 * np.sin(crown.points @ rng.normal(0, 6, 3))
    crown = replace(crown, paint=crown.paint * knit[:, None])
    if rng.random() < 0.5:
        return crown
    turn = np.linspace(-1.2, 1.2, 17)
    reach = np.array([[0.95], [1.1], [1.3]])
    sides, ahead = half * np.sin(turn) * reach, mid + deep * np.cos(turn) * (2.2 * reach - 1.2)
    drop = np.broadcast_to(low + tilt * deep - 1.5 * (reach - 1), sides.shape)
    brim = np.stack([sides, drop, ahead], axis=-1)
    return join([crown, _with_back(sheet(brim, paint * 0.8, 0.05, False, Part.HAT))])
