"""Hair as a cap over the scalp and as ribbons that fall from it, in the mean head's axes (cm)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.datasets.photoreal.looks import Looks, scalp, smooth

_CENTRE = np.array([0.0, 3.5, -0.5])
_ROWS, _COLUMNS = 24, 48


@dataclass(frozen=True)
class Style:
    """How hair falls: `lift` cm of the cap, ribbons' `length` and `width` in cm, `gravity` and
    `curl` per cm, `wild` (random direction), `part` (x in cm where it parts), `fringe` (lowest y in
    cm over the face), `forward` (how much it is combed into the face), `count` of ribbons."""

    lift: float
    length: float
    width: float
    gravity: float
    curl: float
    wild: float
    part: float
    fringe: float
    forward: float
    count: int


# Ranges of lift, length, width, gravity, curl, wild, fringe and forward.
_STYLES: dict[str, list[tuple[float, float]]] = {
    "buzz": [(0.1, 0.3), (0.3, 0.3), (0.15, 0.15), (0, 0), (0, 0), (0.3, 0.3), (6, 6), (0, 0)],
    "short": [(0.4, 1.0), (1.5, 3), (0.2, 0.24), (0.08, 0.08), (0.05, 0.05), (0.2, 0.5), (6, 8),
              (-0.3, 0.5)],
    "quiff": [(0.8, 1.6), (2, 4), (0.2, 0.3), (0.03, 0.03), (0.05, 0.05), (0.2, 0.5), (7.5, 7.5),
              (-0.9, -0.3)],
    "fringe": [(0.5, 1.2), (4, 9), (0.3, 0.3), (0.16, 0.16), (0.02, 0.02), (0.2, 0.2), (5.2, 6.8),
               (0.6, 1.2)],
    "medium": [(0.6, 1.2), (10, 16), (0.35, 0.35), (0.2, 0.2), (0.03, 0.03), (0.15, 0.15), (6, 8),
               (0, 0)],
    "long": [(0.5, 1.0), (20, 30), (0.4, 0.4), (0.25, 0.25), (0.02, 0.02), (0.1, 0.1), (6, 8),
             (0, 0)],
    "wavy": [(0.8, 1.6), (14, 26), (0.4, 0.4), (0.2, 0.2), (0.3, 0.3), (0.2, 0.2), (6, 8), (0, 0)],
    "curly": [(1.0, 2.0), (4, 10), (0.3, 0.3), (0.1, 0.1), (0.8, 0.8), (0.6, 0.6), (6, 7.5),
              (0.3, 0.3)],
    "afro": [(1.2, 2.8), (1.5, 3), (0.3, 0.3), (0, 0), (1.2, 1.2), (1, 1), (7.5, 7.5), (0, 0)],
    "back": [(0.3, 0.7), (3, 6), (0.25, 0.25), (0.02, 0.02), (0.02, 0.02), (0.1, 0.1), (7.5, 7.5),
             (-1, -1)],
}  # fmt: skip
_COUNTS = {
    "buzz": 0, "short": 900, "quiff": 900, "fringe": 900, "medium": 900, "long": 900, "wavy": 900,
    "curly": 1100, "afro": 1300, "back": 800,
}  # fmt: skip
_PARTED = ("short", "quiff", "fringe", "medium", "long", "wavy", "curly")


def sample_style(feminine: bool, rng: np.random.Generator) -> Style:
    """One of a dozen kinds of haircut, with its own numbers."""
    part = float(rng.choice([0.0, rng.uniform(1.5, 5), -rng.uniform(1.5, 5)]))
    kind = rng.choice(
        ["buzz", "short", "quiff", "fringe", "medium", "long", "wavy", "curly", "afro", "back"],
        p=[0.02, 0.08, 0.05, 0.15, 0.18, 0.22, 0.14, 0.06, 0.04, 0.06]
        if feminine
        else [0.16, 0.32, 0.14, 0.12, 0.05, 0.03, 0.03, 0.06, 0.05, 0.04],
    )
    ranges = _STYLES[str(kind)]
    drawn = [float(rng.uniform(*pair)) for pair in ranges[:8]]
    lift, length, width, gravity, curl, wild, fringe, forward = drawn
    parted = part if kind in _PARTED else 0.0
    return Style(
        lift, length, width, gravity, curl, wild, parted, fringe, forward, _COUNTS[str(kind)]
    )


@dataclass(frozen=True)
class Ribbons:
    """spine float32 [N, S, 3] (cm, the head's axes), width float32 [N, S], tone float32 [N]."""

    spine: np.ndarray
    width: np.ndarray
    tone: np.ndarray


def grow(
    neutral: np.ndarray, normals: np.ndarray, looks: Looks, style: Style, rng: np.random.Generator
) -> Ribbons | None:
    """Ribbons from the scalp of a person's head: `neutral` [V, 3] with unit `normals` [V, 3]."""
    density = scalp(neutral, looks)
    rooted = np.flatnonzero(density > 0.5)
    if len(rooted) < 20 or style.count == 0:
        return None
    # The face's mesh is finer than the scalp's: thin it out there.
    root = rng.choice(
        rooted, style.count, p=(w := np.where(neutral[rooted, 2] > 3, 0.35, 1.0)) / w.sum()
    )
    radius = _radius_map(neutral)
    steps = 9
    at = neutral[root] + normals[root] * (style.lift * 0.95) + rng.normal(0, 0.15, (style.count, 3))
    away = np.stack(
        [
            np.sign(at[:, 0] - style.part + rng.normal(0, 0.5, style.count)),
            -0.25 - 0.22 * np.clip(8 - at[:, 1], 0, 8),
            np.full(style.count, style.forward),
        ],
        1,
    )
    away[:, 2] -= 0.6 * (at[:, 2] < 0)
    away += rng.normal(0, style.wild, away.shape)
    way = _along(away, normals[root]) + normals[root] * min(style.lift * 0.25, 0.6)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    length = style.length * rng.uniform(0.6, 1.1, style.count)
    step = (length / (steps - 1))[:, None]
    phase = rng.uniform(0, 6.3, (style.count, 1))
    spine = [at]
    for index in range(1, steps):
        bend = np.array([0, -style.gravity, 0]) * step
        turn = phase + index * (1.3 + style.curl * 2)
        bend = bend + style.curl * 0.5 * np.concatenate(
            [np.sin(turn), 0.4 * np.cos(turn * 1.3), np.cos(turn)], 1
        )
        way = way + bend
        out = at - _CENTRE
        # Downwards it may fall.
        out[:, 1] = np.maximum(out[:, 1], 0)
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        # Combed hair lies on the head; only what is wild stands off.
        off = np.maximum((way * out).sum(axis=1, keepdims=True), 0)
        way = way - max(0.0, 0.85 - style.wild) * off * out
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        at = _outside(at + way * step, radius, 0.1 + 0.95 * style.lift)
        way = at - spine[-1]
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
        spine.append(at)
    line = np.stack(spine, axis=1).astype(np.float32)
    t = np.linspace(0, 1, steps)
    width = style.width * (1 - 0.75 * t**2)[None] * rng.uniform(0.6, 1.4, (style.count, 1))
    # A fringe ends over the eyes, and hair at the sides beside them.
    x, y, z = line[..., 0], line[..., 1], line[..., 2]
    bare = (
        smooth(-0.4, 0.4, style.fringe - y)
        * smooth(-0.8, 0.8, 6.6 + 0.12 * np.clip(-y, 0, 9) - np.abs(x))
        * (z > 1)
    )
    width = width * (1 - np.maximum.accumulate(bare > 0.5, axis=1))
    return Ribbons(
        line,
        width.astype(np.float32),
        rng.normal(1, 0.2, style.count).clip(0.5, 1.6).astype(np.float32),
    )


def _along(way: np.ndarray, normal: np.ndarray) -> np.ndarray:
    flat = way - (way * normal).sum(axis=1, keepdims=True) * normal
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _cells(offset: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    far = np.linalg.norm(offset, axis=-1)
    row = ((offset[..., 1] / np.maximum(far, 1e-6) + 1) / 2 * (_ROWS - 1)).round().astype(int)
    column = (
        ((np.arctan2(offset[..., 0], offset[..., 2]) / (2 * np.pi) + 0.5) * (_COLUMNS - 1))
        .round()
        .astype(int)
    )
    return row, column, far


def _radius_map(neutral: np.ndarray) -> np.ndarray:
    skull = neutral[:11248]
    row, column, far = _cells(skull[skull[:, 1] > -8] - _CENTRE)
    radius = np.zeros((_ROWS, _COLUMNS))
    np.maximum.at(radius, (row, column), far)
    for shift in (1, -1):
        radius = np.where(radius == 0, np.roll(radius, shift, axis=1), radius)
        radius[1:-1] = np.where(
            radius[1:-1] == 0, radius[1 + shift : len(radius) - 1 + shift], radius[1:-1]
        )
    return radius


def _outside(at: np.ndarray, radius: np.ndarray, room: float) -> np.ndarray:
    row, column, far = _cells(at - _CENTRE)
    # Below the jaw hair hangs free.
    least = np.where(at[:, 1] > -7, radius[row, column] + room, 0)
    return _CENTRE + (at - _CENTRE) * (np.maximum(far, least) / np.maximum(far, 1e-6))[:, None]
