"""What a camera and a file do to a picture: blur, noise, few pixels, colour, JPEG."""

from __future__ import annotations

import cv2
import numpy as np


def develop(
    rgb: np.ndarray,
    face: float,
    rng: np.random.Generator,
    anew: np.random.Generator | None = None,
) -> np.ndarray:
    """A clean picture, uint8 RGB [H, W, 3], as a poor or fair camera would give it.

    Args:
        face: the face's height in pixels: blur is measured by it, so that a face stays readable.
        rng: what the camera is like.
        anew: where grain and shaking come from, for the frames of one camera; else `rng`.
    """
    anew = anew or rng
    image = rgb.astype(np.float32)
    if rng.random() < 0.35:
        image = _shrink(image, float(max(rng.uniform(0.3, 0.95), min(28 / face, 1))))
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), max(0.3, face / 128 * rng.uniform(0.3, 1.2)))
    if rng.random() < 0.12:
        image = _shake(image, max(2, round(face / 128 * rng.uniform(2, 7))), anew)
    image = _grade(image, rng)
    if rng.random() < 0.75:
        image = _noise(image, rng, anew)
    if rng.random() < 0.3:
        soft = cv2.GaussianBlur(image, (0, 0), 1.2)
        image = image + rng.uniform(0.2, 0.9) * (image - soft)
    image = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        quality = int(rng.integers(25, 96))
        data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None
        image = decoded[..., ::-1]
    if rng.random() < 0.12:
        image = np.repeat(
            cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2
        )
    return np.ascontiguousarray(image)


def _shrink(image: np.ndarray, share: float) -> np.ndarray:
    height, width = image.shape[:2]
    small = cv2.resize(
        image,
        (max(8, int(width * share)), max(8, int(height * share))),
        interpolation=cv2.INTER_AREA,
    )
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _shake(image: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    kernel = np.zeros((length * 2 + 1, length * 2 + 1), np.float32)
    angle = rng.uniform(0, np.pi)
    end = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    points = np.round(np.stack([length - end, length + end]) * 16).astype(np.int32)
    cv2.line(kernel, points[0].tolist(), points[1].tolist(), 1.0, 1, cv2.LINE_AA, 4)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _grade(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White balance, saturation, contrast and a curve."""
    image = image * rng.normal(1, 0.05, 3).astype(np.float32)
    grey = image.mean(axis=2, keepdims=True)
    image = grey + (image - grey) * np.float32(rng.uniform(0.6, 1.25))
    image = 255 * np.clip(image / 255, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.18)))
    return (image - 128) * np.float32(rng.uniform(0.85, 1.15)) + 128 + np.float32(rng.normal(0, 6))


def streak(rgb: np.ndarray, way: tuple[float, float]) -> np.ndarray:
    """Blur uint8 RGB [H, W, 3] along `way` (x, y in pixels), as the open shutter of a moving camera
    does."""
    length = float(np.hypot(*way))
    if length < 1:
        return rgb
    half = int(np.ceil(length / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    ends = np.round((half + np.outer([-0.5, 0.5], way)) * 16).astype(np.int32)
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1.0, 1, cv2.LINE_AA, 4)
    return cv2.filter2D(rgb, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def _noise(image: np.ndarray, rng: np.random.Generator, anew: np.random.Generator) -> np.ndarray:
    grain = anew.standard_normal(image.shape, np.float32)
    if rng.random() < 0.5:
        grain = cv2.GaussianBlur(grain, (0, 0), 0.7) * 1.8
    if rng.random() < 0.5:
        grain = np.repeat(grain.mean(axis=2, keepdims=True) * 1.6, 3, axis=2)
    shot = np.sqrt(np.clip(image, 0, 255) / 128 + 0.2)
    return image + grain * shot * np.float32(rng.gamma(1.3, 1.6))
