"""One labelled clip: the same person, place, light and camera; face, head, eyes and camera move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from caer_ros.core import CAER7, Box
from caer_ros.datasets.photoreal.acting import Act, play
from caer_ros.datasets.photoreal.body import embody
from caer_ros.datasets.photoreal.camera import develop, streak
from caer_ros.datasets.photoreal.colour import to_srgb
from caer_ros.datasets.photoreal.company import make_companion
from caer_ros.datasets.photoreal.cues import Cue, draw_cue, fit_cue, furnish, hold_arms
from caer_ros.datasets.photoreal.ground import draw_ground, occlude
from caer_ros.datasets.photoreal.light import Light, sample_light
from caer_ros.datasets.photoreal.masks import merge_masks
from caer_ros.datasets.photoreal.motion import MARGIN, camera_path
from caer_ros.datasets.photoreal.person import Person, Studio
from caer_ros.datasets.photoreal.picture import OCCLUDED, Picture, finish_cue, lay_over
from caer_ros.datasets.photoreal.pose import View
from caer_ros.datasets.photoreal.render import Shot, shoot
from caer_ros.datasets.photoreal.view import HEIGHT, WIDTH, sample_view

# Of the time between two frames, how long the shutter may be open at most.
_SHUTTER = 0.6


@dataclass(frozen=True)
class Clip:
    """The frames in order (their cues have boxes of their own) and what the subject does."""

    pictures: tuple[Picture, ...]
    act: Act

    @property
    def peak(self) -> Picture:
        """The frame in which the expression is strongest."""
        return self.pictures[self.act.apex]


@dataclass(frozen=True)
class _Role:
    """Somebody in the clip, and what that person does."""

    who: Person
    act: Act

    def shoot(
        self, studio: Studio, light: Light, t: int, shift: Sequence[float], masks: bool = False
    ) -> Shot:
        view = self.act.views[t].moved(float(shift[0]), float(shift[1]))
        return shoot(studio, self.who, self.act.weights[t], view, light, (WIDTH, HEIGHT), masks)


def take_clip(
    studio: Studio,
    person: Person,
    seed: int,
    number: int,
    label: str,
    frames: int = 16,
    cues: float = 0.0,
    masks: bool = False,
) -> Clip:
    """The clip of person `number` showing `label` under `seed`: a pure function of these.

    `cues`: probability of a cue. `masks`: make them for every frame too.
    """
    place = CAER7.index(label)
    rng = np.random.default_rng([seed, number, place, 2])
    dice = np.random.default_rng([seed, number, place, 5])
    names = studio.model.expressions
    view = sample_view("Neutral", {}, rng)
    cue, there = fit_cue(draw_cue(label, cues, dice), view, dice)
    posture, cue = hold_arms(cue, dice)
    subject = _Role(embody(person, posture, rng), play(label, view, rng, names, frames))
    light, path = sample_light(rng), camera_path(rng, frames)
    ground = draw_ground(rng, WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    hidden, shutter, faults = rng.random() < OCCLUDED, rng.uniform(0, _SHUTTER), rng.integers(2**31)
    roles = [subject]
    if there is not None:
        act = play(cue.label, there, dice, names, frames)
        roles.insert(0, _Role(make_companion(studio, cue.label, dice), act))
    # Things find their place round where people are at the peak.
    apex = subject.act.apex
    standing = [role.shoot(studio, light, apex, (0, 0)) for role in roles]
    ground, cue, thing = furnish(ground, cue, *_with_margin(standing), light, dice, MARGIN)
    pictures = []
    for t in range(frames):
        shots = [role.shoot(studio, light, t, path[t], masks) for role in roles]
        clean = lay_over(shots, _shown(ground, path[t]))
        held = None
        if hidden:
            skin, still = 255 * to_srgb(person.looks.skin), [seed, number, place, 6]
            held = occlude(clean, shots[-1].box, skin, np.random.default_rng(still))
        clean = streak(clean, tuple(shutter * (path[t] - path[max(t - 1, 0)])))
        # The camera is the same in every frame; only its grain is new.
        same = np.random.default_rng([int(faults)])
        image = develop(clean, view.face, same, np.random.default_rng([seed, number, place, 7, t]))
        now = finish_cue(_in_frame(cue, path[t]), shots)
        picture = _picture(image, shots, subject.act.views[t], path[t], person, now)
        if masks:
            shown = None if thing is None else _shown(thing, path[t])
            picture = replace(picture, masks=merge_masks(shots, shown, held))
        pictures.append(picture)
    return Clip(tuple(pictures), subject.act)


def _with_margin(shots: Sequence[Shot]) -> tuple[np.ndarray, list[Box]]:
    """How much people cover of the place behind, and their faces' boxes in its pixels."""
    alpha = np.maximum.reduce([shot.alpha for shot in shots])
    taken = cv2.copyMakeBorder(
        alpha, MARGIN, MARGIN, MARGIN, MARGIN, borderType=cv2.BORDER_REPLICATE
    )
    faces = [
        Box(b.x1 + MARGIN, b.y1 + MARGIN, b.x2 + MARGIN, b.y2 + MARGIN)
        for b in (shot.box for shot in shots)
    ]
    return taken, faces


def _shown(ground: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """What a camera sees of the place that is moved by `shift` pixels against it."""
    move = np.array([[1, 0, shift[0] - MARGIN], [0, 1, shift[1] - MARGIN]], np.float64)
    return cv2.warpAffine(ground, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)


def _in_frame(cue: Cue, shift: np.ndarray) -> Cue:
    if cue.kind == "mood":
        return cue.moved(-MARGIN, -MARGIN)
    return cue.moved(float(shift[0]) - MARGIN, float(shift[1]) - MARGIN)


def _picture(
    image: np.ndarray,
    shots: Sequence[Shot],
    view: View,
    shift: np.ndarray,
    person: Person,
    cue: Cue,
) -> Picture:
    shot = shots[-1]
    others = tuple(other.box for other in shots[:-1])
    view = view.moved(float(shift[0]), float(shift[1]))
    return Picture(image, shot.box, shot.landmarks, view, person.looks.ita, cue, others)
