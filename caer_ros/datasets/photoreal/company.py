"""Other people in a picture, who are never anybody's subject."""

from __future__ import annotations

import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.photoreal.body import embody, plain_posture, telling_posture
from caer_ros.datasets.photoreal.person import Person, Studio, make_person
from caer_ros.datasets.photoreal.render import Shot
from caer_ros.datasets.photoreal.view import HEIGHT, WIDTH

_TELLING = 0.5


def make_companion(studio: Studio, label: str, rng: np.random.Generator) -> Person:
    """Somebody of their own, whose arms may say what the face does."""
    person = make_person(studio, rng)
    telling = rng.random() < _TELLING
    return embody(person, telling_posture(label, rng) if telling else plain_posture(rng), rng)


def seen_box(shot: Shot, covered: np.ndarray | None = None) -> Box | None:
    """Box of what is seen of somebody, hair and arms and all; None where nothing is.

    `covered` float [H, W]: how much of each pixel belongs to people in front.
    """
    alpha = shot.alpha if covered is None else shot.alpha * (1 - covered)
    rows, columns = np.flatnonzero((alpha > 0.5).any(axis=1)), np.flatnonzero((alpha > 0.5).any(0))
    if not rows.size:
        return None
    corners = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return Box(*(float(v) for v in corners)).clipped(WIDTH, HEIGHT)
