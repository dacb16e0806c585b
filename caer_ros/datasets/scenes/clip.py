"""Scenes in time: the expression rises from rest to its apex while camera, people and things move.

The motion cue. A head looks to and fro in a sine whose phase is drawn by chance, k/16 turns a frame
with k = 1, 3 or 5 (0.625, 1.875, 3.125 Hz at 10 frames a second). As each k is prime to 16, any 16
frames in a row show the same 16 places whatever k is, only in another order: no single frame, and
no set of frames, tells k, but the order does. Two neighbours on the ring never have the same k.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.scenes.arrange import BOB, PAN, SWAY, base_length
from caer_ros.datasets.scenes.draw import Moment, Scene, Stage, corners
from caer_ros.datasets.scenes.spec import CLIP, FPS, SceneSpec

TURNS: Mapping[str, int] = MappingProxyType(
    {"Fear": 5, "Surprise": 1, "Happy": 5, "Neutral": 1, "Sad": 5, "Disgust": 1, "Anger": 3}
)
"""Emotion -> sixteenths of a turn a frame that its head makes where the motion cue is on."""

_SWING = 1.1
_RISE = 5


@dataclass(frozen=True)
class Clip:
    """A drawn clip of `FPS` frames a second; the frames' scenes in order, all of one spec."""

    scenes: tuple[Scene, ...]
    turns: tuple[int, ...]

    @property
    def frames(self) -> np.ndarray:
        """uint8 [frames, height, width, 3], BGR."""
        return np.stack([scene.image for scene in self.scenes])

    @property
    def spec(self) -> SceneSpec:
        return self.scenes[0].spec

    @property
    def label(self) -> str:
        return self.spec.label

    def record(self) -> dict[str, Any]:
        """What there is to know besides the pixels, for JSON; `faces` and others go by frame."""
        first = self.scenes[0].record()
        return first | {
            "frames": len(self.scenes),
            "fps": FPS,
            "motion": list(self.turns),
            "object_box": [corners(scene.object_box) for scene in self.scenes],
            "faces": [[corners(box) for box in scene.faces] for scene in self.scenes],
            "bodies": [[corners(box) for box in scene.bodies] for scene in self.scenes],
        }


def draw_clip(spec: SceneSpec, frames: int = CLIP) -> Clip:
    """Draw a clip: a pure function of its arguments.

    Raises:
        InputError: fewer than 16 frames.
    """
    if frames < CLIP:
        raise InputError(f"A clip of {frames} frames is too short.", f"Use {CLIP} or more.")
    stage = Stage(spec)
    moments, turns = _moments(stage, frames)
    return Clip(tuple(stage.frame(moment) for moment in moments), turns)


def _moments(stage: Stage, frames: int) -> tuple[list[Moment], tuple[int, ...]]:
    spec = stage.spec
    rng = np.random.default_rng([spec.seed, 9])
    base = base_length(spec.controls.width, spec.controls.height)
    start = rng.uniform(0, 3)
    people = len(stage.expressions)
    camera = _drift(rng, frames, base * PAN)
    bob = _drift(rng, frames, base * BOB)
    sways = [_drift(rng, frames, base * SWAY) for _ in range(people)]
    phases = rng.uniform(0, 2 * np.pi, 4)
    chance = rng.choice((1, 3, 5), 4)
    turns = tuple(
        TURNS[e.label] if spec.controls.motion else int(chance[k])
        for k, e in enumerate(stage.expressions)
    )
    swings = [
        _SWING * np.sin(phases[k] + 2 * np.pi * np.arange(frames) * turns[k] / CLIP)
        for k in range(people)
    ]
    return [
        Moment(
            number=t,
            camera=camera[t],
            strength=_smooth((t - start) / _RISE),
            sways=tuple(sway[t] for sway in sways),
            turns=tuple((float(swing[t]), 0.0) for swing in swings),
            bob=bob[t],
        )
        for t in range(frames)
    ], turns


def _drift(rng: np.random.Generator, frames: int, reach: float) -> list[tuple[float, float]]:
    """A slow ellipse-like way that stays within `reach` pixels in x and in y."""
    rates, phases = rng.uniform(0.01, 0.05, 2), rng.uniform(0, 1, 2)
    size = rng.uniform(0.3, 1.0, 2) * reach
    t = np.arange(frames)[:, None]
    way = size * np.sin(2 * np.pi * (rates * t + phases))
    return [(float(x), float(y)) for x, y in way]


def _smooth(t: float) -> float:
    """0 before 0, 1 after 1, smooth between."""
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)
