"""Colours the pixels that the z-buffer found: skin, eyes, mouth, hair, cloth."""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.datasets.ict_face import part
from caer_ros.datasets.photoreal.canvas import lookup
from caer_ros.datasets.photoreal.wrinkles import FRONT

# Numbers of the materials.
SKIN, EYE, SOCKET, GUM, TOOTH, HAIR, WEAR, LASH = range(8)
_MAP_WIDTH = 1024


def fetch(image: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`image` [H, W, C] at float32 places [N]: float32 [N, C], bilinear."""
    count = len(columns)
    size = -(-count // _MAP_WIDTH) * _MAP_WIDTH
    padded = np.zeros((2, size), np.float32)
    padded[0, :count], padded[1, :count] = columns, rows
    across, down = padded.reshape(2, -1, _MAP_WIDTH)
    out = cv2.remap(image, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out.reshape(size, -1)[:count]


def slope_of(skin: np.ndarray) -> np.ndarray:
    """float32 [H, W, 3]: how the skin map's height changes per texel along columns and rows, and
    how much hair there is."""
    along = cv2.Sobel(skin[..., 3], cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(skin[..., 3], cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.stack([along, down, skin[..., 5]], axis=-1)


def skin_maps(
    skin: np.ndarray, slope: np.ndarray, grooves: dict[str, np.ndarray], deep: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """A person's maps (see `Person`) with grooves as `deep` as given."""
    fold = np.zeros_like(next(iter(grooves.values())))
    for name, amount in deep.items():
        if amount > 0.04:
            fold += np.float32(amount) * grooves[name]
    colour, slope = skin.copy(), slope.copy()
    # Blood and shadow: the green and blue fade first.
    dark = np.exp(0.30 * np.minimum(fold[..., 0], 0.1))
    colour[FRONT][..., 0] *= dark
    colour[FRONT][..., 1:3] *= (dark**1.4)[..., None]
    slope[FRONT][..., :2] += np.float32(0.16) * fold[..., 1:]
    return colour, slope


def eye_colour(
    local: np.ndarray, radius: float, gaze: np.ndarray, iris: np.ndarray, pupil: float
) -> np.ndarray:
    """Albedo float32 [N, 3] of points `local` [N, 3] round the eyeball's centre.

    gaze: unit vector [3], where the eye looks in the head's axes.
    """
    way = local / np.maximum(np.linalg.norm(local, axis=1, keepdims=True), 1e-6)
    off = np.arccos(np.clip(way @ gaze, -1, 1)) * radius
    colour = np.tile(np.array([0.62, 0.57, 0.54], np.float32), (len(local), 1))
    colour *= (1 - 0.25 * np.clip((np.abs(off) - 0.8) / 0.8, 0, 1))[:, None] ** np.array(
        [0.6, 1.2, 1.1]
    )
    flat = way - (way @ gaze)[:, None] * gaze
    spokes = 1 + 0.22 * np.sin(np.arctan2(flat[:, 1], flat[:, 0]) * 23) * np.clip(off / 0.6, 0, 1)
    ring = 1 - 0.65 * np.clip((off - 0.48) / 0.14, 0, 1)
    edge = np.clip((0.64 - off) / 0.09, 0, 1)[:, None]
    colour = colour * (1 - edge) + edge * iris * (spokes * ring)[:, None]
    hole = np.clip((pupil - off) / 0.06, 0, 1)[:, None]
    return colour * (1 - hole) + 0.006 * hole


def eye_frames(neutral: np.ndarray) -> dict[str, tuple[np.ndarray, float]]:
    """Centre [3] and radius of each eyeball of a head."""
    frames = {}
    for name in ("eye_left", "eye_right"):
        ball = neutral[part(name)]
        low, high = ball.min(axis=0), ball.max(axis=0)
        frames[name] = ((low + high) / 2, float((high - low)[:2].max() / 2))
    return frames


__all__ = [
    "EYE",
    "GUM",
    "HAIR",
    "LASH",
    "SKIN",
    "SOCKET",
    "TOOTH",
    "WEAR",
    "eye_colour",
    "eye_frames",
    "fetch",
    "lookup",
    "skin_maps",
]
