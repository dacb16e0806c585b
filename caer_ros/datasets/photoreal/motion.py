"""What moves in a clip, frame by frame: slow drifts, an expression's rise and fall, blinks, speech.

Every function gives one value a frame, 10 frames a second, and draws all its chance at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from caer_ros.datasets.photoreal.emotions import SPEECH
from caer_ros.datasets.photoreal.looks import smooth

# Frames that a face takes to its peak: surprise is quick.
_RISE = {"Surprise": (1.5, 3.0), "Fear": (1.5, 4.0)}
_USUAL_RISE = (2.0, 6.0)
_BLINKS = 0.35 / 10
# Pixels beyond the edges of a picture into which its camera may stray.
MARGIN = 24


def wander(rng: np.random.Generator, frames: int, reach: float) -> np.ndarray:
    """A slow way to and fro that stays within `reach` of 0: float64 [frames]."""
    t = np.arange(frames)
    slow, quick = rng.uniform(0.01, 0.05), rng.uniform(0.05, 0.09)
    first, second = rng.uniform(0, 1, 2)
    way = 0.75 * np.sin(2 * np.pi * (slow * t + first))
    return np.asarray(reach * (way + 0.25 * np.sin(2 * np.pi * (quick * t + second))))


def gesture(rng: np.random.Generator, frames: int, reach: float) -> np.ndarray:
    """A nod or a shake of the head, swelling and dying away: float64 [frames], within `reach`."""
    t = np.arange(frames)
    middle, length = rng.uniform(0.2, 0.8) * frames, rng.uniform(3, 7)
    swell = np.exp(-(((t - middle) / length) ** 2))
    turns = rng.uniform(0.12, 0.26)
    return np.asarray(reach * swell * np.sin(2 * np.pi * (turns * t + rng.random())))


class Swell:
    """How strong an expression is: nothing, up to its peak, and partly back.

    Attributes:
        onset, apex, offset: frames (not whole) at which it sets in, is at its peak, begins to fade.
    """

    def __init__(self, label: str, rng: np.random.Generator, frames: int) -> None:
        self._time = np.arange(frames)
        self.onset = float(rng.uniform(-0.5, 0.22 * frames))
        self.apex = self.onset + float(rng.uniform(*_RISE.get(label, _USUAL_RISE)))
        self.offset = self.apex + float(rng.uniform(0.15, 0.45) * frames)
        self._end = self.offset + float(rng.uniform(3, 8))
        self._rest = float(rng.uniform(0.25, 0.8))
        self._stir = 0.06 * wander(rng, frames, 1.0)

    def strength(self, late: float = 0.0) -> np.ndarray:
        """float64 [frames] in [0, 1.06] of a movement that is `late` frames behind the others."""
        t = self._time - late
        up = smooth(self.onset, self.apex, t)
        down = smooth(self.offset, self._end, t)
        return np.asarray(up * (1 - (1 - self._rest) * down) * (1 + self._stir))


def fixations(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Where eyes rest, degrees right and up of what they look at: float64 [frames, 2].

    They stay with it for some frames, jump, and mostly come back.
    """
    gaze = np.empty((frames, 2))
    home = rng.normal(0, (5, 4))
    at = 0
    while at < frames:
        stay = int(rng.integers(3, 11))
        away = rng.random() < 0.25
        gaze[at : at + stay] = home + rng.normal(0, (12, 6) if away else (1.2, 0.8))
        at += stay
    return gaze


def blinks(rng: np.random.Generator, frames: int) -> np.ndarray:
    """How far lids are closed: float64 [frames] in [0, 1]; a blink lasts two or three frames."""
    closed = np.zeros(frames)
    for at in np.flatnonzero(rng.random(frames) < _BLINKS):
        shape = (0.75, 1.0, 0.35) if rng.random() < 0.6 else (1.0, 0.4)
        for step, amount in enumerate(shape[: frames - int(at)]):
            closed[at + step] = max(closed[at + step], amount)
    return closed


def speech(
    rng: np.random.Generator, frames: int, strength: float, names: Mapping[str, object]
) -> dict[str, np.ndarray]:
    """A mouth that talks, with pauses: shape -> float64 [frames]. `names`: the model's shapes."""
    tracks: dict[str, np.ndarray] = {}
    at = int(rng.integers(0, 3))
    while at < frames:
        if rng.random() < 0.2:
            at += int(rng.integers(2, 5))
            continue
        loud = strength * rng.uniform(0.6, 1.4)
        for shape, amount in SPEECH[int(rng.integers(len(SPEECH)))].items():
            for key in [shape] if shape in names else [f"{shape}_L", f"{shape}_R"]:
                track = tracks.setdefault(key, np.zeros(frames))
                for step, share in ((-1, 0.4), (0, 1.0), (1, 0.4)):
                    if 0 <= at + step < frames:
                        track[at + step] = max(track[at + step], loud * amount * share)
        at += int(rng.integers(1, 4))
    return tracks


def camera_path(rng: np.random.Generator, frames: int) -> np.ndarray:
    """How far a camera has strayed, x and y in pixels: float64 [frames, 2] within MARGIN.

    It stands on legs, is held in a hand, or pans.
    """
    kind, reach = rng.random(), float(rng.uniform(1, 7))
    slow = np.stack([wander(rng, frames, reach), wander(rng, frames, 0.7 * reach)], axis=1)
    quick = rng.normal(0, rng.uniform(0.1, 0.9), (frames, 2))
    pan = rng.normal(0, (1.2, 0.4), 2) * (np.arange(frames)[:, None] - frames / 2)
    if kind < 0.35:
        return np.zeros((frames, 2))
    path = slow + quick if kind < 0.85 else 0.3 * slow + pan
    return np.clip(path, 1 - MARGIN, MARGIN - 1)
