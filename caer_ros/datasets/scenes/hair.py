"""Hair and ears: what frames the face and stays put whatever the face does."""

from __future__ import annotations

import numpy as np

from caer_ros.datasets.scenes.face import outline
from caer_ros.datasets.scenes.identity import Identity
from caer_ros.datasets.scenes.pen import Pen, darker, oval


def draw_back(pen: Pen, who: Identity) -> None:
    """Ears, and hair that hangs behind the face."""
    w = who.face_width
    if who.style == "long":
        pen.fill(
            [
                (-w * 1.2, -0.5),
                (-w * 0.8, -1.15),
                (w * 0.8, -1.15),
                (w * 1.2, -0.5),
                (w * 1.35, 1.35),
                (w * 0.6, 1.5),
                (-w * 0.6, 1.5),
                (-w * 1.35, 1.35),
            ],
            darker(who.hair, 0.8),
        )
    elif who.style == "bob":
        pen.ellipse(0, -0.1, w * 1.32, 1.05, darker(who.hair, 0.8))
    elif who.style == "curly":
        for angle in np.linspace(-200, 20, 12):
            a = np.radians(angle)
            pen.disc(w * 1.08 * np.cos(a), -0.3 + 0.85 * np.sin(a), 0.3, who.hair)
    elif who.style == "bun":
        pen.disc(0.0, -1.15, 0.3, darker(who.hair, 0.85))
    for side in (-1.0, 1.0):
        pen.ellipse(side * w * 0.99, 0.02, who.ears * 0.7, who.ears * 1.2, darker(who.skin, 0.86))


def draw_front(pen: Pen, who: Identity) -> None:
    """Hair over the forehead; bald heads keep a trace at the sides."""
    if who.style == "bald":
        return
    low = {"fringe": -0.62, "side": -0.74, "bob": -0.68}.get(who.style, -0.78)
    edge = outline(who)
    top = edge[edge[:, 1] < low + 0.12]
    order = np.argsort(top[:, 0])
    crown = top[order] * (1.09, 1.09) + (0, -0.02)
    lean = 0.16 if who.style == "side" else 0.0
    x = crown[-1, 0] * 0.92
    hairline = np.array(
        [
            (x, low + 0.2),
            (x * 0.72, low + 0.02),
            (lean, low - 0.02 - lean * 0.5),
            (-x * 0.72, low + 0.02 + lean * 0.4),
            (-x, low + 0.2),
        ]
    )
    pen.fill(np.concatenate([crown, hairline]), who.hair)
    if who.style == "spiky":
        for k in range(-3, 4):
            base = 0.2 * k * who.face_width * 1.3
            y = -0.98 + 0.035 * k * k
            pen.fill(
                [(base - 0.13, y + 0.1), (base + 0.06 * k, y - 0.28), (base + 0.13, y + 0.1)],
                who.hair,
            )
    elif who.style == "curly":
        for k in range(-2, 3):
            pen.disc(0.24 * k * who.face_width * 1.2, -0.92 + 0.03 * k * k, 0.19, who.hair)
    else:
        shine = darker(who.hair, 1.25)
        pen.stroke(oval(0, 0, who.face_width * 0.9, 1.0)[17:22], shine, 0.04)
