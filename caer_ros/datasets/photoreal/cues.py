"""What in a picture, besides the face, goes with an emotion: a thing, the place's mood, the
person's posture, or company of the same mind.

A cue is right in most pictures that have one, not in all: `RIGHT`. A picture without a cue may have
an idle thing, so that things as such tell nothing. Which cue a picture has is drawn from dice of
its own: without cues pictures are the same to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.photoreal.body import Posture, plain_posture, telling_posture
from caer_ros.datasets.photoreal.light import Light
from caer_ros.datasets.photoreal.moods import MOODS, set_mood
from caer_ros.datasets.photoreal.pose import View
from caer_ros.datasets.photoreal.things import place_thing
from caer_ros.datasets.photoreal.view import HEIGHT, WIDTH
from caer_ros.datasets.scenes.objects import CUES, DISTRACTORS

# Of cues, how many go with the label; the others go with any other emotion.
RIGHT = 0.85
_KINDS = {"thing": 0.45, "mood": 0.25, "posture": 0.15, "company": 0.15}
_IDLE = 0.5
# Of a companion's face, against the subject's.
_SMALLER = (0.6, 0.95)
_LEAST_FACE = 22.0
# A larger face leaves no room for arms.
_MOST_FACE = 95.0


@dataclass(frozen=True)
class Cue:
    """kind: `thing`, `mood`, `posture`, `company`, `idle` (a thing without meaning) or empty; name
    of what it is; label: whose emotion it goes with (empty: nobody's); box in pixels, None where
    there is no cue."""

    kind: str = ""
    name: str = ""
    label: str = ""
    box: Box | None = None

    def moved(self, x: float, y: float) -> Cue:
        """The same, `x` and `y` pixels further, cut off at the picture's edges."""
        if self.box is None:
            return self
        b = self.box
        box = Box(b.x1 + x, b.y1 + y, b.x2 + x, b.y2 + y).clipped(WIDTH, HEIGHT)
        return replace(self, box=box)


NO_CUE = Cue()


def check_cues(share: float) -> None:
    """Raises InputError: the share of pictures with a cue is not within 0 to 1."""
    if not 0 <= share <= 1:
        raise InputError(f"--cues {share:g} is no share.", "Use 0 to 1.")


def draw_cue(label: str, share: float, rng: np.random.Generator) -> Cue:
    """What cue a picture of `label` is to have; nothing is drawn yet, and there is no box."""
    chance, right, other = rng.random(), rng.random(), int(rng.integers(len(CAER7) - 1))
    kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    idle = rng.random() < _IDLE
    if chance >= share:
        return Cue("idle") if idle and share > 0 else NO_CUE
    whose = label if right < RIGHT else [name for name in CAER7 if name != label][other]
    return Cue(kind, label=whose)


def fit_cue(cue: Cue, view: View, rng: np.random.Generator) -> tuple[Cue, View | None]:
    """The cue, and where company stands. Arms of a face that fills the picture would not be seen,
    and beside it is no room for company: the place's mood tells the same instead."""
    if cue.kind == "company":
        there = _beside(view, rng)
        return (cue if there else replace(cue, kind="mood")), there
    if cue.kind == "posture" and view.face > _MOST_FACE:
        return replace(cue, kind="mood"), None
    return cue, None


def hold_arms(cue: Cue, rng: np.random.Generator) -> tuple[Posture, Cue]:
    """How the subject holds the arms, and the cue with its name where that is it."""
    if cue.kind != "posture":
        return plain_posture(rng), cue
    posture = telling_posture(cue.label, rng)
    return posture, replace(cue, name=posture.name)


def furnish(
    ground: np.ndarray,
    cue: Cue,
    taken: np.ndarray,
    faces: list[Box],
    light: Light,
    rng: np.random.Generator,
    margin: int = 0,
) -> tuple[np.ndarray, Cue, np.ndarray | None]:
    """Paint a cue's mood or thing into the place; see `place_thing`.

    Returns:
        the place, uint8 RGB [H, W, 3], the cue with its box in the place's pixels, and a thing's
        alpha float32 [H, W]. Where a thing finds no room, the mood tells the same.
    """
    height, width = ground.shape[:2]
    if cue.kind == "mood":
        whole = Box(margin, margin, width - margin, height - margin)
        painted = set_mood(ground, cue.label, rng)
        return painted, replace(cue, name=MOODS[cue.label].__name__, box=whole), None
    if cue.kind not in ("thing", "idle"):
        return ground, cue, None
    choice = CUES[cue.label] if cue.kind == "thing" else DISTRACTORS
    drawing = choice[int(rng.integers(len(choice)))]
    placed = place_thing(ground, drawing, taken, faces, light, rng, margin)
    if placed is None and cue.kind == "thing":
        return furnish(ground, replace(cue, kind="mood"), taken, faces, light, rng, margin)
    if placed is None:
        return ground, NO_CUE, None
    return placed.ground, replace(cue, name=drawing.__name__, box=placed.box), placed.alpha


def _beside(view: View, rng: np.random.Generator) -> View | None:
    """A view of somebody who stands beside and behind the person of `view`; None without room."""
    face = view.face * float(rng.uniform(*_SMALLER))
    side = 1.0 if view.centre[0] < WIDTH / 2 else -1.0
    gap = float(rng.uniform(1.5, 2.2)) * view.face
    x = view.centre[0] + side * gap
    y = view.centre[1] + float(rng.uniform(-0.15, 0.15)) * view.face
    inside = 0.5 * face < x < WIDTH - 0.5 * face and 0.6 * face < y < HEIGHT - 0.6 * face
    if not inside or face < _LEAST_FACE:
        return None
    yaw = -side * float(rng.uniform(0, 30))
    return replace(
        view,
        yaw=yaw,
        pitch=float(rng.normal(0, 5)),
        roll=float(rng.normal(0, 5)),
        body=0.5 * yaw,
        gaze=(float(rng.normal(0, 6)), float(rng.normal(0, 4))),
        face=face,
        centre=(float(x), float(y)),
        distance=max(view.distance, 90.0),
    )
