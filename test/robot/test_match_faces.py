"""Faces and bodies become people: nobody lost, nobody twice, whatever the order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caer_ros.core import Box, EmotionEstimate, PersonEmotion
from caer_ros.perception.assignment import assign
from caer_ros.perception.match_faces import match_faces


def said(model: str) -> EmotionEstimate:
    return EmotionEstimate(model, ("a",), np.ones(1, np.float32))


def body(*corners: float, **others) -> PersonEmotion:
    return PersonEmotion(body=Box(*corners), estimates=(said("bodies"),), **others)


def face(*corners: float, **others) -> PersonEmotion:
    return PersonEmotion(face=Box(*corners), estimates=(said("faces"),), **others)


def pairs(people):
    """(body, face) of everybody, as a set: boxes, or None."""
    return {(p.body, p.face) for p in people}


# --- who belongs together ---


def test_a_face_in_the_upper_half_of_a_body_is_one_person_with_it():
    (person,) = match_faces([body(0, 0, 40, 100)], [face(12, 5, 28, 25)])
    assert person.body == Box(0, 0, 40, 100)
    assert person.face == Box(12, 5, 28, 25)
    assert [e.model for e in person.estimates] == ["bodies", "faces"]


@pytest.mark.parametrize(
    "corners",
    [
        (12, 45, 28, 65),  # centre below the middle
        (-20, 5, -4, 25),  # beside it
        (34, 5, 50, 25),  # its centre is beside it
        (12, -30, 28, -10),  # above it
        (-5, 0, 45, 30),  # wider than the body
        (10, -60, 30, 50),  # higher than the body
    ],
)
def test_other_faces_are_people_of_their_own(corners):
    people = match_faces([body(0, 0, 40, 100)], [face(*corners)])
    assert [(p.body is not None, p.face is not None) for p in people] == [
        (True, False),
        (False, True),
    ]


def test_on_the_edge_counts_as_inside():
    (person,) = match_faces([body(0, 0, 40, 100)], [face(32, 40, 48, 60)])
    assert person.face is not None
    (person,) = match_faces([body(0, 0, 40, 100)], [face(0, -50, 40, 50)])
    assert person.face is not None


def test_of_two_faces_the_one_where_a_head_is_expected_goes_to_the_body():
    child, parent = face(2, 20, 10, 30), face(14, 2, 26, 16)
    people = match_faces([body(0, 0, 40, 100)], [child, parent])
    assert pairs(people) == {(Box(0, 0, 40, 100), parent.face), (None, child.face)}


def test_as_many_people_as_possible_become_whole():
    # The child's face fits both bodies, and the parent's better than its own; the parent's fits his
    # own only. Taking the nearest first would leave the parent without a face.
    parent, child = body(0, 0, 60, 200), body(10, 60, 50, 200)
    high, low = face(24, 4, 36, 20), face(24, 62, 36, 80)
    assert pairs(match_faces([parent, child], [low, high])) == {
        (parent.body, high.face),
        (child.body, low.face),
    }
    # A face that only the wide one can have, and one that both can: both become whole.
    left, wide = body(0, 0, 40, 100), body(0, 0, 90, 100)
    near, far = face(12, 2, 28, 20), face(70, 2, 86, 20)
    assert pairs(match_faces([wide, left], [near, far])) == {
        (left.body, near.face),
        (wide.body, far.face),
    }


def test_a_tie_is_decided_alike_in_any_order():
    bodies = [body(0, 0, 40, 100), body(10, 0, 50, 100)]
    one = face(17, 0, 33, 20)  # its centre, 25, is as far from 20 as from 30
    found = [pairs(match_faces(order, [one])) for order in permutations(bodies)]
    assert found[0] == found[1]
    assert sum(given_to is not None for _, given_to in found[0]) == 1


def test_ids_come_from_the_body_or_else_the_face():
    both = match_faces(
        [body(0, 0, 40, 100, track_id="b1"), body(100, 0, 140, 100)],
        [face(12, 5, 28, 25, track_id="f1"), face(112, 5, 128, 25, track_id="f2")],
    )
    assert [p.track_id for p in both] == ["b1", "f2"]


def test_who_is_whole_already_stays_as_he_is():
    whole = PersonEmotion(face=Box(50, 5, 60, 25), body=Box(0, 0, 40, 100))
    also = PersonEmotion(face=Box(12, 5, 28, 25), body=Box(200, 0, 240, 100))
    lone = face(12, 5, 28, 25)
    assert match_faces([whole], [also, lone]) == (whole, also, lone)


def test_bodies_keep_their_order_and_lone_faces_follow_in_theirs():
    bodies = [body(x, 0, x + 40, 100) for x in (200, 0, 100)]
    faces = [face(x, 300, x + 10, 310) for x in (90, 10)]
    people = match_faces(bodies, [faces[0], face(12, 5, 28, 25), faces[1]])
    assert [p.body for p in people] == [b.body for b in bodies] + [None, None]
    assert [p.face for p in people[3:]] == [f.face for f in faces]
    assert people[1].face is not None


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_nobody_of_either_kind(empty):
    bodies = [] if empty in (0, 2) else [body(0, 0, 40, 100)]
    faces = [] if empty in (0, 1) else [face(0, 0, 4, 4)]
    assert match_faces(bodies, faces) == (*bodies, *faces)


# --- whatever comes ---

SIDES = st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 60)] * 2)


def boxes(most: int):
    made = st.lists(SIDES, max_size=most, unique=True)
    return made.map(lambda sides: [(x, y, x + w, y + h) for x, y, w, h in sides])


@given(boxes(6), boxes(6))
def test_nobody_is_lost_and_nobody_twice(bodies, faces):
    people = match_faces([body(*b) for b in bodies], [face(*f) for f in faces])
    found = [p.body for p in people if p.body], [p.face for p in people if p.face]
    assert sorted(map(corners, found[0])) == sorted(bodies)
    assert sorted(map(corners, found[1])) == sorted(faces)
    assert sum(len(p.estimates) for p in people) == len(bodies) + len(faces)
    for person in people:
        if person.body and person.face:
            assert may_be(corners(person.body), corners(person.face))


@given(boxes(5), boxes(5), st.randoms(use_true_random=False))
def test_the_order_decides_nothing(bodies, faces, random):
    first = match_faces([body(*b) for b in bodies], [face(*f) for f in faces])
    random.shuffle(bodies)
    random.shuffle(faces)
    again = match_faces([body(*b) for b in bodies], [face(*f) for f in faces])
    assert pairs(first) == pairs(again)


@given(boxes(4), boxes(4))
def test_nobody_could_become_whole_beside_the_others(bodies, faces):
    people = match_faces([body(*b) for b in bodies], [face(*f) for f in faces])
    whole = sum(p.body is not None and p.face is not None for p in people)
    assert whole == most_pairs(bodies, faces)


def corners(box: Box) -> tuple[float, ...]:
    return box.x1, box.y1, box.x2, box.y2


def may_be(b, f) -> bool:
    x, y = (f[0] + f[2]) / 2, (f[1] + f[3]) / 2
    return (
        b[0] <= x <= b[2]
        and b[1] <= y <= (b[1] + b[3]) / 2
        and f[2] - f[0] <= b[2] - b[0]
        and f[3] - f[1] <= b[3] - b[1]
    )


def most_pairs(bodies, faces) -> int:
    if not bodies:
        return 0
    first, rest = bodies[0], bodies[1:]
    best = most_pairs(rest, faces)
    for place, each in enumerate(faces):
        if may_be(first, each):
            best = max(best, 1 + most_pairs(rest, faces[:place] + faces[place + 1 :]))
    return best


# --- the assignment itself ---


def by_trying_all(costs: np.ndarray) -> tuple[int, float]:
    """Most pairs, and their least sum."""
    rows, columns = costs.shape
    padded = np.full((rows, columns + rows), np.nan)
    padded[:, :columns] = costs
    best = (0, 0.0)
    for chosen in permutations(range(columns + rows), rows):
        picked = padded[np.arange(rows), list(chosen)]
        if np.isinf(picked).any():
            continue
        real = picked[~np.isnan(picked)]
        best = min(best, (-len(real), float(real.sum())))
    return -best[0], best[1]


@given(
    st.integers(1, 3),
    st.integers(1, 4),
    st.lists(st.one_of(st.just(np.inf), st.floats(0, 1)), min_size=12, max_size=12),
)
def test_the_assignment_is_as_good_as_trying_all(rows, columns, values):
    costs = np.array(values[: rows * columns]).reshape(rows, columns)
    found = assign(costs)
    assert len({r for r, _ in found}) == len({c for _, c in found}) == len(found)
    count, total = by_trying_all(costs)
    assert len(found) == count
    assert sum(costs[pair] for pair in found) == pytest.approx(total, abs=1e-9)


def test_a_crowd_that_overlaps_everywhere_is_assigned_to_the_last():
    costs = np.random.default_rng(0).uniform(0, 1, (60, 60))
    found = assign(costs)
    assert sorted(c for _, c in found) == list(range(60))
    # No exchange of two would be better.
    chosen = [c for _, c in found]
    for a in range(60):
        for b in range(a):
            kept = costs[a, chosen[a]] + costs[b, chosen[b]]
            assert kept <= costs[a, chosen[b]] + costs[b, chosen[a]] + 1e-9


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 3), (2, 2)])
def test_nothing_to_assign(shape):
    assert assign(np.full(shape, np.inf)) == []
