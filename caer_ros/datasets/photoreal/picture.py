"""One labelled picture of the data set: a person, a face, a view, a light, a place, a camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from caer_ros.core import CAER7, Box
from caer_ros.datasets.photoreal.body import embody
from caer_ros.datasets.photoreal.camera import develop
from caer_ros.datasets.photoreal.colour import to_linear, to_srgb
from caer_ros.datasets.photoreal.company import make_companion, seen_box
from caer_ros.datasets.photoreal.cues import NO_CUE, Cue, draw_cue, fit_cue, furnish, hold_arms
from caer_ros.datasets.photoreal.emotions import sample_face
from caer_ros.datasets.photoreal.ground import draw_ground, occlude
from caer_ros.datasets.photoreal.light import Light, sample_light
from caer_ros.datasets.photoreal.masks import Masks, merge_masks
from caer_ros.datasets.photoreal.person import Person, Studio, make_person
from caer_ros.datasets.photoreal.pose import View
from caer_ros.datasets.photoreal.render import Shot, shoot
from caer_ros.datasets.photoreal.view import HEIGHT, WIDTH, follow_gaze, sample_view

OCCLUDED = 0.07


@dataclass(frozen=True)
class Picture:
    """image uint8 RGB [HEIGHT, WIDTH, 3], the face's box, landmarks float32 [16, 2] in pixels, the
    view, the skin's individual typology angle in degrees, the cue, boxes of others' faces, and, if
    asked for, masks."""

    image: np.ndarray
    box: Box
    landmarks: np.ndarray
    view: View
    ita: float
    cue: Cue = NO_CUE
    others: tuple[Box, ...] = ()
    masks: Masks | None = None


def person_of(studio: Studio, seed: int, number: int) -> Person:
    """Person `number` under `seed`: a pure function of its arguments."""
    return make_person(studio, np.random.default_rng([seed, number, 0]))


def take(
    studio: Studio,
    person: Person,
    seed: int,
    number: int,
    label: str,
    cues: float = 0.0,
    masks: bool = False,
) -> Picture:
    """The picture of person `number` posing `label` under `seed`: a pure function of these.

    `cues`: probability of a cue; at 0 people have no arms and are cut off at the waist. `masks`:
    make them too; nothing else depends on it.
    """
    rng = np.random.default_rng([seed, number, CAER7.index(label), 1])
    dice = np.random.default_rng([seed, number, CAER7.index(label), 4])
    weights = sample_face(label, rng, studio.model.expressions)
    view = sample_view(label, weights, rng)
    follow_gaze(weights, view)
    cue, there = fit_cue(draw_cue(label, cues, dice), view, dice)
    if cues > 0:
        posture, cue = hold_arms(cue, dice)
        person = embody(person, posture, dice)
    light = sample_light(rng)
    shots = [shoot(studio, person, weights, view, light, (WIDTH, HEIGHT), masks)]
    shot = shots[-1]
    if there is not None:
        shots.insert(0, _company(studio, there, cue.label, light, dice, masks))
    ground = draw_ground(rng, WIDTH, HEIGHT)
    ground, cue, thing = furnish(ground, cue, shot.alpha, [shot.box], light, dice)
    clean = lay_over(shots, ground)
    held = None
    if rng.random() < OCCLUDED:
        held = occlude(clean, shot.box, 255 * to_srgb(person.looks.skin), rng)
    image = develop(clean, shot.box.height, rng)
    others = tuple(other.box for other in shots[:-1])
    cue = finish_cue(cue, shots)
    masked = merge_masks(shots, thing, held) if masks else None
    return Picture(image, shot.box, shot.landmarks, view, person.looks.ita, cue, others, masked)


def _company(
    studio: Studio, there: View, label: str, light: Light, rng: np.random.Generator, masks: bool
) -> Shot:
    """Somebody of the same mind."""
    weights = sample_face(label, rng, studio.model.expressions)
    follow_gaze(weights, there)
    other = make_companion(studio, label, rng)
    return shoot(studio, other, weights, there, light, (WIDTH, HEIGHT), masks)


def finish_cue(cue: Cue, shots: Sequence[Shot]) -> Cue:
    """A cue with the box of the person who is it; of `shots` the last is the subject."""
    if cue.kind == "posture":
        return replace(cue, box=seen_box(shots[-1]))
    if cue.kind != "company":
        return cue
    box = seen_box(shots[0], shots[-1].alpha)
    return NO_CUE if box is None else replace(cue, name="person", box=box)


def lay_over(shots: Sequence[Shot], ground: np.ndarray) -> np.ndarray:
    """People, the last in front, before `ground` (uint8 RGB [H, W, 3]), as a faultless camera sees
    them: the same."""
    mixed = to_linear(ground / np.float32(255))
    for shot in shots:
        mixed = shot.rgb + mixed * (1 - shot.alpha[..., None])
    return (255 * np.clip(to_srgb(_shoulder(mixed)), 0, 1) + 0.5).astype(np.uint8)


def _shoulder(linear: np.ndarray) -> np.ndarray:
    """Bend what is brighter than 0.7 towards 1, as cameras do, instead of cutting it off."""
    over = np.maximum(linear - 0.7, 0)
    return np.where(linear > 0.7, 0.7 + 0.3 * (1 - np.exp(-over / 0.3)), linear)
