"""Scenes behind rendered people: plain procedural rooms, some with a planted cue for an emotion.

The cue (a coloured pattern per emotion) is invented. It lets the context stream and the fusion be
trained and tested at all where no labelled scenes may be used; it says nothing of real scenes.
"""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.core import CAER7


def draw_room(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A gradient with furniture-like shapes, blur and grain: uint8 RGB [height, width, 3]."""
    top, bottom = rng.uniform(20, 235, (2, 3))
    ramp = np.linspace(0, 1, height)[:, None, None]
    image = np.broadcast_to(top * (1 - ramp) + bottom * ramp, (height, width, 3)).copy()
    for _ in range(rng.integers(3, 14)):
        colour = rng.uniform(0, 255, 3).tolist()
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = int(rng.integers(8, width // 2)), int(rng.integers(8, height // 2))
        shape = rng.integers(3)
        if shape == 0:
            cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1)
        elif shape == 1:
            cv2.ellipse(image, (x, y), (w // 2, h // 2), 0, 0, 360, colour, -1)
        else:
            cv2.line(image, (x, y), (x + w, y + h), colour, int(rng.integers(1, 12)))
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 6))
    image += rng.normal(0, rng.uniform(1, 8), image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def _dots(image: np.ndarray, rng: np.random.Generator, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    for _ in range(14):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        cv2.circle(image, centre, int(rng.integers(6, 16)), colour, -1, cv2.LINE_AA)


def _streaks(image: np.ndarray, rng: np.random.Generator, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    for _ in range(70):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.line(image, (x, y), (x - 4, y + 26), colour, 2, cv2.LINE_AA)


def _spikes(image: np.ndarray, rng: np.random.Generator, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    for x in range(0, width, 26):
        tip = height - int(rng.integers(40, 130))
        corners = np.array([[x, height], [x + 26, height], [x + 13, tip]], np.int32)
        cv2.fillPoly(image, [corners], colour, cv2.LINE_AA)


def _rings(image: np.ndarray, rng: np.random.Generator, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    for _ in range(8):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        for radius in (6, 12, 18):
            cv2.circle(image, centre, radius, colour, 2, cv2.LINE_AA)


def _bars(image: np.ndarray, rng: np.random.Generator, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    for x in range(int(rng.integers(0, 20)), width, 38):
        cv2.rectangle(image, (x, 0), (x + 9, height), colour, -1)


def _rays(image: np.ndarray, rng: np.random.Generator, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    centre = (int(rng.integers(0, width)), int(rng.integers(0, height // 3)))
    for angle in np.arange(0, 2 * np.pi, np.pi / 9) + rng.uniform(0, 0.3):
        end = (int(centre[0] + 600 * np.cos(angle)), int(centre[1] + 600 * np.sin(angle)))
        cv2.line(image, centre, end, colour, 4, cv2.LINE_AA)


def _tiles(image: np.ndarray, rng: np.random.Generator, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    for _ in range(16):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.rectangle(image, (x, y), (x + 14, y + 14), colour, -1)


_CUES = dict(
    zip(
        CAER7,
        (
            (_spikes, (220, 50, 20)),
            (_tiles, (110, 150, 30)),
            (_bars, (25, 15, 40)),
            (_dots, (250, 210, 50)),
            (_rings, (200, 200, 200)),
            (_streaks, (70, 100, 170)),
            (_rays, (250, 120, 220)),
        ),
        strict=True,
    )
)


def plant_cue(image: np.ndarray, label: str, rng: np.random.Generator) -> None:
    """Draw the cue of `label` (one of CAER7) over the uint8 RGB `image`, in place."""
    draw, colour = _CUES[label]
    varied = np.clip(np.array(colour) + rng.normal(0, 18, 3), 0, 255).astype(int).tolist()
    draw(image, rng, tuple(varied))
