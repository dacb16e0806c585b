"""Draws a scene: place, things, people, the planted object, then light and noise over all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.scenes.arrange import PAN, Actor, arrange, base_length
from caer_ros.datasets.scenes.body import BODY_REACH, body_box, draw_body
from caer_ros.datasets.scenes.face import HEAD_REACH, draw_face
from caer_ros.datasets.scenes.facs import blend_face, draw_habit, with_habit
from caer_ros.datasets.scenes.hair import draw_back, draw_front
from caer_ros.datasets.scenes.objects import Thing
from caer_ros.datasets.scenes.pen import Placement, pen_on
from caer_ros.datasets.scenes.places import draw_place
from caer_ros.datasets.scenes.spec import Expression, SceneSpec

Shift = tuple[float, float]


@dataclass(frozen=True)
class Moment:
    """What a clip changes from frame to frame. Shifts in pixels; the default is a still.

    `strength` of the expressions in [0, 1]; `turn` is added to where heads look, one a person.
    """

    number: int = 0
    camera: Shift = (0.0, 0.0)
    strength: float = 1.0
    sways: tuple[Shift, ...] = ()
    turns: tuple[Shift, ...] = ()
    bob: Shift = (0.0, 0.0)


@dataclass(frozen=True)
class Scene:
    """A drawn scene.

    Attributes:
        image: uint8 [height, width, 3], BGR.
        faces: exact boxes of all faces in pixels, the subject's first; they do not depend on the
            expressions.
        bodies: boxes of the same people, hair to hips, clipped to the picture.
        object_box: tight box of the planted object, None where there is none.
        object_name: which drawing it is, such as `cake`.
        expressions: of the same people as `faces`.
        actors: the people themselves.
    """

    image: np.ndarray
    faces: tuple[Box, ...]
    bodies: tuple[Box, ...]
    object_box: Box | None
    object_name: str | None
    expressions: tuple[Expression, ...]
    actors: tuple[Actor, ...] = field(repr=False)
    spec: SceneSpec

    @property
    def label(self) -> str:
        return self.spec.label

    @property
    def label_index(self) -> int:
        """Place of the label in CAER7."""
        return self.spec.label_index

    def record(self) -> dict[str, Any]:
        """What there is to know besides the pixels, for JSON."""
        return spec_record(self.spec) | {
            "object": self.object_name,
            "object_box": corners(self.object_box),
            "faces": [corners(box) for box in self.faces],
            "bodies": [corners(box) for box in self.bodies],
            "expressions": [
                {"label": e.label, "confuser": e.confuser, "share": round(e.share, 6)}
                for e in self.expressions
            ],
        }


def spec_record(spec: SceneSpec) -> dict[str, Any]:
    """The controls' outcome of one scene, for JSON."""
    return {
        "split": spec.split,
        "index": spec.index,
        "seed": spec.seed,
        "label": spec.label,
        "label_index": spec.label_index,
        "confuser": spec.subject.confuser,
        "ambiguity": round(spec.ambiguity, 6),
        "share": round(spec.subject.share, 6),
        "face_certainty": round(spec.face_certainty, 6),
        "planted": spec.planted,
        "outcome": spec.outcome,
        "width": spec.controls.width,
        "height": spec.controls.height,
    }


def corners(box: Box | None) -> list[float] | None:
    """x1, y1, x2, y2 to a hundredth of a pixel, or None."""
    return None if box is None else [round(v, 2) for v in (box.x1, box.y1, box.x2, box.y2)]


