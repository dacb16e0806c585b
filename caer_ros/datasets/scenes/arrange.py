"""Where people and things stand: no thing over a face, no face over a face, all inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.scenes.body import Posture, draw_posture
from caer_ros.datasets.scenes.face import face_box
from caer_ros.datasets.scenes.identity import Identity, draw_identity
from caer_ros.datasets.scenes.objects import CUES, DISTRACTORS, Thing
from caer_ros.datasets.scenes.pen import Placement
from caer_ros.datasets.scenes.spec import SceneSpec

# Shares of the picture's base length: how far the camera, people and things move in a clip, and the
# room left round everything so that they never meet nor leave the picture.
PAN, SWAY, BOB = 0.03, 0.012, 0.015
_GAP, _EDGE = 0.035, 0.05


@dataclass(frozen=True)
class Actor:
    """A person in the scene: who, where the head is, how they stand and look about."""

    who: Identity
    placement: Placement
    posture: Posture
    turn: tuple[float, float]

    @property
    def face(self) -> Box:
        """The face's exact box."""
        return face_box(self.who, self.placement)


@dataclass(frozen=True)
class Arrangement:
    """Everybody (the subject first), the planted thing or None, and the things without meaning."""

    actors: tuple[Actor, ...]
    planted: Thing | None
    distractors: tuple[Thing, ...]


def base_length(width: int, height: int) -> float:
    """What sizes are measured by, in pixels: the height, or less in a tall picture."""
    return min(height, 0.75 * width)


def arrange(spec: SceneSpec) -> Arrangement:
    """Place everything. Each kind of thing has its own dice, so none of them shifts another's."""
    width, height = spec.controls.width, spec.controls.height
    subject = _subject(np.random.default_rng([spec.seed, 1]), width, height)
    planted = _plant(spec, subject, np.random.default_rng([spec.seed, 2]))
    # Also where no object is drawn its place stays free: the layout does not depend on the outcome.
    reserved = _extent(planted)
    rng = np.random.default_rng([spec.seed, 3])
    actors = [subject]
    for _ in spec.others:
        other = _companion(actors, reserved, rng, width, height)
        if other is not None:
            actors.append(other)
    things = _distractors(spec, reserved, np.random.default_rng([spec.seed, 4]))
    return Arrangement(tuple(actors), planted if spec.planted else None, things)


def _actor(rng: np.random.Generator, placement: Placement) -> Actor:
    turn = (float(rng.normal(0, 0.4)), float(rng.normal(0, 0.25)))
    return Actor(draw_identity(rng), placement, draw_posture(rng), turn)


def _subject(rng: np.random.Generator, width: int, height: int) -> Actor:
    base = base_length(width, height)
    x, y = rng.uniform(0.28, 0.72) * width, rng.uniform(0.36, 0.48) * height
    size, roll = base * rng.uniform(0.155, 0.21), rng.normal(0, 6)
    return _actor(rng, Placement(float(x), float(y), float(size), float(np.clip(roll, -20, 20))))


def _plant(spec: SceneSpec, subject: Actor, rng: np.random.Generator) -> Thing:
    width, height = spec.controls.width, spec.controls.height
    base = base_length(width, height)
    drawings = CUES[spec.planted or spec.label]
    which, colour, seed = int(rng.integers(3)), rng.uniform(40, 230, 3), int(rng.integers(2**31))
    half, roll = base * rng.uniform(0.13, 0.19), float(rng.uniform(-18, 18))
    face = _grown(subject.face, base * _GAP)
    edge = base * _EDGE
    # There is always room beside the face; smaller things have more of it.
    for attempt in range(400):
        size = half * 0.93 ** (attempt // 20)
        reach = 1.25 * size + edge
        x = float(rng.uniform(reach, width - reach)) if width > 2 * reach else width / 2
        y = float(rng.uniform(reach, height - reach)) if height > 2 * reach else height / 2
        thing = Thing(drawings[which], Placement(x, y, float(size), roll), _colour(colour), seed)
        if _extent(thing).iou(face) == 0:
            return thing
    raise AssertionError("no room for the planted object")


def _companion(
    actors: list[Actor], reserved: Box, rng: np.random.Generator, width: int, height: int
) -> Actor | None:
    base = base_length(width, height)
    first = actors[0].placement
    gap = base * _GAP
    candidate = _actor(rng, first)
    for _ in range(25):
        size = first.scale * rng.uniform(0.6, 0.9)
        edge = size + base * _EDGE
        x = rng.uniform(edge, width - edge)
        # Above the subject's shoulders, which are drawn later and would cover the face.
        low = max(edge, first.y - 0.9 * first.scale)
        y = rng.uniform(low, max(low, first.y + 0.9 * (first.scale - size)))
        placement = Placement(float(x), float(y), float(size), float(rng.normal(0, 5)))
        actor = Actor(candidate.who, placement, candidate.posture, candidate.turn)
        heads = [_grown(a.face, 0.45 * a.placement.scale + gap) for a in actors]
        mine = _grown(actor.face, 0.45 * size)
        if all(mine.iou(box) == 0 for box in (*heads, reserved)):
            return actor
    return None


def _distractors(spec: SceneSpec, reserved: Box, rng: np.random.Generator) -> tuple[Thing, ...]:
    width, height = spec.controls.width, spec.controls.height
    base = base_length(width, height)
    things: list[Thing] = []
    for _ in range(int(rng.integers(spec.controls.distractors + 1))):
        drawing = DISTRACTORS[int(rng.integers(len(DISTRACTORS)))]
        size, roll = base * rng.uniform(0.08, 0.17), float(rng.uniform(-15, 15))
        colour, seed = _colour(rng.uniform(30, 230, 3)), int(rng.integers(2**31))
        for _ in range(6):
            x, y = float(rng.uniform(0, width)), float(rng.uniform(0.1, 1) * height)
            thing = Thing(drawing, Placement(x, y, float(size), roll), colour, seed)
            if _extent(thing).iou(_grown(reserved, base * _GAP)) == 0:
                things.append(thing)
                break
    return tuple(things)


def _extent(thing: Thing) -> Box:
    """Room that a thing takes, with a roll up to 18 degrees."""
    p, half = thing.placement, 1.25 * thing.placement.scale
    return Box(p.x - half, p.y - half, p.x + half, p.y + half)


def _grown(box: Box, by: float) -> Box:
    return Box(box.x1 - by, box.y1 - by, box.x2 + by, box.y2 + by)


def _colour(values: np.ndarray) -> tuple[float, float, float]:
    b, g, r = values.tolist()
    return b, g, r
