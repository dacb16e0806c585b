"""Draws a head: outline and hair never move, everything that the emotion moves lies inside.

Unit: half the face's height; (0, 0) is the middle of the face, y down. Because the outline does not
depend on the expression, neither does the face's box: a black rectangle over the face, as the
context stream sees it, gives nothing away.
"""

from __future__ import annotations

import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.scenes.facs import MOVEMENTS
from caer_ros.datasets.scenes.identity import Identity
from caer_ros.datasets.scenes.mouth import draw_mouth
from caer_ros.datasets.scenes.pen import Pen, Placement, bow, darker, mix, oval

_TURN = np.linspace(0, 2 * np.pi, 40, endpoint=False)
# What a head with its hair may cover, in units.
HEAD_REACH = (-1.45, -1.5, 1.45, 1.6)


def outline(who: Identity) -> np.ndarray:
    """Edge of the face, float64 [40, 2]: an egg whose chin narrows with `who.jaw`."""
    x, y = who.face_width * np.sin(_TURN), -np.cos(_TURN)
    x = x * (1 - who.jaw * np.clip(y, 0, 1) ** 2)
    return np.stack([x, y], axis=1)


def face_box(who: Identity, placement: Placement) -> Box:
    """Exact box of the face's edge in pixels of the picture."""
    points = placement.apply(outline(who))
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return Box(float(x1), float(y1), float(x2), float(y2))


def draw_face(pen: Pen, who: Identity, face: np.ndarray, turn: tuple[float, float]) -> None:
    """Skin and features, without hair.

    Args:
        face: movements in the order of MOVEMENTS.
        turn: where the person looks, each about -1 to 1: features shift right and down by it.
    """
    moved = dict(zip(MOVEMENTS, face.tolist(), strict=True))
    _skin(pen, who)
    dx, dy = 0.09 * turn[0], 0.06 * turn[1]
    _creases(pen, who, moved, dx, dy)
    for side in (-1.0, 1.0):
        _cheek(pen, who, moved, side, dx, dy)
        _eye(pen, who, moved, side, dx, dy)
        _brow(pen, who, moved, side, dx, dy)
    _nose(pen, who, moved, dx * 1.5, dy)
    draw_mouth(pen, who, moved, dx, dy)
    if who.glasses:
        _glasses(pen, who, dx, dy)


def _skin(pen: Pen, who: Identity) -> None:
    edge = outline(who)
    pen.fill(edge, darker(who.skin, 0.84))
    pen.fill(edge * 0.93 + (-0.03, -0.03), who.skin)
    if who.beard:
        chin = edge[edge[:, 1] > 0.1] * (0.985, 0.985)
        order = np.argsort(np.arctan2(chin[:, 0], -chin[:, 1]) % (2 * np.pi))
        top = [(-0.35, 0.3), (0.0, 0.36), (0.35, 0.3)]
        pen.fill(np.concatenate([chin[order], top]), mix(who.skin, who.hair, who.beard))


def _cheek(
    pen: Pen, who: Identity, moved: dict[str, float], side: float, dx: float, dy: float
) -> None:
    up = moved["cheek"]
    colour = mix(who.skin, (90, 80, 235), 0.08 + 0.22 * max(up, 0.0))
    if not who.beard:
        pen.ellipse(side * 0.43 + dx, 0.25 - 0.08 * up + dy, 0.15 + 0.03 * up, 0.1, colour)


def _eye(
    pen: Pen, who: Identity, moved: dict[str, float], side: float, dx: float, dy: float
) -> None:
    x, y = side * who.eye_gap + dx, -0.14 + dy
    rx, ry = 0.185 * who.eye_size, 0.175 * who.eye_size
    pen.ellipse(x, y, rx, ry, (240, 243, 245))
    pen.disc(x + dx * 0.5, y + dy * 0.5, ry * 0.62, who.iris)
    pen.disc(x + dx * 0.5, y + dy * 0.5, ry * 0.32, (18, 18, 18))
    pen.disc(x + dx * 0.5 + 0.03, y - 0.04, ry * 0.13, (250, 250, 250))
    # The lids: skin over the open eye from above and from below, down and up to a curve.
    upper = -0.52 + 0.7 * max(-moved["lid"], 0.0) - 0.5 * max(moved["lid"], 0.0)
    upper = min(upper + 0.2 * moved["squint"], 0.3)
    lower = max(0.85 - 0.6 * moved["squint"] - 0.25 * moved["cheek"], upper + 0.3)
    # Drooping lids hang at the outer end, as under raised inner brows.
    slant = side * 0.35 * max(moved["brow_inner"] - moved["brow_outer"], 0.0)
    lid = _lid_edge(x, y, rx, ry, upper, slant)
    skin = darker(who.skin, 0.94)
    _cover(pen, lid, y - ry * 1.12, x, rx, skin)
    _cover(pen, _lid_edge(x, y, rx, ry, lower, 0.0), y + ry * 1.12, x, rx, who.skin)
    pen.stroke(lid, mix(darker(who.skin, 0.35), (15, 12, 12), 0.5), 0.035)


