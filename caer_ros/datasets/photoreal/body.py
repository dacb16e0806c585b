"""What is below the shoulders: the rest of the trunk, and arms in a posture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from caer_ros.datasets.photoreal.colour import sample_cloth
from caer_ros.datasets.photoreal.parts import Part
from caer_ros.datasets.photoreal.person import Person
from caer_ros.datasets.photoreal.wear import TORSO, Mesh, join, sheet

Way = tuple[float, float, float]

# Lengths in cm of an upper arm, a forearm and a hand.
_UPPER, _FORE, _HAND = 29.0, 25.0, 15.0
_DROP, _ROWS, _WAIST = 12.0, 10, 2
_AROUND = 14


@dataclass(frozen=True)
class Posture:
    """Directions (outwards, up, towards the camera) of each upper arm and forearm, left arm of the
    picture first; any length."""

    name: str
    left: tuple[Way, Way]
    right: tuple[Way, Way]


def _both(name: str, upper: Way, fore: Way) -> Posture:
    return Posture(name, (upper, fore), (upper, fore))


_HANG: tuple[Way, Way] = ((0.14, -1, 0.05), (0.05, -1, 0.25))
# Arms of people whose posture says nothing.
PLAIN: tuple[Posture, ...] = (
    Posture("hanging", _HANG, _HANG),
    Posture("one bent", _HANG, ((0.2, -1, 0.1), (-0.5, 0.1, 0.8))),
    _both("hands together", (0.18, -1, 0.1), (-0.75, -0.45, 0.5)),
)
# Emotion -> postures that go with it.
TELLING: Mapping[str, Sequence[Posture]] = {
    "Anger": (
        _both("akimbo", (0.9, -0.75, -0.2), (-0.75, -0.5, 0.45)),
        _both("fists", (0.35, -0.9, 0.1), (-0.15, 0.7, 0.7)),
    ),
    "Disgust": (
        Posture("pushing away", ((0.45, -0.35, 0.7), (0.2, 0.5, 0.8)), _HANG),
        _both("warding off", (0.5, -0.6, 0.5), (0.15, 0.8, 0.5)),
    ),
    "Fear": (
        _both("hands before the chest", (0.12, -0.95, 0.3), (-0.35, 0.85, 0.5)),
        _both("hugging oneself", (0.1, -1, 0.3), (-0.8, 0.5, 0.45)),
    ),
    "Happy": (
        _both("arms up", (0.8, 0.5, 0.1), (0.25, 1, 0.1)),
        Posture("waving", _HANG, ((0.8, -0.1, 0.2), (0.3, 1, 0.2))),
    ),
    "Neutral": (_both("arms folded", (0.2, -1, 0.15), (-1, 0.12, 0.45)),),
    "Sad": (
        _both("hands low", (0.02, -1, 0.2), (-0.45, -0.85, 0.3)),
        Posture("hand at the chin", _HANG, ((-0.05, -0.95, 0.35), (-0.45, 0.95, 0.2))),
    ),
    "Surprise": (
        _both("hands beside the face", (0.45, -0.75, 0.25), (0.1, 1, 0.25)),
        _both("palms out", (0.6, -0.6, 0.2), (0.7, 0.55, 0.3)),
    ),
}


def plain_posture(rng: np.random.Generator) -> Posture:
    """A posture that says nothing."""
    return PLAIN[int(rng.integers(len(PLAIN)))]


def telling_posture(label: str, rng: np.random.Generator) -> Posture:
    """A posture that goes with an emotion of CAER7."""
    choice = TELLING[label]
    return choice[int(rng.integers(len(choice)))]


def embody(person: Person, posture: Posture, rng: np.random.Generator) -> Person:
    """The same person with a trunk down to the ground and arms; `rng` draws what is not known."""
    sides = (posture.left, posture.right)
    if rng.random() < 0.5:
        sides = sides[::-1]
    limbs = [_arm(person, side, way, rng) for side, way in zip((-1.0, 1.0), sides, strict=True)]
    return replace(person, limbs=join([_trunk(person.extras, rng), *limbs]))


def _trunk(extras: Mesh, rng: np.random.Generator) -> Mesh:
    """Goes on where the torso ends."""
    rows, columns = TORSO
    last = slice((rows - 1) * columns, rows * columns)
    # Two rows at the hem: one cloth ends there, the other begins.
    below = np.sort(np.append(np.arange(_ROWS), _WAIST + 0.02))
    grid = np.repeat(extras.points[last][None], len(below), axis=0)
    grid[..., 1] -= _DROP * below[:, None]
    wide = np.interp(below, [0, _WAIST, _WAIST + 2], [1.0, 0.86, 0.95])[:, None]
    grid[..., 0] *= wide
    grid[..., 2] *= wide
    paint = np.repeat(extras.paint[last][None], len(below), axis=0)
    paint[_WAIST + 1 :] = sample_cloth(rng)
    return sheet(grid, paint, 0.02, True)


def _arm(person: Person, side: float, ways: tuple[Way, Way], rng: np.random.Generator) -> Mesh:
    rows, columns = TORSO
    torso = person.extras.points[: rows * columns]
    half = float(np.abs(torso[:, 0]).max())
    shoulder = np.array([side * (half - 5.0), -21.5, -2.5])
    upper, fore = (_unit(np.array(way) + rng.normal(0, 0.07, 3)) * [side, 1, 1] for way in ways)
    elbow = shoulder + _UPPER * upper
    wrist = elbow + _FORE * fore
    tip = wrist + _HAND * _unit(fore + rng.normal(0, 0.12, 3))
    cloth = person.extras.paint[(rows - 3) * columns]
    lower = person.looks.skin if rng.random() < 0.35 else cloth
    bend = _bend(shoulder, elbow, wrist)
    sleeve = _tube(bend[:5], [3.0, 5.6, 5.2, 4.6, 4.5], cloth, 0.02, Part.ARM)
    forearm = _tube(bend[4:], [4.3, 4.0, 3.4], lower, 0.02, Part.ARM)
    palm = [wrist + (tip - wrist) * share for share in (-0.1, 0.15, 0.45, 0.75, 0.95, 1.0)]
    round_ = [2.6, 3.0, 4.0, 3.6, 2.2, 0.4]
    hand = _tube(np.array(palm), round_, person.looks.skin, 0.15, Part.HAND)
    return join([sleeve, forearm, hand])


def _bend(shoulder: np.ndarray, elbow: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    """Seven points from a shoulder round an elbow to a wrist: float64 [7, 3]."""
    near = _unit(shoulder - elbow), _unit(wrist - elbow)
    return np.stack([
        shoulder + 3 * near[0], shoulder - 2 * near[0], (shoulder + elbow) / 2,
        elbow + 4 * near[0], elbow + 4 * near[1], (elbow + wrist) / 2, wrist,
    ])  # fmt: skip


def _tube(
    path: np.ndarray, radius: Sequence[float], paint: np.ndarray, gloss: float, part_of: Part
) -> Mesh:
    """A round limb along points [N, 3], `radius` cm thick at each."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-6)
    side = np.cross(ahead, [0.31, 0.17, 0.94])
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
    # Columns go round so that quads face outwards, as the torso's do.
    other = np.cross(-ahead, side)
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)[None, :, None]
    ring = np.cos(angle) * side[:, None] + np.sin(angle) * other[:, None]
    return sheet(
        path[:, None] + ring * np.array(radius)[:, None, None], paint, gloss, True, part_of
    )


def _unit(way: np.ndarray) -> np.ndarray:
    return way / np.linalg.norm(way)