class Stage:
    """A scene that is set up once and drawn at as many moments as wanted."""

    def __init__(self, spec: SceneSpec) -> None:
        self.spec = spec
        self.set = arrange(spec)
        width, height = spec.controls.width, spec.controls.height
        # The place reaches over the edge as far as the camera pans.
        self._margin = int(np.ceil(base_length(width, height) * PAN)) + 1
        margin = self._margin
        rng = np.random.default_rng([spec.seed, 5])
        self._place = draw_place(rng, width + 2 * margin, height + 2 * margin)
        for thing in self.set.distractors:
            thing.draw(self._place, (margin, margin))
        habits = np.random.default_rng([spec.seed, 6])
        self._habits = [draw_habit(habits, spec.controls.habit) for _ in range(4)]
        self._light = _Light(np.random.default_rng([spec.seed, 7]), width, height)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Of the people who found room, the subject first."""
        return (self.spec.subject, *self.spec.others)[: len(self.set.actors)]

    def frame(self, moment: Moment | None = None) -> Scene:
        """The scene at one moment."""
        now = moment or Moment()
        width, height = self.spec.controls.width, self.spec.controls.height
        dx, dy = round(now.camera[0]), round(now.camera[1])
        top, left = self._margin - dy, self._margin - dx
        image = self._place[top : top + height, left : left + width].copy()
        actors = [self._moved(k, (dx, dy), now) for k in range(len(self.set.actors))]
        self._draw_people(image, actors, now.strength)
        box = self._draw_planted(image, (dx + now.bob[0], dy + now.bob[1]))
        controls = self.spec.controls
        image = self._light.shine(image, controls.noise, [self.spec.seed, 8, now.number])
        planted: Thing | None = self.set.planted
        return Scene(
            image=image,
            faces=tuple(actor.face for actor in actors),
            bodies=tuple(
                body_box(actor.posture, actor.placement, width, height) for actor in actors
            ),
            object_box=box,
            object_name=planted.name if planted else None,
            expressions=self.expressions,
            actors=tuple(actors),
            spec=self.spec,
        )

    def _moved(self, k: int, camera: tuple[int, int], now: Moment) -> Actor:
        actor = self.set.actors[k]
        sway = now.sways[k] if k < len(now.sways) else (0.0, 0.0)
        turn = now.turns[k] if k < len(now.turns) else (0.0, 0.0)
        p = actor.placement
        place = Placement(p.x + camera[0] + sway[0], p.y + camera[1] + sway[1], p.scale, p.roll)
        return Actor(
            actor.who, place, actor.posture, (actor.turn[0] + turn[0], actor.turn[1] + turn[1])
        )

    def _draw_people(self, image: np.ndarray, actors: list[Actor], strength: float) -> None:
        # Companions stand behind the subject; among them all bodies are behind all heads.
        for actor in actors[1:]:
            _draw_body(image, actor)
        for k in range(1, len(actors)):
            self._draw_head(image, actors[k], k, strength)
        _draw_body(image, actors[0])
        self._draw_head(image, actors[0], 0, strength)

    def _draw_head(self, image: np.ndarray, actor: Actor, k: int, strength: float) -> None:
        e = self.expressions[k]
        face = with_habit(blend_face(e.label, e.confuser, e.share), self._habits[k], strength)
        with pen_on(image, actor.placement, HEAD_REACH) as pen:
            draw_back(pen, actor.who)
            draw_face(pen, actor.who, face, actor.turn)
            draw_front(pen, actor.who)

    def _draw_planted(self, image: np.ndarray, shift: Shift) -> Box | None:
        return self.set.planted.draw(image, shift) if self.set.planted else None


def draw_scene(spec: SceneSpec) -> Scene:
    """Draw one scene: a pure function of `spec` (for one version of numpy and OpenCV)."""
    return Stage(spec).frame()


def _draw_body(image: np.ndarray, actor: Actor) -> None:
    p = actor.placement
    with pen_on(image, Placement(p.x, p.y, p.scale), BODY_REACH) as pen:
        draw_body(pen, actor.who, actor.posture)


class _Light:
    """A colour cast, a slope of brightness over the picture, and grain."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        across, down = rng.uniform(-0.25, 0.25, 2)
        x = np.linspace(-across, across, width, dtype=np.float32)
        y = np.linspace(-down, down, height, dtype=np.float32)
        level = float(rng.uniform(0.75, 1.1))
        slope = level * (1 + x[None, :] + y[:, None])
        tint = (1 + rng.uniform(-0.08, 0.08, 3)).astype(np.float32)
        self._gain = slope[..., None] * tint
        self._grain = float(rng.random())

    def shine(self, image: np.ndarray, noise: float, seed: list[int]) -> np.ndarray:
        lit = image * self._gain
        if noise:
            rng = np.random.default_rng(seed)
            grain = rng.standard_normal(image.shape[:2], dtype=np.float32)
            lit += (grain * (self._grain * noise))[..., None]
        return np.clip(lit, 0, 255, out=lit).astype(np.uint8)
