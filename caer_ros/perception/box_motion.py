"""Where boxes are expected, and how far they are from there: numpy only, and in seconds.

Lengths are in sides (square root of the area) of the person's own box, so that one set of numbers
holds for a face and a body, near and far, and for every image size.
"""

from __future__ import annotations

import numpy as np

FADE = 1.0  # seconds after which a speed that is no longer seen has fallen to 37 %
PUSH = 2.0  # how much speeds change: variance of the speed gained a second, (sides/s)^2/s
# Beyond this, in sides, nobody is taken for the same person, however long he was away.
FARTHEST = 2.0
# Of two areas; beyond it a box that does not overlap is somebody nearer or farther away.
GROWTH = 4.0
# What a second of absence, or more, adds to a distance, so that of two people at one place he who
# was seen last gets the box, and not he who may be hidden behind.
ABSENCE = 0.5


def motion(step: float) -> tuple[np.ndarray, np.ndarray]:
    """How state and uncertainty go on in `step` seconds: transition [8, 8] and noise [8, 8].

    State: four corner coordinates, four speeds. Speeds fade exponentially, so that somebody who
    vanished is expected near the place where he was last and not far along his way. The noise is
    for a box of area 1. Two steps are the same as one of their sum, whatever the frame rate is.
    """
    left = np.exp(-step / FADE)
    transition = _blocks(1.0, FADE * (1 - left), 0.0, left)
    speed = FADE / 2 * (1 - left**2)
    cross = FADE**2 / 2 * (1 - left) ** 2
    place = FADE**2 * (step - 2 * FADE * (1 - left) + speed)
    return transition, _blocks(PUSH * place, PUSH * cross, PUSH * cross, PUSH * speed)


def _blocks(a: float, b: float, c: float, d: float) -> np.ndarray:
    """[[a I, b I], [c I, d I]] with I of 4 x 4: np.kron takes ten times as long."""
    made = np.zeros((8, 8))
    for row, column, value in ((0, 0, a), (0, 4, b), (4, 0, c), (4, 4, d)):
        made[range(row, row + 4), range(column, column + 4)] = value
    return made


def box_distances(
    seen: np.ndarray, expected: np.ndarray, gaps: np.ndarray, min_iou: float, max_speed: float
) -> np.ndarray:
    """Distances of boxes [n, 4] from expected boxes [m, 4], float64 [n, m].

    1 - IoU where they overlap; else 1 + distance of the centres / reach, the reach being what
    `max_speed` allows in the gap; infinite beyond it. To both, the absence is added.

    Args:
        seen, expected: x1, y1, x2, y2; an expected box may have lost its area.
        gaps: [m], seconds since each person was seen, at least 0.
        min_iou, max_speed: as in TrackerConfig.
    """
    reach = np.minimum(max_speed * gaps, FARTHEST)
    a, b = seen[:, None], expected[None]
    inner = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.prod(np.maximum(inner, 0), axis=-1)
    areas = [np.prod(np.maximum(x[..., 2:] - x[..., :2], 1e-3), axis=-1) for x in (a, b)]
    iou = shared / (areas[0] + areas[1] - shared)
    apart = np.linalg.norm((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2, axis=-1)
    allowed = reach * np.sqrt(areas[1])
    growth = areas[0] / areas[1]
    near = (apart < allowed) & (growth < GROWTH) & (growth > 1 / GROWTH)
    far = np.where(near, 1 + apart / np.maximum(allowed, 1e-9), np.inf)
    return np.where(iou >= max(min_iou, 1e-9), 1 - iou, far) + ABSENCE * np.minimum(gaps, 1)


def area_of(corners: np.ndarray) -> float:
    """Area of a box [2, 2] as corners; at least 1 a side, as an expected box may have lost it."""
    return float(np.prod(np.maximum(corners[1] - corners[0], 1.0)))