def _lid_edge(x: float, y: float, rx: float, ry: float, height: float, slant: float) -> np.ndarray:
    """The lid's edge; `height` from -1 (top of the eye) to 1 (bottom), its ends at the corners."""
    s = np.linspace(-1.0, 1.0, 9)
    # Wide eyes are round: the edge follows the eyeball's outline near the corners.
    bend = height * (1 - s**2) ** 0.7
    return np.stack([x + rx * s, y + ry * (bend + slant * s * 0.5)], axis=1)


def _cover(
    pen: Pen, edge: np.ndarray, far: float, x: float, rx: float, colour: tuple[float, float, float]
) -> None:
    reach = rx * 1.06
    middle = edge[:, 1].mean()
    ends = [(x + reach, edge[-1, 1]), (x + reach * 0.8, (middle + 3 * far) / 4), (x, far)]
    ends += [(x - reach * 0.8, (middle + 3 * far) / 4), (x - reach, edge[0, 1])]
    pen.fill(np.concatenate([edge, ends]), colour)


def _brow(
    pen: Pen, who: Identity, moved: dict[str, float], side: float, dx: float, dy: float
) -> None:
    inner, outer = moved["brow_inner"], moved["brow_outer"]
    base = -0.42 + dy
    start = (side * (0.13 - 0.05 * moved["furrow"]) + dx, base - 0.15 * inner + 0.03)
    top = (side * 0.34 + dx, base - 0.075 * (inner + outer) - 0.035 + 0.03 * moved["furrow"])
    end = (side * 0.57 + dx, base - 0.15 * outer + 0.05)
    colour = mix(darker(who.hair, 0.7), (20, 20, 25), 0.35)
    pen.stroke(bow(start, top, end), colour, who.brow_thick)


def _nose(pen: Pen, who: Identity, moved: dict[str, float], dx: float, dy: float) -> None:
    size, up = who.nose_size, 0.05 * moved["nose"]
    dark = darker(who.skin, 0.72)
    half = 0.105 * size * (1 + 0.3 * moved["nose"])
    tip = 0.22 + dy - up
    pen.stroke(
        bow((dx * 0.4 + 0.03, -0.12 + dy), (dx + 0.09, 0.1 + dy), (dx + 0.06, tip)), dark, 0.03
    )
    pen.stroke(bow((dx - half, tip), (dx, tip + 0.07), (dx + half, tip)), dark, 0.04)
    for side in (-1.0, 1.0):
        pen.disc(dx + side * half * 0.55, tip + 0.02, 0.025, darker(who.skin, 0.5))


def _creases(pen: Pen, who: Identity, moved: dict[str, float], dx: float, dy: float) -> None:
    """Lines that come out of the skin as the muscles under them work."""
    dark = darker(who.skin, 0.5)

    def line(points: np.ndarray, amount: float, width: float = 0.03) -> None:
        if amount > 0.02:
            pen.stroke(points, mix(who.skin, dark, min(amount, 1.0)), width)

    raised = max(moved["brow_inner"], 0.0) * 0.5 + max(moved["brow_outer"], 0.0) * 0.5
    for row in (0, 1):
        y = -0.66 - 0.09 * row + dy
        line(bow((-0.3 + dx, y), (dx, y - 0.03), (0.3 + dx, y)), raised * 0.7, 0.02)
    for side in (-1.0, 1.0):
        x = side * 0.05 + dx
        line(bow((x, -0.5 + dy), (x * 0.8, -0.42 + dy), (x, -0.34 + dy)), moved["furrow"] * 0.9)
        fold = max(moved["cheek"] * 0.7, moved["nose"], moved["upper_lip"] * 0.8)
        line(
            bow(
                (side * 0.17 + dx, 0.18 + dy),
                (side * 0.36 + dx, 0.3 + dy),
                (side * 0.4 + dx, 0.5 + dy),
            ),
            fold * 0.9,
        )
    for row in range(3):
        y = -0.2 + 0.085 * row + dy
        line(bow((-0.1 + dx, y + 0.02), (dx, y - 0.03), (0.1 + dx, y + 0.02)), moved["nose"])


def _glasses(pen: Pen, who: Identity, dx: float, dy: float) -> None:
    for side in (-1.0, 1.0):
        pen.stroke(oval(side * who.eye_gap + dx, -0.13 + dy, 0.25, 0.23), (40, 40, 45), 0.03, True)
    pen.stroke([(-0.08 + dx, -0.16 + dy), (0.08 + dx, -0.16 + dy)], (40, 40, 45), 0.03)
