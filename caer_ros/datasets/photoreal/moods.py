"""A place as an emotion would have it: its light, its colours, what falls or shines in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

Mood = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _tinted(image: np.ndarray, gain: tuple[float, float, float], grey: float) -> np.ndarray:
    """`image` with channels multiplied, after a share `grey` of its colour was taken away."""
    plain = image.mean(axis=2, keepdims=True)
    return (plain * grey + image * (1 - grey)) * np.array(gain, np.float32)


def _far(image: np.ndarray, x: float, y: float) -> np.ndarray:
    """Distance of every pixel from a place (shares of width and height), in picture heights."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.hypot(columns - x * width, rows - y * height)[..., None] / height


def party(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Warm light, lamps out of focus, paper flags or confetti."""
    height, width = image.shape[:2]
    image = _tinted(image, (1.2, 1.05, 0.8), 0.2) + 25
    for _ in range(int(rng.integers(6, 14))):
        at = (int(rng.integers(0, width)), int(rng.integers(0, 0.6 * height)))
        layer = image.copy()
        cv2.circle(layer, at, int(rng.integers(5, 14)), (255, 215, 140), -1, cv2.LINE_AA)
        image = cv2.addWeighted(image, 0.55, layer, 0.45, 0)
    for _ in range(int(rng.integers(50, 120))):
        x, y, turn = rng.random(3) * (width, height, np.pi)
        colour = (rng.choice([60, 255], 3) * rng.uniform(0.7, 1.0)).tolist()
        rect = ((float(x), float(y)), (6.0, 3.5), float(np.degrees(turn)))
        cv2.fillPoly(image, [cv2.boxPoints(rect).astype(np.int32)], colour, cv2.LINE_AA)
    return image


def rain(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blue dusk and rain."""
    height, width = image.shape[:2]
    image = _tinted(image, (0.5, 0.6, 0.78), 0.6) + 18
    lean = rng.uniform(-6, 6)
    layer = image.copy()
    for x, y in rng.random((int(rng.integers(120, 240)), 2)) * (width, height):
        end = (int(x + lean), int(y + rng.uniform(14, 30)))
        cv2.line(layer, (int(x), int(y)), end, (165, 180, 205), 1, cv2.LINE_AA)
    return cv2.addWeighted(image, 0.5, layer, 0.5, 0)


def blaze(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A red glow from one side, the rest dark."""
    far = _far(image, float(rng.choice([0.0, 1.0])), float(rng.uniform(0.6, 1.1)))
    glow = np.exp(-((far / rng.uniform(0.5, 0.9)) ** 2))
    flicker = cv2.GaussianBlur(rng.standard_normal(image.shape[:2], np.float32), (0, 0), 9) * 4
    glow = glow * (1 + 0.25 * np.clip(flicker, -1.5, 1.5)[..., None])
    return _tinted(image, (0.7, 0.45, 0.4), 0.3) + glow * np.array([235, 75, 15], np.float32)


def night(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Darkness with one pale spot, and mist over the ground."""
    far = _far(image, float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.1, 0.5)))
    seen = np.exp(-((far / rng.uniform(0.25, 0.5)) ** 2))
    rows = np.linspace(0, 1, image.shape[0], dtype=np.float32)[:, None, None]
    mist = np.clip(rows - 0.55, 0, 1) * 90
    dark = _tinted(image, (0.16, 0.2, 0.25), 0.7)
    return dark + seen * np.array([95, 115, 125], np.float32) + mist * np.array([0.7, 0.85, 0.9])


def filth(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Greenish light and stains that run down."""
    height, width = image.shape[:2]
    image = _tinted(image, (0.75, 0.85, 0.42), 0.4) + np.array([14, 16, 6], np.float32)
    layer = image.copy()
    for _ in range(int(rng.integers(6, 14))):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        colour = (np.array([70, 72, 22]) * rng.uniform(0.5, 1.4)).tolist()
        size = (int(rng.integers(8, 34)), int(rng.integers(5, 22)))
        cv2.ellipse(layer, (x, y), size, float(rng.uniform(0, 180)), 0, 360, colour, -1)
        down = y + int(rng.integers(10, 60))
        cv2.line(layer, (x, y), (x, down), colour, int(rng.integers(2, 6)), cv2.LINE_AA)
    return cv2.addWeighted(image, 0.35, cv2.GaussianBlur(layer, (0, 0), 1.8), 0.65, 0)


def burst(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A flash with rays, and streamers in the air."""
    height, width = image.shape[:2]
    x, y = float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.05, 0.45))
    at = np.array([x * width, y * height])
    layer = image.copy()
    start, count = rng.uniform(0, 1), int(rng.integers(9, 16))
    for angle in 2 * np.pi * (np.arange(count) + start) / count:
        way = np.array(
            [[np.cos(angle), np.sin(angle)], [np.cos(angle + 0.16), np.sin(angle + 0.16)]]
        )
        corners = np.vstack([at, at + 1.5 * width * way]).astype(np.int32)
        cv2.fillPoly(layer, [corners], (250, 240, 255), cv2.LINE_AA)
    image = cv2.addWeighted(image, 0.7, layer, 0.3, 0)
    image = image + np.exp(-((_far(image, x, y) / 0.22) ** 2)) * 170
    for _ in range(int(rng.integers(5, 10))):
        steps = np.linspace(0, 1, 24)
        left, top = rng.random(2) * (width, 0.5 * height)
        curl = 9 * np.sin(steps * rng.uniform(9, 18))
        points = np.stack([left + curl, top + steps * rng.uniform(60, 140)], 1).astype(np.int32)
        colour = ((255, 60, 200), (40, 210, 255), (255, 235, 60))[int(rng.integers(3))]
        cv2.polylines(image, [points], False, colour, 2, cv2.LINE_AA)
    return image


def office(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Even, pale light and a blind."""
    height, width = image.shape[:2]
    image = _tinted(image, (1.0, 0.99, 0.95), 0.75) * 0.45 + 105
    left, step = int(rng.uniform(-0.1, 0.7) * width), int(rng.integers(6, 12))
    right, end = left + int(rng.uniform(0.3, 0.6) * width), int(rng.uniform(0.4, 0.9) * height)
    level = float(rng.uniform(175, 225))
    for top in range(int(0.05 * height), end, step):
        colour = (level, level, 0.96 * level)
        cv2.rectangle(image, (left, top), (right, top + step - 3), colour, -1)
    return image


MOODS: Mapping[str, Mood] = {
    "Anger": blaze,
    "Disgust": filth,
    "Fear": night,
    "Happy": party,
    "Neutral": office,
    "Sad": rain,
    "Surprise": burst,
}
"""Emotion -> what its place looks like."""


def set_mood(ground: np.ndarray, label: str, rng: np.random.Generator) -> np.ndarray:
    """A place (uint8 RGB [H, W, 3], kept as it is) in the mood of an emotion of CAER7: the same."""
    image = np.ascontiguousarray(MOODS[label](ground.astype(np.float32), rng), np.float32)
    return np.clip(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.6))), 0, 255).astype(
        np.uint8
    )
