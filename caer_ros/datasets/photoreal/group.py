"""One picture of several people, each with a face, arms and an emotion of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from caer_ros.core import CAER7, Box
from caer_ros.datasets.photoreal.body import embody, plain_posture, telling_posture
from caer_ros.datasets.photoreal.camera import develop
from caer_ros.datasets.photoreal.company import seen_box
from caer_ros.datasets.photoreal.cues import Cue, draw_cue, furnish
from caer_ros.datasets.photoreal.emotions import sample_face
from caer_ros.datasets.photoreal.ground import draw_ground
from caer_ros.datasets.photoreal.light import sample_light
from caer_ros.datasets.photoreal.masks import Masks, merge_masks
from caer_ros.datasets.photoreal.person import Studio, make_person
from caer_ros.datasets.photoreal.picture import lay_over
from caer_ros.datasets.photoreal.pose import View
from caer_ros.datasets.photoreal.render import Shot, shoot
from caer_ros.datasets.photoreal.view import HEIGHT, WIDTH, follow_gaze, sample_view

MOST = 4
_SIZES = (24.0, 62.0)
# Where nothing is said of it, half of the others feel as the first does, and half of all show it
# with their arms.
_AGREE, _TELLING = 0.5, 0.5


@dataclass(frozen=True)
class Somebody:
    """A person of the picture: the emotion, what the arms do, the whole body's box (what is seen of
    it) and the face's, and landmarks float32 [16, 2]; all in pixels."""

    label: str
    posture: str
    body: Box
    face: Box
    landmarks: np.ndarray


@dataclass(frozen=True)
class Group:
    """image uint8 RGB [HEIGHT, WIDTH, 3], the people (the labelled one first), the cue, and, if
    asked for, masks."""

    image: np.ndarray
    people: tuple[Somebody, ...]
    cue: Cue
    masks: Masks | None = None


def take_group(
    studio: Studio, seed: int, number: int, cues: float = 0.0, masks: bool = False
) -> Group:
    """Picture `number` under `seed`: a pure function of these. `cues`: probability of a cue, which
    goes with the emotion of the first. `masks`: make them too."""
    rng = np.random.default_rng([seed, number, 0, 8])
    first = CAER7[number % len(CAER7)]
    views = _places(rng)
    labels = [first, *(_feeling(first, rng) for _ in views[1:])]
    light = sample_light(rng)
    postures, shots = [], []
    for label, view in zip(labels, views, strict=True):
        told = rng.random() < _TELLING
        posture = telling_posture(label, rng) if told else plain_posture(rng)
        who = embody(make_person(studio, rng), posture, rng)
        weights = sample_face(label, rng, studio.model.expressions)
        follow_gaze(weights, view)
        shots.append(shoot(studio, who, weights, view, light, (WIDTH, HEIGHT), masks))
        postures.append(posture.name)
    faces = [shot.box for shot in shots]
    taken = np.maximum.reduce([shot.alpha for shot in shots])
    cue = draw_cue(first, cues, rng)
    if cue.kind not in ("thing", "mood", "idle"):
        cue = Cue("thing", label=cue.label) if cue.kind else cue
    ground = draw_ground(rng, WIDTH, HEIGHT)
    ground, cue, thing = furnish(ground, cue, taken, faces, light, rng)
    # The nearer somebody is, the further in front.
    order = sorted(range(len(shots)), key=lambda k: views[k].face)
    clean = lay_over([shots[k] for k in order], ground)
    image = develop(clean, min(view.face for view in views), rng)
    people: list[Somebody] = []
    # Whoever is not seen at all is not counted.
    numbers = [0] * len(shots)
    for k, shot in enumerate(shots):
        before = [shots[j] for j in order[order.index(k) + 1 :]]
        body = seen_box(shot, _covered(before))
        if body is not None:
            people.append(Somebody(labels[k], postures[k], body, shot.box, shot.landmarks))
            numbers[k] = len(people)
    masked = None
    if masks:
        masked = merge_masks([shots[k] for k in order], thing, None, [numbers[k] for k in order])
    return Group(image, tuple(people), cue, masked)


def _feeling(first: str, rng: np.random.Generator) -> str:
    agrees, other = rng.random(), int(rng.integers(len(CAER7)))
    return first if agrees < _AGREE else CAER7[other]


def _covered(before: Sequence[Shot]) -> np.ndarray | None:
    return np.maximum.reduce([shot.alpha for shot in before]) if before else None


def _places(rng: np.random.Generator) -> list[View]:
    """Where people stand: as many as there is room for, no face before another."""
    size = float(np.exp(rng.uniform(*np.log(_SIZES))))
    views: list[View] = []
    for _ in range(int(rng.integers(1, MOST + 1))):
        base = sample_view("Neutral", {}, rng)
        for _ in range(20):
            face = size * float(rng.uniform(0.75, 1.3))
            x = float(rng.uniform(0.6 * face, WIDTH - 0.6 * face))
            y = float(rng.uniform(0.2, 0.45) * HEIGHT + 0.3 * (face - size))
            # Nearer people's shoulders must not reach others' faces.
            free = all(abs(x - v.centre[0]) > 1.15 * (face + v.face) for v in views)
            if free and y > 0.8 * face:
                views.append(
                    replace(base, face=face, centre=(x, y), distance=max(base.distance, 150.0))
                )
                break
    return views or [replace(base, face=size, centre=(WIDTH / 2, HEIGHT / 3), distance=200.0)]
