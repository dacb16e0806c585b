"""One person's skin as a flat map: its tone with all that lies on it."""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.datasets.photoreal import features
from caer_ros.datasets.photoreal.canvas import HEIGHT, WIDTH, Canvas
from caer_ros.datasets.photoreal.looks import Looks, cloud, scalp, smooth
from caer_ros.datasets.photoreal.parts import Part


def paint_skin(canvas: Canvas, looks: Looks, rng: np.random.Generator) -> np.ndarray:
    """float32 [HEIGHT, WIDTH, 7]: linear albedo, height (cm, fine bumps), gloss, hair share, and
    the Part that covers the skin (0: none)."""
    place = canvas.place
    x, y, z = place[..., 0], place[..., 1], place[..., 2]
    front = smooth(0, 3, z)
    albedo = np.empty((HEIGHT, WIDTH, 3), np.float32)
    albedo[:] = looks.skin
    blotch = 0.05 * cloud(rng, 60) + 0.035 * cloud(rng, 14) + 0.03 * cloud(rng, 4)
    albedo *= np.exp(blotch * rng.uniform(0.5, 1.3))[..., None]
    red = features.redness(x, y, rng) * front + 0.25 * np.clip(cloud(rng, 25), 0, 2) * rng.uniform(
        0, 0.5
    )
    albedo *= np.exp(red[..., None] * np.array([0.04, -0.22, -0.18], np.float32))
    features.spots(albedo, looks, rng)
    features.line_eyes(albedo, canvas, x, y, looks, rng)
    features.paint_lips(albedo, canvas, x, y, looks, rng)
    hairness = np.zeros((HEIGHT, WIDTH), np.float32)
    strands = _strand_noise(rng)
    # All three throw the same dice: another order makes other people.
    brows = features.brows(canvas, looks, rng)
    beard = features.beard(x, y, z, looks, rng)
    hairline = _hairline(place, looks, rng)
    for share, light in ((brows, 0.5), (beard, 0.8), (hairline, 1.0)):
        tone = looks.hair * light * (0.85 + 0.35 * strands[..., None])
        albedo = albedo * (1 - share[..., None]) + np.clip(tone, 0.004, 1) * share[..., None]
        hairness = np.maximum(hairness, share)
    cloth = smooth(-0.15, 0.15, looks.collar - y)[..., None]
    albedo = albedo * (1 - cloth) + cloth * looks.cloth
    bumps = 0.010 * cloud(rng, 2.5) + 0.008 * cloud(rng, 5)
    bumps *= (0.5 + looks.age) * (1 - hairness) * (1 - cloth[..., 0])
    gloss = np.exp(-((x / 2.5) ** 2)) * smooth(-1, 9, y) + np.exp(
        -(((np.abs(x) - 4) / 2) ** 2 + ((y - 0.5) / 1.8) ** 2)
    )
    gloss = (0.35 + 0.65 * gloss + 0.5 * canvas.lips) * (1 - 0.8 * hairness) * (1 - cloth[..., 0])
    cover = np.where(hairline > 0.5, Part.HAIR, 0)
    cover = np.where(cloth[..., 0] > 0.5, Part.CLOTHES, cover)
    layers = [albedo, bumps[..., None], gloss[..., None], hairness[..., None], cover[..., None]]
    return np.concatenate(layers, axis=2).astype(np.float32)


def _hairline(place: np.ndarray, looks: Looks, rng: np.random.Generator) -> np.ndarray:
    """The scalp with a ragged edge."""
    ragged = place.copy()
    ragged[..., 1] += 0.25 * cloud(rng, 6) + 0.3 * cloud(rng, 2)
    return scalp(ragged, looks)


def _strand_noise(rng: np.random.Generator) -> np.ndarray:
    """Noise that is long along the rows' direction: hair combed down the head."""
    fine = rng.standard_normal((HEIGHT // 16, WIDTH), np.float32)
    coarse = rng.standard_normal((HEIGHT // 32, WIDTH // 5), np.float32)
    size = (WIDTH, HEIGHT)
    return 0.6 * cv2.resize(fine, size) + 0.6 * cv2.resize(coarse, size)
