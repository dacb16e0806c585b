"""Draws a body under a head. Posture is drawn by chance and says nothing of the emotion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.scenes.identity import Identity
from caer_ros.datasets.scenes.pen import Pen, Placement, bow, darker, mix

# Of the half face: from the crown to the hips, hands included.
BODY_REACH = (-3.7, -1.3, 3.7, 5.4)
_HAND = 0.27


@dataclass(frozen=True)
class Posture:
    """slump in [0, 1]; an arm's angle in degrees, 0 hanging, 80 stretched out sideways."""

    slump: float
    left: float
    right: float


def draw_posture(rng: np.random.Generator) -> Posture:
    """A random posture; arms never reach the height of a face."""
    slump, left, right = rng.random(), rng.uniform(5, 75), rng.uniform(5, 75)
    return Posture(float(slump), float(left), float(right))


def draw_body(pen: Pen, who: Identity, posture: Posture) -> None:
    """Neck, torso and arms; unit and origin are the face's, roll is not applied to bodies."""
    y, half = _shoulders(posture)
    skin, cloth = darker(who.skin, 0.8), who.clothes
    pen.fill([(-0.36, 0.6), (0.36, 0.6), (0.42, y + 0.25), (-0.42, y + 0.25)], skin)
    for joints in _arms(posture):
        pen.stroke(joints, darker(cloth, 0.82), 0.5)
        pen.disc(float(joints[2, 0]), float(joints[2, 1]), _HAND, who.skin)
    shoulders = bow((-half, y + 0.55), (0, y - 0.12 + 0.1 * posture.slump), (half, y + 0.55))
    pen.fill(np.concatenate([shoulders, [(half * 0.95, 5.4), (-half * 0.95, 5.4)]]), cloth)
    pen.fill([(-0.4, y + 0.05), (0.4, y + 0.05), (0, y + 0.7)], skin)
    pen.stroke([(-0.42, y + 0.03), (0, y + 0.72), (0.42, y + 0.03)], who.trim, 0.12)
    pen.stroke([(0, y + 0.72), (0, 5.4)], mix(cloth, who.trim, 0.4), 0.06)


def body_box(posture: Posture, placement: Placement, width: int, height: int) -> Box:
    """Box of a person from hair to hips, arms included, clipped to the picture.

    Raises:
        ValueError: the person stands outside the picture.
    """
    half = _shoulders(posture)[1]
    left, right = (float(joints[2, 0]) for joints in _arms(posture))
    upright = Placement(placement.x, placement.y, placement.scale)
    corners = [(min(left - _HAND, -half), -1.3), (max(right + _HAND, half), 5.4)]
    (x1, y1), (x2, y2) = upright.apply(corners).tolist()
    box = Box(x1, y1, x2, y2).clipped(width, height)
    if box is None:
        raise ValueError("the person stands outside the picture")
    return box


def _shoulders(posture: Posture) -> tuple[float, float]:
    """Height of the shoulders and half their width, in units."""
    return 1.15 + 0.25 * posture.slump, 1.55 - 0.2 * posture.slump


def _arms(posture: Posture) -> list[np.ndarray]:
    """Shoulder, elbow and hand of the arm at the left and of that at the right of the picture."""
    y, half = _shoulders(posture)
    arms = []
    for side, angle in ((-1.0, posture.left), (1.0, posture.right)):
        a = np.radians(angle)
        shoulder = np.array([side * (half - 0.22), y + 0.7])
        elbow = shoulder + 1.35 * np.array([side * np.sin(a), np.cos(a)])
        hand = elbow + 1.2 * np.array([side * np.sin(a * 0.4), np.cos(a * 0.4)])
        arms.append(np.stack([shoulder, elbow, hand]))
    return arms
