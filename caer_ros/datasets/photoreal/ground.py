"""What is behind a person and now and then before the face."""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.backdrop import draw_room
from caer_ros.datasets.scenes.places import draw_place


def draw_ground(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A background out of focus: uint8 RGB [height, width, 3]."""
    kind = rng.random()
    if kind < 0.3:
        image = draw_room(rng, width, height)
    elif kind < 0.55:
        image = np.ascontiguousarray(draw_place(rng, width, height)[..., ::-1])
    elif kind < 0.85:
        image = _clouds(rng, width, height)
    else:
        image = _studio(rng, width, height)
    image = image.astype(np.float32)
    if rng.random() < 0.3:
        _bokeh(image, rng)
    if rng.random() < 0.8:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.8, 7)))
    grey = image.mean(axis=2, keepdims=True)
    image = grey + (image - grey) * np.float32(rng.uniform(0.15, 0.8))
    image *= np.float32(rng.uniform(0.35, 1.1))
    return np.clip(image, 0, 255).astype(np.uint8)


def _clouds(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Noise of all sizes, cut into a few plain surfaces: the look of clutter."""
    image = np.zeros((height, width, 3), np.float32)
    for cell, power in ((3, 1.0), (6, 0.8), (14, 0.5), (40, 0.3)):
        small = rng.standard_normal((cell, cell + 1, 3), np.float32)
        flag = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_CUBIC
        image += power * cv2.resize(small, (width, height), interpolation=flag)
    grey = image.mean(axis=2, keepdims=True)
    image = grey + (image - grey) * rng.uniform(0.1, 0.9)
    return np.clip(rng.uniform(40, 200) + image * rng.uniform(15, 55), 0, 255).astype(np.uint8)


def _studio(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    far = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height)) / width
    colour = rng.uniform(40, 250) * rng.normal(1, 0.12, 3)
    return np.clip(colour * np.exp(-rng.uniform(0, 1.2) * far)[..., None], 0, 255).astype(np.uint8)


def _bokeh(image: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    radius = int(rng.integers(4, 18))
    for _ in range(int(rng.integers(5, 30))):
        at = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        layer = image.copy()
        cv2.circle(layer, at, radius, rng.uniform(120, 255, 3).tolist(), -1, cv2.LINE_AA)
        share = rng.uniform(0.2, 0.6)
        image[:] = image * (1 - share) + layer * share


def occlude(image: np.ndarray, box: Box, skin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lay fingers, a phone or something plain over a part of the lower or outer face, in place.

    `skin` is the person's colour, sRGB 0 to 255. Returns uint8 [H, W]: how much of each pixel is
    covered, of 255.
    """
    wide, high = box.width, box.height
    layer, cover = image.copy(), np.zeros(image.shape[:2], np.uint8)
    if rng.random() < 0.5:
        centre = np.array(
            [box.x1 + wide * rng.choice([0.1, 0.9]), box.y1 + high * rng.uniform(0.75, 1.0)]
        )
        angle = rng.uniform(-0.6, 0.6) - np.pi / 2
        for k in range(int(rng.integers(1, 5))):
            start = centre + np.array([k * 0.10 * wide, rng.normal(0, 0.03 * high)])
            end = start + np.array([np.cos(angle), np.sin(angle)]) * high * rng.uniform(0.2, 0.35)
            shade = skin * rng.uniform(0.75, 1.05)
            line = start.astype(int).tolist(), end.astype(int).tolist()
            thick = max(2, int(0.095 * wide))
            cv2.line(layer, *line, shade.tolist(), thick, cv2.LINE_AA)
            cv2.line(cover, *line, 255, thick, cv2.LINE_AA)
    else:
        x = box.x1 + wide * rng.choice([rng.uniform(-0.4, 0.0), rng.uniform(0.75, 1.1)])
        y = box.y1 + high * rng.uniform(0.3, 1.0)
        size = (wide * rng.uniform(0.2, 0.5), high * rng.uniform(0.3, 0.8))
        rect = ((float(x), float(y)), (float(size[0]), float(size[1])), float(rng.uniform(-30, 30)))
        corners = [cv2.boxPoints(rect).astype(np.int32)]
        colour = (rng.uniform(10, 220) * rng.normal(1, 0.2, 3)).clip(0, 255).tolist()
        cv2.fillPoly(layer, corners, colour, cv2.LINE_AA)
        cv2.fillPoly(cover, corners, 255, cv2.LINE_AA)
    image[:] = cv2.GaussianBlur(layer, (0, 0), max(0.4, wide / 160))
    return cover
