"""Which face belongs to which body, where two models found them each on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from caer_ros.core import Box, PersonEmotion
from caer_ros.perception.assignment import assign


def match_faces(
    people_with_bodies: Sequence[PersonEmotion], people_with_faces: Sequence[PersonEmotion]
) -> tuple[PersonEmotion, ...]:
    """One person for each body with its face, each body without one and each face without one.

    A face can be a body's where its centre lies in the upper half of the body's box and it is
    neither wider nor higher than that. As many faces as possible get a body; among the ways to do
    so the best is taken, in which faces are nearest to the middle and the top of their bodies:
    |x of the centres| in widths plus |y of the tops| in heights of the body, summed. In a tie of
    equally good ways the boxes' places decide which is taken, so that the order in which people are
    given decides nothing, but between boxes that are the same.

    Args:
        people_with_bodies: those who have a face already keep it.
        people_with_faces: those who have a body already keep it.

    Returns:
        Those with a body in the order given, then the faces that are left, in theirs. Estimates are
        the body's, then the face's; the id is the body's, or the face's where that has none.
    """
    bodies = _by_place([(p.body, i) for i, p in enumerate(people_with_bodies) if not p.face])
    faces = _by_place([(p.face, i) for i, p in enumerate(people_with_faces) if not p.body])
    costs = _costs([box for box, _ in bodies], [box for box, _ in faces])
    face_of = {bodies[b][1]: faces[f][1] for b, f in assign(costs)}
    taken = set(face_of.values())
    whole = [
        _joined(person, people_with_faces[face_of[place]]) if place in face_of else person
        for place, person in enumerate(people_with_bodies)
    ]
    alone = [person for place, person in enumerate(people_with_faces) if place not in taken]
    return (*whole, *alone)


def _by_place(boxes: Sequence[tuple[Box | None, int]]) -> list[tuple[Box, int]]:
    known = [(box, place) for box, place in boxes if box is not None]
    return sorted(known, key=lambda pair: (*_corners(pair[0]), pair[0].score))


def _costs(bodies: Sequence[Box], faces: Sequence[Box]) -> np.ndarray:
    """float64 [bodies, faces] in [0, 1], infinity where they can not be one person's."""
    x1, y1, x2, y2 = (side[:, None] for side in _sides(bodies))
    left, top, right, bottom = (side[None, :] for side in _sides(faces))
    width, height = x2 - x1, y2 - y1
    x, y = (left + right) / 2, (top + bottom) / 2
    inside = (x >= x1) & (x <= x2) & (y >= y1) & (y <= (y1 + y2) / 2)
    fits = inside & (right - left <= width) & (bottom - top <= height)
    cost = np.abs(x - (x1 + x2) / 2) / width + np.abs(top - y1) / height
    return np.where(fits, cost, np.inf)


def _sides(boxes: Sequence[Box]) -> np.ndarray:
    """float64 [4, boxes]: x1, y1, x2, y2."""
    return np.array([_corners(box) for box in boxes], np.float64).reshape(-1, 4).T


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box.x1, box.y1, box.x2, box.y2


def _joined(body: PersonEmotion, face: PersonEmotion) -> PersonEmotion:
    return replace(
        body,
        face=face.face,
        estimates=(*body.estimates, *face.estimates),
        track_id=body.track_id or face.track_id,
    )
