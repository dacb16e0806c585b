"""A person's clip before it is rendered: the face and the view of every frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from caer_ros.datasets.head import rotation
from caer_ros.datasets.photoreal.emotions import pose_face
from caer_ros.datasets.photoreal.motion import (
    Swell,
    blinks,
    fixations,
    gesture,
    speech,
    wander,
)
from caer_ros.datasets.photoreal.pose import View
from caer_ros.datasets.photoreal.view import NOD, follow_gaze

# How many clips talk: neutral faces more often, others with less of their mouth.
_TALK = {"Neutral": 0.5}
_TALK_ELSE = 0.2


@dataclass(frozen=True)
class Act:
    """What somebody does in a clip of N frames.

    Attributes:
        weights: by frame, shape name -> weight.
        views: by frame.
        strength: float64 [N], how strong the expression is: 0 at rest, about 1 at its peak.
        apex: the frame of the peak.
        talks: whether the mouth speaks.
    """

    weights: tuple[dict[str, float], ...]
    views: tuple[View, ...]
    strength: np.ndarray
    apex: int
    talks: bool


def play(
    label: str, view: View, rng: np.random.Generator, names: Mapping[str, object], frames: int
) -> Act:
    """One person's `frames` frames from a neutral face to that of `label` and partly back.

    Args:
        view: where head and eyes are before anything moves.
        names: the shapes that the face model has.
    """
    rest, peak = pose_face("Neutral", rng, names), pose_face(label, rng, names)
    swell = Swell(label, rng, frames)
    strength = swell.strength()
    # Brows, lids and mouth do not set off in the same instant.
    late = {_of(name): float(rng.normal(0, 0.5)) for name in sorted(rest.keys() | peak.keys())}
    shares = {name: swell.strength(lag) for name, lag in late.items()}
    talks = bool(rng.random() < _TALK.get(label, _TALK_ELSE))
    loud = rng.uniform(0.35, 1.0) * (1 if label == "Neutral" else 0.55)
    said = speech(rng, frames, loud if talks else 0.0, names)
    closed = blinks(rng, frames)
    looking = peak.get("eyeLookDown_L", 0.0)
    views = _views(view, label, strength, looking, rng, frames)
    weights = []
    for t in range(frames):
        now = {
            name: (1 - shares[_of(name)][t]) * rest.get(name, 0.0)
            + shares[_of(name)][t] * peak.get(name, 0.0)
            for name in sorted(rest.keys() | peak.keys())
        }
        for name, track in said.items():
            now[name] = now.get(name, 0.0) + float(track[t])
        _close(now, float(closed[t]))
        follow_gaze(now, views[t])
        weights.append({name: float(np.clip(w, -1.2, 1.4)) for name, w in now.items()})
    return Act(tuple(weights), views, strength, int(strength.argmax()), talks)


def _of(name: str) -> str:
    return name.removesuffix("_L").removesuffix("_R")


def _close(weights: dict[str, float], amount: float) -> None:
    """Blink, in place: wide eyes let go for it."""
    for side in ("L", "R"):
        lid, wide = f"eyeBlink_{side}", f"eyeWide_{side}"
        weights[wide] = weights.get(wide, 0.0) * (1 - amount)
        weights[lid] = max(weights.get(lid, 0.0), amount)


def _views(
    view: View,
    label: str,
    strength: np.ndarray,
    looking: float,
    rng: np.random.Generator,
    frames: int,
) -> tuple[View, ...]:
    lively = rng.uniform(0.2, 1.0)
    yaw = view.yaw + wander(rng, frames, 8 * lively)
    pitch = view.pitch + wander(rng, frames, 5 * lively) + NOD.get(label, 0.0) * strength
    roll = view.roll + wander(rng, frames, 4 * lively)
    moved = gesture(rng, frames, rng.uniform(2, 7) if rng.random() < 0.3 else 0.0)
    if rng.random() < 0.6:
        pitch = pitch + moved
    else:
        yaw = yaw + moved
    body = view.body + 0.3 * (yaw - view.yaw) + wander(rng, frames, 2 * lively)
    sway = np.stack([wander(rng, frames, 0.07), wander(rng, frames, 0.04)], 1) * view.face * lively
    # Somebody comes nearer or leans back.
    near = view.face * np.exp(wander(rng, frames, 0.05 * lively))
    share = 1.0 if rng.random() < 0.6 else float(rng.uniform(0, 0.7))
    eyes = fixations(rng, frames)
    views = []
    for t in range(frames):
        ahead = _to_camera(float(yaw[t]), float(pitch[t]), float(roll[t]))
        across = share * ahead[0] + eyes[t, 0]
        up = share * ahead[1] + eyes[t, 1] - 28 * looking * strength[t]
        views.append(
            replace(
                view,
                yaw=float(np.clip(yaw[t], -55, 55)),
                pitch=float(np.clip(pitch[t], -28, 28)),
                roll=float(np.clip(roll[t], -24, 24)),
                body=float(body[t]),
                gaze=(float(np.clip(across, -28, 28)), float(np.clip(up, -28, 18))),
                face=float(near[t]),
                centre=(view.centre[0] + float(sway[t, 0]), view.centre[1] + float(sway[t, 1])),
            )
        )
    return tuple(views)


def _to_camera(yaw: float, pitch: float, roll: float) -> tuple[float, float]:
    """Degrees right and up of a head's axis at which it sees the camera."""
    way = rotation(yaw, pitch, roll).T @ np.array([0, 0, 1.0])
    return float(np.degrees(np.arctan2(way[0], way[2]))), float(np.degrees(np.arcsin(way[1])))
