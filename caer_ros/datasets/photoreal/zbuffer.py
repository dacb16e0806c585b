"""A deferred z-buffer: which point of which quad each pixel shows, before anything is coloured.

Quads are sampled on small grids of points. Only the nearest point of each pixel has its attributes
interpolated, so that shading costs as much as the picture has pixels, not as the mesh has samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

# Samples along a quad's side: a ladder, so that quads of one shape are one vectorised batch.
_STEPS = np.array([1, 2, 3, 4, 5, 7, 9, 12, 16, 22, 30, 42, 60, 90])
# Samples a pixel along each side; what is rolled by some 45 degrees needs more to have no holes.
DENSITY, MOST_DENSITY = 1.6, 2.4
_DEPTHS = (1 << 30) - 2
_NUMBER = 1 << 32


@dataclass(frozen=True)
class Hits:
    """What is seen: pixel int64 [N] (row * width + column, ascending), quad int32 [N, 4] of vertex
    numbers, weight float32 [N, 4] of those, face int64 [N] (the quad's number)."""

    pixel: np.ndarray
    quad: np.ndarray
    weight: np.ndarray
    face: np.ndarray

    def mix(self, values: np.ndarray) -> np.ndarray:
        """Vertex values [V, C] interpolated at every hit: float32 [N, C]."""
        out = values[self.quad[:, 0]] * self.weight[:, :1]
        for corner in (1, 2, 3):
            out += values[self.quad[:, corner]] * self.weight[:, corner : corner + 1]
        return out


def front_sides(points: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """bool [F]: quads whose front side (negative area, y down) faces the camera."""
    x, y = points[:, 0], points[:, 1]
    a, b, c, d = quads.T
    return (x[c] - x[a]) * (y[d] - y[b]) - (y[c] - y[a]) * (x[d] - x[b]) < 0


def find_hits(
    points: np.ndarray,
    quads: np.ndarray,
    height: int,
    width: int,
    density: np.ndarray | None = None,
) -> Hits:
    """The nearest point of `quads` in every pixel.

    Args:
        points: float [V, 3]; x and y in pixels (y down), z growing towards the camera.
        quads: int [F, 4], already without those to be left out.
        density: float [F], samples a pixel; by default DENSITY.
    """
    points = points.astype(np.float32)
    flat = points[:, :2]
    low = np.minimum.reduce([flat[quads[:, k]] for k in range(4)])
    high = np.maximum.reduce([flat[quads[:, k]] for k in range(4)])
    seen = np.flatnonzero(
        (high[:, 0] >= 0) & (high[:, 1] >= 0) & (low[:, 0] < width) & (low[:, 1] < height)
    )
    quads = quads[seen]
    corner = points[quads]
    down = np.abs(corner[:, [1, 2], :2] - corner[:, [0, 3], :2]).max(axis=(1, 2))
    across = np.abs(corner[:, [3, 2], :2] - corner[:, [0, 1], :2]).max(axis=(1, 2))
    dense = DENSITY if density is None else density[seen]
    shape = np.searchsorted(_STEPS[:-1], across * dense) * len(_STEPS)
    shape += np.searchsorted(_STEPS[:-1], down * dense)
    far = float(corner[:, :, 2].min()) if len(seen) else 0.0
    near = float(corner[:, :, 2].max()) if len(seen) else 1.0
    scale = _DEPTHS / max(near - far, 1e-6)
    # The nearest depth in the upper half and the sample's number in the lower: numbers break ties.
    best = np.zeros(height * width, np.int64)
    order = np.argsort(shape, kind="stable")
    kinds, starts = np.unique(shape[order], return_index=True)
    bases, tables = [0], []
    for kind, members in zip(kinds, np.split(order, starts[1:]), strict=True):
        table = _grid(int(_STEPS[kind // len(_STEPS)]), int(_STEPS[kind % len(_STEPS)]))
        samples = np.matmul(table, corner[members])
        at = samples[..., :2].astype(np.int32)
        x, y = at[..., 0], at[..., 1]
        inside = (samples[..., 0] >= 0) & (samples[..., 1] >= 0) & (x < width) & (y < height)
        depth = ((samples[..., 2] - far) * scale).astype(np.int64) + 1
        key = depth * _NUMBER + np.arange(bases[-1], bases[-1] + depth.size).reshape(depth.shape)
        np.maximum.at(best, (y * width + x)[inside], key[inside])
        bases.append(bases[-1] + depth.size)
        tables.append((table, members))
    pixel = np.flatnonzero(best)
    number = best[pixel] & (_NUMBER - 1)
    face = np.empty(len(pixel), np.int64)
    weight = np.empty((len(pixel), 4), np.float32)
    batch = np.searchsorted(bases, number, side="right") - 1
    for index, (table, members) in enumerate(tables):
        here = np.flatnonzero(batch == index)
        which, place = np.divmod(number[here] - bases[index], len(table))
        face[here], weight[here] = members[which], table[place]
    return Hits(pixel, quads[face], weight, seen[face])


@cache
def _grid(across: int, down: int) -> np.ndarray:
    """Bilinear weights float32 [across * down, 4] of the points of a grid over a quad."""
    u = ((np.arange(across) + 0.5) / across).astype(np.float32)
    v = ((np.arange(down) + 0.5) / down).astype(np.float32)
    u, v = np.meshgrid(u, v)
    weight = np.stack([(1 - u) * (1 - v), (1 - u) * v, u * v, u * (1 - v)], axis=-1)
    return weight.reshape(-1, 4)
