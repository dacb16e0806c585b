"""What lies on a face's skin: redness, freckles, lids, lips, brows and a beard."""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.datasets.photoreal.canvas import HEIGHT, WIDTH, Canvas
from caer_ros.datasets.photoreal.looks import Looks, cloud, smooth


def redness(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How red cheeks, nose and chin are at front points (cm): float [...], >= 0."""

    def spot(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        return np.exp(-(((np.abs(x) - cx) / rx) ** 2 + ((y - cy) / ry) ** 2))

    cheeks, nose, chin = rng.uniform(0.1, 1.0), rng.uniform(0.1, 0.8), rng.uniform(0, 0.5)
    return (
        cheeks * spot(4.2, 0, 2.2, 2.0)
        + nose * spot(0, 0.4, 1.3, 1.2)
        + chin * spot(0, -6.5, 1.5, 1)
    )


def spots(albedo: np.ndarray, looks: Looks, rng: np.random.Generator) -> None:
    """Freckles and moles."""
    count = int(rng.integers(0, 12)) + (
        int(rng.integers(100, 700)) if looks.ita > 25 and rng.random() < 0.2 else 0
    )
    mask = np.zeros(albedo.shape[:2], np.float32)
    for u, v, r in rng.random((count, 3)):
        at = (int((0.3 + 0.4 * u) * WIDTH * 16), int((0.2 + 0.35 * v) * HEIGHT * 16))
        cv2.circle(
            mask, at, int((0.4 + 0.8 * r**2) * 16), float(0.08 + 0.3 * r), -1, cv2.LINE_AA, 4
        )
    albedo *= np.exp(-mask[..., None] * np.array([0.8, 1.2, 1.4], np.float32))


def line_eyes(
    albedo: np.ndarray,
    canvas: Canvas,
    x: np.ndarray,
    y: np.ndarray,
    looks: Looks,
    rng: np.random.Generator,
) -> None:
    """Darker lids, shadows below the eyes, the line of the lashes, and perhaps make-up."""
    near = (y > 1) & (y < 6.2) & (np.abs(x) < 6.5)
    lid = (1 - smooth(0.1, 0.9, canvas.eye_gap)) * near
    bag = np.exp(-(((np.abs(x) - 3.2) / 1.6) ** 2 + ((y - 2.2) / 0.8) ** 2))
    dark = rng.uniform(0.05, 0.45) * lid + rng.uniform(0.0, 0.45) * (0.4 + looks.age) * bag
    albedo *= np.exp(-dark[..., None] * np.array([0.7, 1.0, 0.9], np.float32))
    line = (1 - smooth(0.04, 0.2, canvas.eye_gap)) * near * np.where(y > 3.55, 1.0, 0.45)
    strength = rng.uniform(0.5, 0.95) if looks.feminine else rng.uniform(0.3, 0.7)
    albedo *= (1 - strength * line)[..., None]
    if looks.feminine and rng.random() < 0.25:
        shadow = (lid * (y > 3.7) * rng.uniform(0.2, 0.6))[..., None]
        albedo *= 1 - shadow * rng.uniform(0.2, 0.9, 3).astype(np.float32)


def paint_lips(
    albedo: np.ndarray,
    canvas: Canvas,
    x: np.ndarray,
    y: np.ndarray,
    looks: Looks,
    rng: np.random.Generator,
) -> None:
    """Lips of the person's own colour or painted, and the dark line between them, in place."""
    across = np.clip(1 - (np.abs(x) / 2.55) ** 2, 0, 1)
    bow = 0.12 * np.exp(-((x / 0.3) ** 2))
    upper = -3.4 + rng.uniform(0.6, 0.95) * across**0.8 - bow
    lower = -3.4 - rng.uniform(0.8, 1.2) * across**0.7
    mask = smooth(-0.1, 0.1, upper - y) * smooth(-0.1, 0.1, y - lower) * smooth(0, 0.15, across)
    if looks.feminine and rng.random() < 0.45:
        paint = looks.skin * [0.9, 0.35, 0.38] * rng.normal(1, 0.12, 3) + [
            rng.uniform(0, 0.15),
            0,
            0,
        ]
        share = rng.uniform(0.5, 0.95)
    else:
        paint, share = looks.skin * [0.85, 0.56, 0.58], rng.uniform(0.4, 0.9)
    mask = (mask * share)[..., None]
    albedo[:] = albedo * (1 - mask) + np.clip(paint, 0.01, 1).astype(np.float32) * mask
    seam = np.exp(-(((y + 3.4) / 0.07) ** 2)) * (np.abs(x) < 2.6)
    albedo *= (1 - 0.45 * seam)[..., None]


def brows(canvas: Canvas, looks: Looks, rng: np.random.Generator) -> np.ndarray:
    """Hundreds of short hairs, float32 [HEIGHT, WIDTH] in [0, 1]."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    thick = rng.uniform(0.16, 0.32) if looks.feminine else rng.uniform(0.26, 0.5)
    arch, lift = rng.uniform(0.3, 0.8), rng.uniform(-0.15, 0.25)
    inner, outer = rng.uniform(0.8, 1.5), rng.uniform(5.0, 5.9)
    count = int(rng.integers(90, 220))
    t = rng.random(count)
    spread = (
        rng.uniform(-1, 1, count) * thick * (1 - 0.65 * t**2) * (0.65 + 0.35 * np.minimum(1, t * 6))
    )
    x = inner + (outer - inner) * t
    y = 5.15 + lift + arch * np.sin(np.clip(t, 0, 1) * 2.5) + spread
    angle = np.radians(75 - 85 * np.minimum(1, t * 1.6)) - np.sign(spread) * 0.35 * t
    long = rng.uniform(0.35, 0.75, count)
    for side in (1.0, -1.0):
        start = canvas.texels(np.stack([side * x, y], axis=1))
        end = canvas.texels(
            np.stack([side * (x + long * np.cos(angle)), y + 0.6 * long * np.sin(angle)], axis=1)
        )
        lines = np.round(np.stack([start, end], axis=1) * 16).astype(np.int32)
        layer = np.zeros_like(mask)
        cv2.polylines(layer, list(lines), False, 1.0, 1, cv2.LINE_AA, 4)
        mask = np.maximum(mask, layer)
    soft = cv2.GaussianBlur(mask, (0, 0), 2.0)
    return np.clip(0.55 * cv2.GaussianBlur(mask, (0, 0), 0.6) + 0.75 * soft, 0, 1) * rng.uniform(
        0.55, 0.95
    )


def beard(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, looks: Looks, rng: np.random.Generator
) -> np.ndarray:
    """How much of the skin a beard or stubble covers: float32 [HEIGHT, WIDTH] in [0, 1]."""
    if looks.beard <= 0:
        return np.zeros_like(x)
    chin_only, cheeks = rng.random() < 0.2, rng.uniform(-3.0, 0.5)
    top = (
        cheeks - 0.10 * np.clip(6.5 - np.abs(x), 0, 9) ** 1.6
        if not chin_only
        else np.full_like(x, -4.5)
    )
    jaw = smooth(-0.5, 0.5, top - y) * smooth(-11.5, -9.5, y) * smooth(0.5, 2, z)
    if chin_only:
        jaw *= smooth(-0.4, 0.4, 2.4 - np.abs(x))
    moustache = (
        smooth(-0.2, 0.2, -1.35 - y - 0.12 * x**2) * smooth(-0.2, 0.3, 3.2 - np.abs(x)) * (y > -3.6)
    )
    grown = np.maximum(jaw, moustache * (rng.random() < 0.85))
    lips = np.hypot(x / 2.7, (y + 3.5) / np.where(y > -3.5, 0.95, 1.15))
    grown = grown * smooth(0.95, 1.1, lips)
    grain = np.clip(0.75 + 0.35 * rng.standard_normal(x.shape, np.float32), 0.15, 1)
    return grown * np.clip(looks.beard * grain * np.exp(0.3 * cloud(rng, 10)), 0, 0.97)
