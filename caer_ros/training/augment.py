"""Random changes to face crops: where it is cut, light, colour, sharpness, noise, things in front.

All work on uint8 RGB and draw from the generator they are given. Labels are not carried along: the
teacher labels the pixels that come out.
"""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.patches import FACE as FACE_SIZE


def jittered(box: Box, rng: np.random.Generator, amount: float) -> Box:
    """`box` moved and scaled by up to `amount` of its longer side: detectors do not agree."""
    side = max(box.width, box.height)
    dx, dy = rng.uniform(-amount, amount, 2) * side * 0.6
    scale = 1 + rng.uniform(-amount, amount)
    half = side * scale / 2
    cx, cy = (box.x1 + box.x2) / 2 + dx, (box.y1 + box.y2) / 2 + dy
    return Box(cx - half, cy - half, cx + half, cy + half)


def augment(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A changed copy of a crop, uint8 RGB [96, 96, 3]."""
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    if rng.random() < 0.5:
        crop = _tilt(crop, rng)
    if rng.random() < 0.9:
        crop = _relight(crop, rng)
    if rng.random() < 0.6:
        crop = _soften(crop, rng)
    if rng.random() < 0.3:
        crop = np.clip(crop + rng.normal(0, rng.uniform(2, 14), crop.shape), 0, 255)
    if rng.random() < 0.2:
        crop = _cover(crop, rng, 0.3)
    crop = np.ascontiguousarray(crop, np.uint8)
    if rng.random() < 0.2:
        quality = int(rng.integers(25, 80))
        coded = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        crop = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return crop


def spoil(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A crop in which the expression can hardly be made out: far away, or mostly covered."""
    if rng.random() < 0.5:
        size = int(rng.integers(5, 11))
        tiny = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
        return cv2.resize(tiny, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(_cover(crop, rng, 0.9), np.uint8)


def blend(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two crops made into one face: mixed, or the upper half of one on the lower half of the other.

    Faces lie alike in their crops, so this makes expressions and people that nobody photographed.
    """
    if rng.random() < 0.5:
        weight = np.full((FACE_SIZE, 1, 1), rng.uniform(0.25, 0.75))
    else:
        seam = FACE_SIZE * rng.uniform(0.45, 0.62)
        rows = np.arange(FACE_SIZE)[:, None, None]
        weight = 1 / (1 + np.exp((rows - seam) / 2.5))
    return (first * weight + second * (1 - weight)).astype(np.uint8)


def _tilt(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    middle = FACE_SIZE / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), rng.uniform(-14, 14), rng.uniform(0.93, 1.1))
    matrix[:, :2] += rng.normal(0, 0.04, (2, 2))
    # Shearing must not move the middle.
    matrix[:, 2] = middle - matrix[:, :2] @ [middle, middle]
    return cv2.warpAffine(crop, matrix, (FACE_SIZE, FACE_SIZE), borderMode=cv2.BORDER_REPLICATE)


def _relight(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    pixels = crop.astype(np.float32) / 255
    pixels = pixels ** rng.uniform(0.6, 1.6)
    pixels = (pixels - pixels.mean()) * rng.uniform(0.6, 1.5) + pixels.mean() * rng.uniform(
        0.6, 1.4
    )
    # Few people are photographed: their colours must not give away whose face it is.
    if rng.random() < 0.35:
        grey = pixels.mean(axis=2, keepdims=True)
        pixels = np.broadcast_to(grey, pixels.shape)
    else:
        pixels = pixels * rng.normal(1, 0.15, 3).astype(np.float32)
    if rng.random() < 0.3:
        slope = np.linspace(-1, 1, FACE_SIZE, dtype=np.float32) * rng.uniform(-0.35, 0.35)
        pixels = pixels * (
            1 + (slope[None, :, None] if rng.random() < 0.5 else slope[:, None, None])
        )
    return np.clip(pixels * 255, 0, 255)


def _soften(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    crop = np.ascontiguousarray(crop, np.float32)
    if rng.random() < 0.5:
        return cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.4, 1.8))
    size = int(rng.integers(20, 64))
    small = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_LINEAR)


def _cover(crop: np.ndarray, rng: np.random.Generator, largest: float) -> np.ndarray:
    covered = np.array(crop)
    h, w = (int(FACE_SIZE * rng.uniform(largest / 3, largest)) for _ in range(2))
    y, x = int(rng.integers(0, FACE_SIZE - h + 1)), int(rng.integers(0, FACE_SIZE - w + 1))
    covered[y : y + h, x : x + w] = rng.uniform(0, 255, 3)
    return covered
