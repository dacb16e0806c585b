"""The pre-transformations of section 3.3: what they show, whom they keep, when they are allowed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import InputError
from caer_ros.datasets.emotic import views
from caer_ros.datasets.emotic.view_mix import ViewMix, covered_share
from caer_ros.datasets.emotic.views import (
    draw_view,
    extract_subject,
    mask_all_subjects,
    random_mask_subjects,
    raw_view,
)

WIDTH, HEIGHT = 60, 40


def _image() -> np.ndarray:
    """No pixel is black."""
    return np.random.default_rng(0).integers(1, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def _boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float64)


APART = _boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10))


@st.composite
def crowds(draw: st.DrawFn) -> np.ndarray:
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        x1, y1 = draw(st.floats(0, WIDTH - 2)), draw(st.floats(0, HEIGHT - 2))
        x2, y2 = draw(st.floats(x1 + 1, WIDTH)), draw(st.floats(y1 + 1, HEIGHT))
        rows.append((x1, y1, x2, y2))
    return np.array(rows)


def test_extract_cuts_round_the_box() -> None:
    image, boxes = _image(), _boxes((1, 1, 9, 9), (20.5, 5, 29.25, 20))
    view = extract_subject(image, boxes, 1)
    np.testing.assert_array_equal(view.image, image[5:20, 20:30])
    np.testing.assert_allclose(view.boxes, [[0.5, 0, 9.25, 15]])
    assert view.people.tolist() == [1]


def test_mask_all_hides_everybody_and_nothing_else() -> None:
    image, boxes = _image(), _boxes((2, 3, 10, 12), (40.5, 30, 60, 40))
    view = mask_all_subjects(image, boxes)
    wanted = image.copy()
    wanted[3:12, 2:10] = 0
    wanted[30:40, 40:60] = 0
    np.testing.assert_array_equal(view.image, wanted)
    assert view.people.shape == (0,)
    assert view.boxes.shape == (0, 4)


def test_views_leave_the_picture_alone() -> None:
    image = _image()
    before = image.copy()
    for view in (
        extract_subject(image, APART, 0),
        mask_all_subjects(image, APART),
        random_mask_subjects(image, APART, 0, np.random.default_rng(1)),
        raw_view(image, APART),
    ):
        view.image[:] = 0
        view.boxes[:] = -1
    np.testing.assert_array_equal(image, before)
    assert APART.min() == 0


def test_people_apart_are_masked_half_the_time_and_the_subject_never() -> None:
    rng = np.random.default_rng(0)
    counts: Counter[int] = Counter()
    for _ in range(400):
        view = random_mask_subjects(_image(), APART, 1, rng)
        counts.update(view.people.tolist())
        np.testing.assert_array_equal(view.boxes, APART[view.people])
        hidden = [k for k in range(3) if (view.image[5, 20 * k + 5] == 0).all()]
        assert sorted([*hidden, *view.people.tolist()]) == [0, 1, 2]
    assert counts[1] == 400
    assert all(150 < counts[k] < 250 for k in (0, 2))


def test_ranges_that_cross_on_one_axis_only_do_not_hinder_a_mask() -> None:
    # The published code keeps a mask back where it shares columns or rows with a centre.
    boxes = _boxes((0, 0, 10, 10), (0, 20, 10, 30), (20, 0, 30, 10))
    rng = np.random.default_rng(0)
    seen = {tuple(random_mask_subjects(_image(), boxes, 0, rng).people) for _ in range(60)}
    assert seen == {(0,), (0, 1), (0, 2), (0, 1, 2)}


def test_a_mask_never_hides_the_centre_of_one_who_stays() -> None:
    boxes = _boxes((0, 0, 20, 20), (9, 9, 12, 12))  # on the subject's middle, 2 % of him
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert random_mask_subjects(_image(), boxes, 0, rng).people.tolist() == [0, 1]


@pytest.mark.parametrize(("width", "may_go"), [(7.0, True), (9.0, False)])
def test_a_mask_hides_at_most_forty_percent(width: float, may_go: bool) -> None:
    boxes = _boxes((0, 0, 20, 20), (0, 0, width, 20))
    rng = np.random.default_rng(0)
    counts = {len(random_mask_subjects(_image(), boxes, 0, rng).people) for _ in range(30)}
    assert counts == ({1, 2} if may_go else {2})


def test_the_mask_that_hides_most_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MASKED", 1.0)
    rng = np.random.default_rng(0)
    boxes = _boxes((0, 0, 20, 20), (0, 0, 2, 20), (13, 0, 20, 20))  # 10 % and 35 %
    assert random_mask_subjects(_image(), boxes, 0, rng).people.tolist() == [0, 2]
    # But the one on the centre first, however small.
    boxes = _boxes((0, 0, 20, 20), (9, 9, 11, 11), (13, 0, 20, 20))
    assert random_mask_subjects(_image(), boxes, 0, rng).people.tolist() == [0, 1]


def test_masks_count_together() -> None:
    # Each hides 30 % of the subject, both 60 %: one of them stays.
    boxes = _boxes((0, 0, 20, 20), (0, 0, 6, 20), (14, 0, 20, 20))
    rng = np.random.default_rng(0)
    seen = {tuple(random_mask_subjects(_image(), boxes, 0, rng).people) for _ in range(60)}
    assert (0,) not in seen
    assert {(0, 1), (0, 2)} & seen


@settings(max_examples=150, deadline=None)
@given(crowds(), st.integers(0, 5), st.integers(0, 2**32))
def test_random_masks_keep_their_promises(boxes: np.ndarray, place: int, seed: int) -> None:
    subject = place % len(boxes)
    view = random_mask_subjects(_image(), boxes, subject, np.random.default_rng(seed))
    assert subject in view.people
    visible = view.image.any(axis=2)
    for x1, y1, x2, y2 in view.boxes:
        assert visible[int((y1 + y2) / 2), int((x1 + x2) / 2)]
        part = visible[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))]
        assert part.mean() >= 0.6 - 1e-9
    # And somebody who is not kept is black altogether.
    for gone in set(range(len(boxes))) - set(view.people.tolist()):
        x1, y1, x2, y2 = boxes[gone]
        assert not visible[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))].any()


def test_covered_share_sums_over_the_others() -> None:
    boxes = _boxes((0, 0, 10, 10), (5, 0, 15, 10), (5, 5, 10, 10), (30, 30, 31, 31))
    assert covered_share(boxes, 0) == pytest.approx(0.75)
    assert covered_share(boxes, 2) == pytest.approx(2.0)
    assert covered_share(boxes, 3) == 0


def test_when_a_picture_allows_what() -> None:
    mix = ViewMix()
    assert mix.excluded(APART, 0, HEIGHT, WIDTH) == set()
    assert mix.excluded(APART, 0, 25, 25) == {"mask_all"}
    # The paper sums areas: the same box twice counts twice.
    twice = _boxes((0, 0, 25, 20), (0, 0, 25, 20))
    assert mix.excluded(twice[:1], 0, HEIGHT, WIDTH) == set()
    assert mix.excluded(twice, 0, HEIGHT, WIDTH) == {"extract", "mask_all"}
    cover = _boxes((0, 0, 10, 10), (6, 0, 20, 10))
    assert mix.excluded(cover, 0, HEIGHT, WIDTH) == set()  # exactly 40 % is not more than it
    assert ViewMix(most_covered=0.39).excluded(cover, 0, HEIGHT, WIDTH) == {"extract"}
    assert ViewMix(most_masked=0.09).excluded(cover, 0, HEIGHT, WIDTH) == {"mask_all"}


def test_excluded_probability_is_shared_equally() -> None:
    mix = ViewMix(0.3, 0.1, 0.4, 0.2)
    assert mix.without(set()) == pytest.approx(
        {"extract": 0.3, "mask_all": 0.1, "random_mask": 0.4, "raw": 0.2}
    )
    assert mix.without({"extract"}) == pytest.approx(
        {"mask_all": 0.2, "random_mask": 0.5, "raw": 0.3}
    )
    assert mix.without({"extract", "mask_all"}) == pytest.approx({"random_mask": 0.6, "raw": 0.4})
    # A head that is not trained gets nothing of it.
    two = ViewMix(extract=0.34, mask_all=0, random_mask=0.33, raw=0.33)
    assert two.without({"extract", "mask_all"}) == pytest.approx({"random_mask": 0.5, "raw": 0.5})
    assert ViewMix(0, 0, 1, 0).without({"extract"}) == {"random_mask": 1}


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ((0.5, 0.5, 0.5, 0), "are none"),
        ((-0.5, 0.5, 0.5, 0.5), "are none"),
        ((0.5, 0.5, 0, 0), "allow neither"),
        ((0.25, 0.25, 0.25, 0.25, -1), "below 0"),
    ],
)
def test_impossible_mixes(values: tuple[float, ...], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        ViewMix(*values)


def test_views_are_drawn_as_often_as_asked_and_only_where_allowed() -> None:
    rng, image = np.random.default_rng(0), _image()
    mix = ViewMix(0.4, 0.1, 0.3, 0.2)
    counts = Counter(draw_view(image, APART, 0, mix, rng).kind for _ in range(1000))
    for kind, share in {"extract": 0.4, "mask_all": 0.1, "random_mask": 0.3, "raw": 0.2}.items():
        assert counts[kind] / 1000 == pytest.approx(share, abs=0.05)
    crowded = _boxes((0, 0, 50, 40), (1, 1, 50, 40))
    kinds = {draw_view(image, crowded, 0, mix, rng).kind for _ in range(100)}
    assert kinds == {"random_mask", "raw"}
    # Who is extracted is the subject.
    view = draw_view(image, APART, 2, ViewMix(0.999999, 0, 1e-6, 0), rng)
    assert (view.kind, view.people.tolist()) == ("extract", [2])
