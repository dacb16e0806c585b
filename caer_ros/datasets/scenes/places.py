"""Where a scene takes place: a room, a street or a meadow, chosen and coloured by chance alone."""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.datasets.scenes.pen import Colour, Pen, Placement, bow, darker, mix


def draw_place(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A background without people or cues: uint8 [height, width, 3], BGR."""
    top, bottom = _pale(rng), _pale(rng)
    ramp = np.linspace(0, 1, height)[:, None] ** float(rng.uniform(0.6, 1.6))
    column = (np.array(top) * (1 - ramp) + np.array(bottom) * ramp).astype(np.uint8)
    image = np.ascontiguousarray(np.broadcast_to(column[:, None], (height, width, 3)))
    # One unit is the picture's height, (0, 0) its top-left corner.
    pen = Pen(image, Placement(0, 0, height))
    aspect = width / height
    (_room, _street, _meadow)[int(rng.integers(3))](pen, rng, aspect)
    if rng.random() < 0.25:
        _snow(pen, rng, aspect)
    if rng.random() < 0.3:
        haze = np.full_like(image, rng.uniform(90, 230))
        image = cv2.addWeighted(image, 0.7, haze, 0.3, 0)
    return image


def _room(pen: Pen, rng: np.random.Generator, aspect: float) -> None:
    floor = float(rng.uniform(0.66, 0.9))
    wood = _any(rng)
    if rng.random() < 0.5:
        stripe = mix(_pale(rng), (200, 200, 200), 0.5)
        step = float(rng.uniform(0.08, 0.25))
        for x in np.arange(0, aspect, step):
            pen.box(float(x), 0, float(x) + 0.4 * step, floor, stripe)
    pen.box(0, floor, aspect, 1.01, wood)
    pen.stroke([(0, floor), (aspect, floor)], darker(wood, 0.6), 0.02)
    for _ in range(int(rng.integers(0, 3))):
        x, y = float(rng.uniform(-0.2, aspect)), float(rng.uniform(0.02, 0.25))
        w, h = rng.uniform(0.25, 0.55, 2).tolist()
        pen.box(x, y, x + w, y + h, darker(_pale(rng), 0.95))
        pen.stroke([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], _any(rng), 0.03, closed=True)
        pen.stroke([(x + w / 2, y), (x + w / 2, y + h)], _any(rng), 0.015)
    if rng.random() < 0.6:
        x, w = float(rng.uniform(0, aspect)), float(rng.uniform(0.3, 0.8))
        h = float(rng.uniform(0.15, 0.4))
        pen.box(x, floor + 0.05 - h, x + w, floor + 0.05, _any(rng))
    if rng.random() < 0.4:
        x = float(rng.uniform(0, aspect))
        pen.ellipse(x, (1 + floor) / 2, 0.5, (1 - floor) * 0.35, _any(rng))


def _street(pen: Pen, rng: np.random.Generator, aspect: float) -> None:
    ground = float(rng.uniform(0.7, 0.88))
    x = -0.1
    while x < aspect:
        wide, high = rng.uniform(0.25, 0.5), rng.uniform(0.25, ground)
        wall = _any(rng)
        pen.box(x, ground - high, x + wide, ground, wall)
        light = mix(_pale(rng), wall, 0.3)
        for row in np.arange(ground - high + 0.06, ground - 0.12, 0.14):
            for column in np.arange(x + 0.05, x + wide - 0.07, 0.12):
                pen.box(float(column), float(row), float(column) + 0.05, float(row) + 0.07, light)
        x += wide + rng.uniform(0, 0.08)
    pen.box(0, ground, aspect, 1.01, mix(_any(rng), (110, 110, 110), 0.7))


def _meadow(pen: Pen, rng: np.random.Generator, aspect: float) -> None:
    for k in range(3):
        horizon = 0.5 + 0.13 * k
        peak = float(rng.uniform(-0.15, 0.05))
        hill = bow(
            (-0.1, horizon),
            (float(rng.uniform(0, aspect)), horizon + peak),
            (aspect + 0.1, horizon),
        )
        shade = mix(_any(rng), (80, 150, 100), 0.6)
        pen.fill(np.concatenate([hill, [(aspect + 0.1, 1.01), (-0.1, 1.01)]]), shade)
    for _ in range(int(rng.integers(1, 6))):
        x, y = float(rng.uniform(0, aspect)), float(rng.uniform(0.5, 0.85))
        size = float(rng.uniform(0.06, 0.16))
        pen.stroke([(x, y), (x, y - 1.4 * size)], (50, 75, 100), 0.25 * size)
        leaf = mix(_any(rng), (60, 130, 70), 0.6)
        if rng.random() < 0.5:
            pen.disc(x, y - 2 * size, size, leaf)
        else:
            pen.fill([(x - size, y - size), (x, y - 3.2 * size), (x + size, y - size)], leaf)


def _snow(pen: Pen, rng: np.random.Generator, aspect: float) -> None:
    for x, y, r in rng.random((40, 3)) * (aspect, 1, 0.008):
        pen.disc(x, y, r + 0.003, (240, 240, 240))


def _pale(rng: np.random.Generator) -> Colour:
    b, g, r = rng.uniform(110, 245, 3)
    return float(b), float(g), float(r)


def _any(rng: np.random.Generator) -> Colour:
    b, g, r = rng.uniform(30, 220, 3)
    return float(b), float(g), float(r)
