"""Drawings of things that go with Happy, Surprise and Neutral; each fills [-1, 1] x [-1, 1].

Every function takes the pen, a generator for small variations and a free colour.
"""

from __future__ import annotations

import numpy as np

from caer_ros.datasets.scenes.pen import Colour, Pen, bow, darker, mix

_GOLD: Colour = (60, 190, 240)
_WHITE: Colour = (240, 242, 244)
_INK: Colour = (45, 40, 40)


def cake(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A birthday cake with three burning candles."""
    pen.ellipse(0, 0.82, 0.98, 0.17, (215, 215, 220))
    pen.box(-0.75, 0.1, 0.75, 0.75, mix(colour, (150, 200, 240), 0.5))
    pen.ellipse(0, 0.75, 0.75, 0.12, mix(colour, (150, 200, 240), 0.5))
    pen.ellipse(0, 0.1, 0.75, 0.15, _WHITE)
    for k in range(5):
        pen.ellipse(-0.6 + 0.3 * k, 0.2, 0.15, 0.17, _WHITE)
    pen.stroke([(-0.75, 0.52), (0.75, 0.52)], darker(colour, 0.8), 0.1)
    for x in (-0.4, 0.0, 0.4):
        pen.box(x - 0.06, -0.5, x + 0.06, 0.1, (200, 90, 220) if x else (220, 160, 60))
        pen.ellipse(x, -0.68, 0.1, 0.2, (40, 150, 250))
        pen.ellipse(x, -0.62, 0.05, 0.11, (120, 235, 255))


def balloons(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """Three balloons on strings."""
    places = ((-0.52, -0.25, colour), (0.5, -0.3, (70, 200, 240)), (0.0, -0.55, (80, 70, 235)))
    for x, y, shade in places:
        pen.stroke(bow((x, y + 0.4), (x * 0.3, 0.5), (0, 0.98)), (90, 90, 90), 0.03)
        pen.ellipse(x, y, 0.36, 0.43, shade)
        pen.fill([(x - 0.08, y + 0.5), (x, y + 0.4), (x + 0.08, y + 0.5)], darker(shade, 0.8))
        pen.ellipse(x - 0.13, y - 0.17, 0.07, 0.12, mix(shade, _WHITE, 0.7), 20)


def ice_cream(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A cone with three scoops and a cherry."""
    pen.fill([(-0.45, 0.0), (0.45, 0.0), (0, 1.0)], (90, 160, 215))
    for k in range(-2, 3):
        pen.stroke([(0.18 * k - 0.1, 0.02), (0.09 * k + 0.12, 0.55)], (60, 120, 180), 0.03)
    pen.disc(-0.3, -0.15, 0.36, mix(colour, _WHITE, 0.35))
    pen.disc(0.3, -0.15, 0.36, (190, 215, 250))
    pen.disc(0.0, -0.5, 0.36, (150, 130, 245))
    pen.disc(0.05, -0.84, 0.13, (40, 30, 215))


def gift(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """An opened gift box with its lid in the air and stars coming out."""
    ribbon = mix(_GOLD, darker(colour, 0.4), 0.2)
    pen.box(-0.75, 0.15, 0.75, 0.98, colour)
    pen.box(-0.15, 0.15, 0.15, 0.98, ribbon)
    pen.fill([(-0.75, 0.15), (-0.55, -0.05), (0.55, -0.05), (0.75, 0.15)], darker(colour, 0.35))
    for x, y, r in ((-0.45, -0.12, 0.17), (0.15, -0.15, 0.2), (0.55, -0.02, 0.12)):
        _star(pen, x, y, r, (80, 220, 255))
    lid = np.array([(-0.85, -0.42), (0.75, -0.75), (0.8, -0.5), (-0.8, -0.17)])
    pen.fill(lid, darker(colour, 0.85))
    pen.stroke([(-0.02, -0.6), (0.03, -0.34)], ribbon, 0.2)
    pen.ellipse(-0.25, -0.75, 0.22, 0.12, ribbon, 25, 0.1)
    pen.ellipse(0.18, -0.84, 0.22, 0.12, ribbon, -40, 0.1)


def firework(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A burst of rays with glowing ends."""
    inner = mix(colour, (90, 230, 255), 0.5)
    for k in range(14):
        angle = 2 * np.pi * k / 14 + 0.1
        x, y = np.cos(angle), np.sin(angle)
        far = 0.92 if k % 2 else 0.68
        shade = (80, 220, 255) if k % 2 else mix(colour, (250, 120, 250), 0.5)
        pen.stroke([(0.2 * x, 0.2 * y), (far * x, far * y)], shade, 0.07)
        pen.disc(far * x, far * y, 0.09, inner)
    _star(pen, 0, 0, 0.25, (220, 250, 255))


def exclamation(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A jagged speech bubble with an exclamation mark."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    far = np.where(np.arange(24) % 2, 0.72, 0.98)[:, None]
    burst = far * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pen.fill(burst, (90, 225, 255))
    pen.stroke(burst, mix(_INK, colour, 0.2), 0.06, closed=True)
    pen.fill([(-0.15, -0.6), (0.15, -0.6), (0.07, 0.18), (-0.07, 0.18)], (40, 40, 210))
    pen.disc(0, 0.42, 0.12, (40, 40, 210))


def mug(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A steaming mug."""
    pen.ellipse(0.55, 0.3, 0.3, 0.32, darker(colour, 0.8), 0, 0.13)
    pen.fill([(-0.7, -0.15), (0.5, -0.15), (0.42, 0.9), (-0.62, 0.9)], colour)
    pen.ellipse(-0.1, -0.15, 0.6, 0.14, mix(colour, _WHITE, 0.5))
    pen.ellipse(-0.1, -0.14, 0.5, 0.1, (30, 50, 80))
    for x in (-0.35, 0.1):
        curl = [(x, -0.4), (x + 0.1, -0.56), (x - 0.06, -0.72), (x + 0.06, -0.92)]
        pen.stroke(curl, (225, 225, 225), 0.07)


def clock(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A round wall clock."""
    pen.disc(0, 0, 0.97, mix(colour, _INK, 0.4))
    pen.disc(0, 0, 0.82, _WHITE)
    for k in range(12):
        angle = np.pi * k / 6
        x, y = float(np.cos(angle)), float(np.sin(angle))
        pen.stroke([(0.64 * x, 0.64 * y), (0.76 * x, 0.76 * y)], _INK, 0.05)
    hour, minute = rng.uniform(0, 2 * np.pi, 2)
    pen.stroke([(0, 0), (0.4 * np.cos(hour), 0.4 * np.sin(hour))], _INK, 0.1)
    pen.stroke([(0, 0), (0.6 * np.cos(minute), 0.6 * np.sin(minute))], _INK, 0.06)
    pen.disc(0, 0, 0.08, _INK)


def laptop(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """An open laptop with text on it."""
    pen.box(-0.75, -0.7, 0.75, 0.35, (70, 70, 75))
    pen.box(-0.66, -0.62, 0.66, 0.27, (235, 225, 215))
    for row in range(5):
        far = float(rng.uniform(0.0, 0.5))
        pen.stroke([(-0.55, -0.48 + 0.16 * row), (far, -0.48 + 0.16 * row)], (150, 140, 130), 0.05)
    pen.fill([(-0.75, 0.38), (0.75, 0.38), (0.98, 0.72), (-0.98, 0.72)], (165, 165, 170))
    pen.fill([(-0.62, 0.42), (0.62, 0.42), (0.72, 0.57), (-0.72, 0.57)], (95, 95, 100))
    pen.box(-0.2, 0.6, 0.2, 0.68, mix(colour, (140, 140, 145), 0.7))


def _star(pen: Pen, x: float, y: float, r: float, colour: Colour) -> None:
    angles = np.linspace(-np.pi / 2, 1.5 * np.pi, 10, endpoint=False)
    far = np.where(np.arange(10) % 2, 0.42 * r, r)[:, None]
    pen.fill(far * np.stack([np.cos(angles), np.sin(angles)], axis=1) + (x, y), colour)
