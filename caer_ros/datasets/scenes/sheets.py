"""Pictures for people: what the faces and things look like, and whether one would agree."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from caer_ros.core import CAER7, Box
from caer_ros.datasets.scenes.body import BODY_REACH, draw_body, draw_posture
from caer_ros.datasets.scenes.draw import Scene
from caer_ros.datasets.scenes.face import HEAD_REACH, draw_face
from caer_ros.datasets.scenes.facs import blend_face, confusers
from caer_ros.datasets.scenes.hair import draw_back, draw_front
from caer_ros.datasets.scenes.identity import draw_identity
from caer_ros.datasets.scenes.objects import CUES, DISTRACTORS, Drawing, Thing
from caer_ros.datasets.scenes.pen import Placement, pen_on
from caer_ros.perception.contact_sheet import contact_sheet

_TILE = 128
_AMBIGUITIES = (1.0, 0.75, 0.5, 0.25)
_INK, _PAPER = (30, 30, 30), (214, 216, 214)


def sample_sheet(scenes: Sequence[Scene], columns: int = 7) -> np.ndarray:
    """Scenes with their boxes (green faces, blue object) and labels: uint8 [h, w, 3], BGR."""
    return contact_sheet([_annotated(scene) for scene in scenes], columns, 280)


@lru_cache(maxsize=1)
def vocabulary_sheet(seed: int = 0) -> np.ndarray:
    """Rows of emotions: blends towards one confuser, the pure face, blends to the other, things.

    Blends are those in the middle of what an ambiguity draws: half of it is the confuser.

    Returns:
        uint8 [h, w, 3], BGR.
    """
    rows = [_heading()]
    for k, label in enumerate(CAER7):
        first, second = confusers(label)
        steps = [(first, a / 2) for a in _AMBIGUITIES]
        steps += [(label, 0.0), *((second, a / 2) for a in reversed(_AMBIGUITIES))]
        rows.append(
            np.hstack(
                [_face_tile(seed + k, label, *step) for step in steps]
                + [_thing_tile(drawing, label) for drawing in CUES[label]]
            )
        )
    wide = rows[0].shape[1]
    rest = np.hstack([_thing_tile(drawing, "no meaning") for drawing in DISTRACTORS])
    rows.append(
        cv2.copyMakeBorder(rest, 0, 0, 0, wide - rest.shape[1], cv2.BORDER_CONSTANT, value=_PAPER)
    )
    return np.vstack(rows)


def _heading() -> np.ndarray:
    names = [f"a {a:g}" for a in (*_AMBIGUITIES, 0.0, *reversed(_AMBIGUITIES))] + ["thing"] * 3
    image = np.full((26, _TILE * len(names), 3), _PAPER, np.uint8)
    for k, name in enumerate(names):
        _write(image, name, (k * _TILE + 40, 18))
    return image


def _face_tile(person: int, label: str, confuser: str, share: float) -> np.ndarray:
    rng = np.random.default_rng([person, 11])
    who, posture = draw_identity(rng), draw_posture(rng)
    tile = np.full((_TILE, _TILE, 3), _PAPER, np.uint8)
    place = Placement(_TILE / 2, _TILE * 0.47, _TILE * 0.3)
    with pen_on(tile, place, BODY_REACH) as pen:
        draw_body(pen, who, posture)
    with pen_on(tile, place, HEAD_REACH) as pen:
        draw_back(pen, who)
        draw_face(pen, who, blend_face(label, confuser, share), (0.0, 0.0))
        draw_front(pen, who)
    name = label if share == 0 else f"{label[:4]} / {confuser[:4]}"
    return _titled(tile, name)


def _thing_tile(drawing: Drawing, label: str) -> np.ndarray:
    tile = np.full((_TILE, _TILE, 3), _PAPER, np.uint8)
    Thing(drawing, Placement(_TILE / 2, 54, 46), (170, 110, 90), 1).draw(tile)
    return _titled(tile, f"{label}: {drawing.__name__.replace('_', ' ')}")


def _titled(tile: np.ndarray, text: str) -> np.ndarray:
    tile[-16:] = _PAPER
    _write(tile, text, (3, _TILE - 4), 0.35)
    return tile


def _annotated(scene: Scene) -> np.ndarray:
    image = scene.image.copy()
    for box in scene.faces:
        _frame(image, box, (80, 220, 80))
    if scene.object_box is not None:
        _frame(image, scene.object_box, (255, 120, 60))
    spec = scene.spec
    text = f"{spec.label} a{spec.ambiguity:.2f} {spec.subject.confuser[:4]} {spec.outcome}"
    cv2.rectangle(image, (0, 0), (image.shape[1], 17), _PAPER, -1)
    _write(image, text, (4, 13), 0.46)
    return image


def _frame(image: np.ndarray, box: Box, colour: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = (round(v) for v in (box.x1, box.y1, box.x2, box.y2))
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, 1)


def _write(image: np.ndarray, text: str, at: tuple[int, int], size: float = 0.42) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, _INK, 1, cv2.LINE_AA)
