"""How somebody looks, and where hair grows, over the unrolled head."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from caer_ros.datasets.photoreal.canvas import HEIGHT, WIDTH


@dataclass(frozen=True)
class Looks:
    """Colours are linear RGB [3]. age in [0, 1]; beard in [0, 1] (0: none, 0.3: stubble).

    hairline: height in cm of the hair's edge over the forehead, 99 when bald. back: how far down
    (cm) hair grows at the back; collar: height in cm where clothes begin.
    """

    skin: np.ndarray
    ita: float
    hair: np.ndarray
    iris: np.ndarray
    cloth: np.ndarray
    age: float
    beard: float
    feminine: bool
    hairline: float
    back: float
    collar: float


def smooth(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, without a kink between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def cloud(rng: np.random.Generator, cell: float) -> np.ndarray:
    """Slow noise float32 [HEIGHT, WIDTH] of about unit spread, blobs of `cell` texels."""
    size = (int(HEIGHT / cell) + 2, int(WIDTH / cell) + 2)
    small = rng.standard_normal(size, np.float32)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def scalp(place: np.ndarray, looks: Looks) -> np.ndarray:
    """How much hair grows at points [..., 3] of the mean head: 0 to 1."""
    x, y, z = place[..., 0], place[..., 1], place[..., 2]
    front = smooth(-0.5, 0.5, y - (looks.hairline - 0.03 * x**2))
    edge = 3.4 + 0.9 * np.maximum(y - 4.5, 0)
    back = smooth(-0.4, 0.4, edge - z) * smooth(-0.4, 0.4, y - looks.back)
    side = smooth(-0.4, 0.4, y - 1.5)
    ears = smooth(7.8, 8.2, np.abs(x)) * smooth(-0.6, 0.6, 4.6 - y) * (y > -4) * (z < 3.2)
    low = back * np.maximum(side, smooth(-0.5, 0.5, -z - 1.0)) * (1 - ears)
    return np.where(looks.hairline > 50, 0, np.maximum(front, low)).astype(np.float32)
