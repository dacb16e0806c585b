"""Draws a mouth: two lip edges between its corners, teeth and tongue in what they leave open."""

from __future__ import annotations

import numpy as np

from caer_ros.datasets.scenes.identity import Identity
from caer_ros.datasets.scenes.pen import Pen, darker, mix

_S = np.linspace(-1.0, 1.0, 13)
_MIDDLE = 0.56


def draw_mouth(pen: Pen, who: Identity, moved: dict[str, float], dx: float, dy: float) -> None:
    """The mouth of a face with these movements (see MOVEMENTS), shifted by (dx, dy) units."""
    half = 0.33 * who.mouth_size * (1 + 0.38 * moved["width"])
    gap = 0.4 * moved["open"] + 0.09 * moved["teeth"]
    corner = moved["corner"]
    ends = _MIDDLE - 0.13 * corner - 0.03 * moved["lower_lip"] + dy
    # A smile hangs between its corners, a sad mouth bows up over them.
    middle = _MIDDLE + 0.07 * corner + dy - 0.06 * moved["lower_lip"]
    top = middle - (0.5 - 0.15 * max(corner, 0.0)) * gap - 0.05 * moved["upper_lip"]
    bottom = top + gap + 0.05 * moved["upper_lip"]
    upper = _edge(half, ends, top, moved["open"], dx)
    lower = _edge(half, ends, bottom, moved["open"], dx)
    # A raised upper lip bares the teeth at the sides, as in disgust.
    sneer = 0.07 * moved["upper_lip"] * np.exp(-(((np.abs(_S) - 0.55) / 0.25) ** 2))
    upper[:, 1] -= sneer
    opening = np.concatenate([upper, lower[::-1]])
    pen.fill(opening, (38, 26, 70))
    _teeth(pen, upper, lower, moved["teeth"])
    if moved["tongue"] > 0.02:
        size = moved["tongue"]
        pen.ellipse(
            dx, bottom + 0.05 * size, 0.17 * size * who.mouth_size, 0.14 * size, (110, 100, 225)
        )
        pen.stroke([(dx, bottom), (dx, bottom + 0.12 * size)], (80, 70, 190), 0.02)
    pen.stroke(upper, darker(who.lips, 0.8), 0.045)
    pen.stroke(lower, who.lips, 0.05 + 0.05 * moved["lower_lip"])
    shade = mix(who.skin, darker(who.skin, 0.6), 0.35 + 0.5 * moved["lower_lip"])
    y = float(lower[6, 1]) + 0.1
    pen.stroke([(dx - 0.1, y + 0.01), (dx, y - 0.01), (dx + 0.1, y + 0.01)], shade, 0.025)


def _edge(half: float, ends: float, middle: float, opened: float, dx: float) -> np.ndarray:
    """A lip's edge, float64 [13, 2]: a parabola, rounder the further the jaw is open."""
    bend = (1 - _S**2) ** (1 - 0.5 * opened)
    return np.stack([half * _S + dx, ends + (middle - ends) * bend], axis=1)


def _teeth(pen: Pen, upper: np.ndarray, lower: np.ndarray, amount: float) -> None:
    if amount < 0.02:
        return
    share = 0.95 * amount
    edge = upper + (lower - upper) * share
    inner = slice(1, -1)
    pen.fill(np.concatenate([upper[inner], edge[inner][::-1]]), (232, 240, 242))
    for k in (3, 5, 7, 9):
        pen.stroke([upper[k], edge[k]], (165, 172, 178), 0.012)
    # Lower teeth meet the upper ones only where they are all bared.
    seam = upper + (lower - upper) * 0.5
    pen.stroke(seam[2:-2], mix((232, 240, 242), (120, 125, 130), max(amount - 0.85, 0) * 6), 0.015)
