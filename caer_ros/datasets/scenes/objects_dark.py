"""Drawings of things that go with Anger, Disgust, Fear and Sad; each fills [-1, 1] x [-1, 1].

Every function takes the pen, a generator for small variations and a free colour.
"""

from __future__ import annotations

import numpy as np

from caer_ros.datasets.scenes.pen import Colour, Pen, bow, darker, mix

_INK: Colour = (30, 26, 26)
_WHITE: Colour = (240, 242, 244)
_SLIME: Colour = (60, 175, 120)


def broken_vase(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A vase smashed on the floor, its shards and flowers about."""
    pen.ellipse(0.05, 0.85, 0.95, 0.13, (200, 165, 120))
    pen.fill(
        [
            (-0.5, 0.85),
            (-0.62, 0.4),
            (-0.55, 0.0),
            (-0.38, 0.22),
            (-0.2, -0.18),
            (-0.05, 0.2),
            (0.12, -0.08),
            (0.22, 0.3),
            (0.36, 0.1),
            (0.4, 0.45),
            (0.25, 0.85),
        ],
        colour,
    )
    pen.stroke([(-0.58, 0.45), (0.38, 0.45)], _WHITE, 0.08)
    pen.stroke([(-0.2, -0.18), (-0.12, 0.25), (-0.28, 0.55), (-0.15, 0.85)], _INK, 0.04)
    shards = (
        (-0.8, -0.1, 0.4),
        (-0.35, -0.72, 1.3),
        (0.3, -0.6, 2.2),
        (0.72, -0.15, 0.1),
        (0.72, 0.62, 3.0),
        (-0.85, 0.7, 4.0),
    )
    for x, y, turn in shards:
        angles = turn + np.array([0.0, 2.3, 4.0])
        shard = np.stack([x + 0.2 * np.cos(angles), y + 0.2 * np.sin(angles)], axis=1)
        pen.fill(shard, darker(colour, 0.85))
        pen.stroke(shard, _WHITE, 0.025, closed=True)
    pen.stroke([(0.3, 0.75), (0.9, 0.35)], (50, 130, 50), 0.06)
    pen.disc(0.88, 0.36, 0.1, (70, 60, 220))


def flame(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A blaze."""
    outer = np.array(
        [
            (0, 0.98),
            (-0.6, 0.85),
            (-0.85, 0.4),
            (-0.7, -0.15),
            (-0.5, 0.15),
            (-0.42, -0.5),
            (-0.1, -0.98),
            (0.05, -0.45),
            (0.3, -0.72),
            (0.45, -0.1),
            (0.68, -0.3),
            (0.85, 0.35),
            (0.6, 0.85),
        ]
    )
    pen.fill(outer, (30, 45, 225))
    pen.fill(outer * (0.72, 0.68) + (0, 0.27), (30, 130, 250))
    pen.fill(outer * (0.42, 0.4) + (0, 0.55), (90, 225, 255))


def bomb(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A round bomb with a burning fuse."""
    pen.disc(-0.12, 0.27, 0.7, _INK)
    pen.ellipse(-0.38, 0.0, 0.12, 0.2, (130, 130, 135), 40)
    pen.fill([(0.2, -0.45), (0.48, -0.2), (0.34, -0.04), (0.06, -0.32)], (60, 58, 58))
    pen.stroke(bow((0.36, -0.32), (0.42, -0.6), (0.66, -0.66)), (110, 160, 190), 0.08)
    for k in range(9):
        angle = 2 * np.pi * k / 9
        end = (0.68 + 0.27 * np.cos(angle), -0.69 + 0.27 * np.sin(angle))
        pen.stroke([(0.68, -0.69), end], (30, 120, 250) if k % 2 else (90, 225, 255), 0.07)


def bin_of_rubbish(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """An overflowing bin with stench and flies."""
    metal = mix((125, 125, 120), colour, 0.25)
    pen.ellipse(-0.1, -0.02, 0.62, 0.22, (50, 80, 70))
    pen.disc(-0.35, -0.12, 0.2, (60, 120, 110))
    pen.fill([(0.0, -0.02), (0.2, -0.42), (0.42, -0.3), (0.3, 0.02)], (70, 150, 190))
    pen.fill([(-0.66, 0.02), (0.6, 0.02), (0.46, 0.98), (-0.52, 0.98)], metal)
    for k in range(4):
        x = -0.42 + 0.27 * k
        pen.stroke([(x, 0.15), (x * 0.85, 0.9)], darker(metal, 0.65), 0.05)
    pen.box(-0.72, -0.03, 0.66, 0.1, darker(metal, 0.8))
    pen.fill(bow((-0.25, 0.1), (-0.13, 0.6), (0.02, 0.1)), _SLIME)
    _stench(pen, (-0.5, -0.1, 0.35), -0.3)
    _flies(pen, rng, 4)


def rotten_apple(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A bitten apple with brown spots, a worm and flies."""
    flesh = mix((60, 110, 120), colour, 0.15)
    pen.ellipse(-0.25, 0.35, 0.48, 0.58, flesh)
    pen.ellipse(0.22, 0.35, 0.48, 0.58, flesh)
    pen.disc(0.72, 0.18, 0.26, (150, 205, 210))
    for x, y, r in ((-0.42, 0.2, 0.15), (-0.1, 0.65, 0.19), (0.25, 0.1, 0.1)):
        pen.disc(x, y, r, (30, 50, 75))
    pen.disc(-0.13, 0.6, 0.08, (140, 160, 150))
    pen.stroke([(0, -0.1), (0.06, -0.4)], (30, 55, 80), 0.09)
    worm = np.stack([np.linspace(0.0, 0.75, 9), -0.02 + 0.12 * np.sin(np.arange(9) * 1.2)], axis=1)
    pen.stroke(worm, (120, 215, 165), 0.16)
    pen.disc(0.76, -0.04, 0.11, (130, 225, 175))
    pen.disc(0.8, -0.06, 0.03, _INK)
    _flies(pen, rng, 5)


def slime(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A puddle of green slime, dripping and bubbling."""
    green = mix(_SLIME, colour, 0.15)
    pen.ellipse(0, 0.68, 0.98, 0.28, darker(green, 0.8))
    hump = [
        (-0.9, 0.66),
        (-0.62, 0.2),
        (-0.45, -0.15),
        (-0.25, 0.12),
        (-0.05, -0.45),
        (0.2, 0.02),
        (0.4, -0.2),
        (0.62, 0.25),
        (0.9, 0.66),
        (0, 0.85),
    ]
    pen.fill(hump, green)
    for x, y, r in ((-0.45, 0.5, 0.15), (0.12, 0.35, 0.2), (0.52, 0.58, 0.12), (-0.1, 0.72, 0.09)):
        pen.disc(x, y, r, darker(green, 1.25))
        pen.disc(x - 0.3 * r, y - 0.3 * r, 0.3 * r, (220, 250, 235))
    pen.disc(-0.42, -0.36, 0.09, green)
    _stench(pen, (-0.55, 0.05, 0.6), -0.5)


def spider(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A spider that hangs from a thread."""
    pen.stroke([(0, -1.0), (0, -0.2)], (200, 200, 200), 0.03)
    for side in (-1.0, 1.0):
        for k, (high, far) in enumerate(((-0.55, -0.2), (-0.25, 0.15), (0.1, 0.5), (0.4, 0.9))):
            knee = (side * (0.62 + 0.05 * k), high)
            pen.stroke([(side * 0.2, 0.0 + 0.08 * k), knee, (side * 0.95, far)], _INK, 0.08)
    pen.ellipse(0, 0.42, 0.38, 0.46, _INK)
    pen.disc(0, -0.05, 0.25, (45, 40, 40))
    pen.fill([(-0.13, 0.28), (0.13, 0.28), (-0.13, 0.62), (0.13, 0.62)], (40, 40, 220))
    for side in (-0.1, 0.1):
        pen.disc(side, -0.1, 0.07, (40, 40, 235))


def ghost(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A ghost with hollow eyes."""
    sheet = mix((245, 240, 236), colour, 0.06)
    hem = [
        (0.72, 0.95),
        (0.48, 0.7),
        (0.24, 0.97),
        (0, 0.72),
        (-0.24, 0.97),
        (-0.48, 0.7),
        (-0.72, 0.95),
    ]
    arch = bow((-0.72, 0.0), (0, -0.97), (0.72, 0.0))
    arch[:, 0] *= 1.0 + 0.25 * np.sin(np.linspace(0, np.pi, 9))
    pen.fill(np.concatenate([arch, hem]), sheet)
    pen.stroke(np.concatenate([arch, hem]), (120, 105, 100), 0.035, closed=True)
    pen.ellipse(-0.25, -0.25, 0.13, 0.2, _INK)
    pen.ellipse(0.25, -0.25, 0.13, 0.2, _INK)
    pen.ellipse(0, 0.25, 0.15, 0.23, _INK)
    for side in (-1.0, 1.0):
        pen.ellipse(side * 0.82, 0.15, 0.17, 0.12, sheet, side * -35)


def skull(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A skull over crossed bones."""
    bone = mix((215, 228, 232), colour, 0.08)
    for side in (-1.0, 1.0):
        pen.stroke([(-0.8 * side, 0.3), (0.8 * side, 0.9)], bone, 0.16)
        for x, y in ((-0.82, 0.25), (0.82, 0.95)):
            pen.disc(side * x * 1.02, y - 0.06, 0.11, bone)
    pen.ellipse(0, -0.28, 0.68, 0.66, bone)
    pen.box(-0.36, 0.15, 0.36, 0.62, bone)
    for side in (-0.28, 0.28):
        pen.ellipse(side, -0.15, 0.19, 0.21, _INK)
    pen.fill([(0, 0.05), (-0.1, 0.25), (0.1, 0.25)], _INK)
    for x in (-0.2, 0.0, 0.2):
        pen.stroke([(x, 0.38), (x, 0.6)], _INK, 0.05)


def gravestone(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A gravestone with a cross, in the grass."""
    stone = mix((140, 138, 135), colour, 0.1)
    arch = bow((-0.58, -0.35), (0, -0.98), (0.58, -0.35))
    pen.fill(np.concatenate([arch, [(0.58, 0.8), (-0.58, 0.8)]]), darker(stone, 0.7))
    pen.fill(np.concatenate([arch, [(0.58, 0.8), (-0.58, 0.8)]]) * 0.9 + (-0.03, 0.02), stone)
    pen.stroke([(0, -0.65), (0, 0.05)], (60, 58, 58), 0.1)
    pen.stroke([(-0.24, -0.4), (0.24, -0.4)], (60, 58, 58), 0.1)
    for y in (0.22, 0.4):
        pen.stroke([(-0.32, y), (0.32, y)], (85, 82, 82), 0.05)
    pen.ellipse(0, 0.86, 0.98, 0.12, (60, 110, 70))
    for k in range(-4, 5):
        x = 0.21 * k
        pen.stroke([(x, 0.88), (x + 0.05, 0.62)], (50, 130, 70), 0.05)


def rain_cloud(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A dark cloud with rain."""
    grey = mix((105, 95, 90), colour, 0.08)
    for k in range(7):
        x = -0.66 + 0.22 * k
        top = 0.15 + 0.06 * (k % 2)
        for row in (0.0, 0.36):
            y = top + row + 0.08 * (k % 3)
            pen.stroke([(x, y), (x - 0.08, y + 0.22)], (225, 150, 90), 0.06)
    for x, y, r in (
        (-0.55, -0.2, 0.38),
        (0.55, -0.2, 0.38),
        (-0.15, -0.5, 0.45),
        (0.3, -0.42, 0.38),
        (0, -0.15, 0.42),
    ):
        pen.disc(x, y, r, grey)


def broken_heart(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A heart broken in two."""
    red = mix((50, 40, 200), colour, 0.12)
    crack = np.array([(0.0, -0.45), (0.14, -0.15), (-0.12, 0.12), (0.1, 0.42), (0.0, 0.95)])
    lobe = np.array([(-0.18, -0.78), (-0.5, -0.9), (-0.82, -0.7), (-0.92, -0.3), (-0.7, 0.2)])
    left = np.concatenate([crack[::-1], lobe])
    pen.fill(np.add(left, (-0.06, 0)), red)
    right = np.concatenate([crack[::-1], lobe * (-1, 1)])
    pen.fill(np.add(right, (0.08, 0.04)), darker(red, 0.85))


def _stench(pen: Pen, places: tuple[float, ...], y: float) -> None:
    for x in places:
        curl = [(x, y), (x + 0.1, y - 0.15), (x - 0.06, y - 0.3), (x + 0.06, y - 0.45)]
        pen.stroke(curl, (70, 190, 150), 0.07)


def _flies(pen: Pen, rng: np.random.Generator, count: int) -> None:
    for _ in range(count):
        x, y = float(rng.uniform(-0.85, 0.85)), float(rng.uniform(-0.9, -0.35))
        pen.ellipse(x - 0.06, y - 0.06, 0.08, 0.05, (225, 225, 215), 40)
        pen.ellipse(x + 0.06, y - 0.06, 0.08, 0.05, (225, 225, 215), -40)
        pen.ellipse(x, y, 0.06, 0.08, _INK)
