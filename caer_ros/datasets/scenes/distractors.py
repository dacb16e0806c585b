"""Drawings of things that go with no emotion; each fills [-1, 1] x [-1, 1]."""

from __future__ import annotations

import numpy as np

from caer_ros.datasets.scenes.pen import Colour, Pen, bow, darker, mix

_WOOD: Colour = (60, 100, 150)


def plant(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A potted plant."""
    for k in range(7):
        angle = np.radians(-90 + 24 * (k - 3))
        tip = (0.85 * np.cos(angle), 0.2 + 1.15 * np.sin(angle))
        pen.stroke(bow((0, 0.3), (tip[0] * 0.4, tip[1] * 0.6), tip), (60, 120 + 8 * k, 60), 0.16)
    pen.fill(
        [(-0.45, 0.3), (0.45, 0.3), (0.33, 0.98), (-0.33, 0.98)], mix(colour, (70, 100, 180), 0.5)
    )


def picture(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A framed landscape."""
    pen.box(-0.95, -0.7, 0.95, 0.7, _WOOD)
    pen.box(-0.82, -0.57, 0.82, 0.57, mix(colour, (235, 220, 200), 0.6))
    pen.fill(
        [(-0.82, 0.57), (-0.3, -0.1), (0.1, 0.3), (0.45, -0.05), (0.82, 0.57)], darker(colour, 0.6)
    )


def ball(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A striped ball."""
    pen.disc(0, 0, 0.95, colour)
    pen.stroke(bow((-0.9, -0.2), (0, 0.25), (0.9, -0.2)), (235, 235, 235), 0.2)
    pen.ellipse(-0.35, -0.5, 0.2, 0.12, mix(colour, (255, 255, 255), 0.5), -30)


def lamp(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A standard lamp."""
    pen.stroke([(0, -0.2), (0, 0.9)], (70, 70, 75), 0.1)
    pen.ellipse(0, 0.9, 0.42, 0.1, (60, 60, 65))
    pen.fill(
        [(-0.35, -0.95), (0.35, -0.95), (0.65, -0.15), (-0.65, -0.15)],
        mix(colour, (200, 235, 250), 0.4),
    )


def chair(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A chair."""
    for x in (-0.5, 0.5):
        pen.stroke([(x, -0.9), (x, 0.95)], darker(colour, 0.6), 0.13)
    pen.box(-0.5, -0.85, 0.5, -0.3, colour)
    pen.fill([(-0.55, 0.15), (0.55, 0.15), (0.75, 0.4), (-0.75, 0.4)], darker(colour, 0.85))


def bottle(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A bottle."""
    pen.box(-0.14, -0.95, 0.14, -0.4, colour)
    pen.fill(
        [(-0.14, -0.5), (0.14, -0.5), (0.4, -0.1), (0.4, 0.95), (-0.4, 0.95), (-0.4, -0.1)], colour
    )
    pen.box(-0.4, 0.2, 0.4, 0.6, (225, 230, 232))


def shelf(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A shelf of books."""
    pen.box(-0.95, 0.5, 0.95, 0.66, _WOOD)
    x = -0.85
    while x < 0.7:
        wide, high = float(rng.uniform(0.12, 0.25)), float(rng.uniform(0.6, 1.1))
        shade = mix(colour, (60, 60, 60), float(rng.random()))
        pen.box(x, 0.5 - high, x + wide, 0.5, shade)
        x += wide + 0.02


def carton(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A closed carton."""
    side = mix((110, 160, 200), colour, 0.25)
    pen.box(-0.8, -0.3, 0.8, 0.9, side)
    pen.fill([(-0.8, -0.3), (-0.5, -0.65), (0.95, -0.65), (0.8, -0.3)], darker(side, 0.8))
    pen.stroke([(0, -0.3), (0, 0.9)], darker(side, 0.7), 0.12)
