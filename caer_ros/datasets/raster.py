"""A z-buffer for dense meshes in plain numpy: quads are sampled into points, near points win.

The face mesh has quads of one to three pixels, so sampling each on a small grid replaces a triangle
rasteriser, needs no graphics library and gives the same bytes everywhere.
"""

from __future__ import annotations

import numpy as np

# Samples along a quad's side, a few sizes so that each is one vectorised batch.
_STEPS = (1, 2, 3, 4, 6, 9, 14, 22)


def rasterize(
    vertices: np.ndarray, values: np.ndarray, quads: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a mesh.

    Args:
        vertices: float [V, 3]; x and y in pixels (y down), z growing towards the camera.
        values: float [V, C], interpolated over each quad.
        quads: int [F, 4], wound so that a front side has negative area in pixels (y down).

    Returns:
        image float32 [height, width, C] (0 where nothing is) and mask bool [height, width].
    """
    quads = quads[_faces_camera(vertices, quads)]
    points = np.concatenate([vertices, values], axis=1).astype(np.float32)
    image = np.zeros((height * width, values.shape[1]), np.float32)
    mask = np.zeros(height * width, bool)
    samples = np.concatenate(_sample(points, quads))
    column, row = np.floor(samples[:, 0]).astype(np.int64), np.floor(samples[:, 1]).astype(np.int64)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    samples, pixel = samples[inside], (row * width + column)[inside]
    # With a pixel named twice numpy keeps the last value, so far to near is a z-buffer.
    order = np.argsort(samples[:, 2], kind="stable")
    image[pixel[order]] = samples[order, 3:]
    mask[pixel] = True
    return image.reshape(height, width, -1), mask.reshape(height, width)


def _faces_camera(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    corner = vertices[quads, :2]
    first, second = corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1]
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] < 0


def _sample(points: np.ndarray, quads: np.ndarray) -> list[np.ndarray]:
    corner = points[quads]
    side = np.abs(corner[:, :, :2] - np.roll(corner[:, :, :2], 1, axis=1)).max(axis=(1, 2))
    size = np.searchsorted(_STEPS[:-1], side * 1.5)
    chunks = []
    for index, steps in enumerate(_STEPS):
        chosen = corner[size == index]
        if len(chosen) == 0:
            continue
        t = ((np.arange(steps) + 0.5) / steps).astype(np.float32)
        u, v = np.meshgrid(t, t)
        weight = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=-1)
        mixed = np.einsum("sk,fkc->fsc", weight.reshape(-1, 4), chosen)
        chunks.append(mixed.reshape(-1, points.shape[1]))
    return chunks
