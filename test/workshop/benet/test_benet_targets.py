"""Targets of BENet's maps: where centres lie, what is drawn round them, who is left out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import Box, InputError
from caer_ros.datasets.emotic.records import AnnotatedImage, AnnotatedPerson
from caer_ros.training.benet.targets import (
    ImagePeople,
    background_targets,
    image_people,
    map_targets,
    person_targets,
    stack_targets,
)


def at(*boxes: tuple[float, ...], seed: int = 0) -> ImagePeople:
    """People at `boxes`, with labels that tell them apart."""
    rng = np.random.default_rng(seed)
    k = len(boxes)
    return ImagePeople(
        np.array(boxes, np.float32).reshape(k, 4),
        rng.integers(0, 2, (k, 26)).astype(np.float32),
        rng.integers(0, 2, (k, 26)).astype(bool),
        rng.uniform(-1, 1, (k, 3)).astype(np.float32),
    )


def test_one_person_by_hand() -> None:
    # Centre (41, 23), 20 wide, 10 high.
    targets = map_targets([at((31, 18, 51, 28))], 64, 96, 4)
    assert targets.centres.tolist() == [[0, 5, 10]]
    assert targets.sizes.tolist() == [[2.5, 5.0]]
    assert targets.heat.shape == (1, 1, 16, 24)
    half = map_targets([at((31, 18, 51, 28))], 64, 96, 2)
    assert half.centres.tolist() == [[0, 11, 20]]
    assert half.sizes.tolist() == [[5, 10]]
    assert half.heat.shape == (1, 1, 32, 48)
    assert half.heat.dtype == torch.float32
    assert half.centres.dtype == torch.int64


@pytest.mark.parametrize("stride", [4, 2])
def test_the_gaussian_is_the_same_at_both_resolutions(stride: int) -> None:
    heat = map_targets([at((40, 40, 88, 88))], 128, 128, stride).heat[0, 0].numpy()
    y = x = 64 // stride
    assert heat[y, x] == 1
    wanted = [0.8825, 0.6065, 0.3247, 0.1353, 0.0439, 0.0111, 0.0022]
    right, below = heat[y, x + 1 : x + 8], heat[y + 1 : y + 8, x]
    left, above = heat[y, x - 7 : x][::-1], heat[y - 7 : y, x][::-1]
    for line in (right, left, above, below):
        assert line == pytest.approx(wanted, abs=5e-5)
    assert heat[y + 3, x + 4] == pytest.approx(math.exp(-25 / 8), rel=1e-6)
    # 15 x 15 cells and not one more.
    assert np.count_nonzero(heat) == 225
    assert heat[y - 7, x - 7] > 0
    assert heat[y - 8, x] == heat[y, x + 8] == 0


@pytest.mark.parametrize("corner", [(0, 0), (0, 31), (31, 0), (31, 31)])
def test_at_the_edge_the_patch_is_cut(corner: tuple[int, int]) -> None:
    y, x = corner
    box = (2 * x + 0.5, 2 * y + 0.5, 2 * x + 1.5, 2 * y + 1.5)
    heat = map_targets([at(box)], 64, 64, 2).heat[0, 0]
    assert heat[y, x] == 1
    assert np.count_nonzero(heat.numpy()) == 64


def test_overlapping_people_merge_by_maximum() -> None:
    boxes = (20, 20, 40, 40), (26, 20, 46, 40)
    both = map_targets([at(*boxes)], 64, 64, 2).heat
    alone = [map_targets([at(box)], 64, 64, 2).heat for box in boxes]
    assert torch.equal(both, torch.maximum(*alone))
    assert (both == 1).sum() == 2


def test_two_people_in_one_cell_both_stay() -> None:
    targets = map_targets([at((20, 20, 40, 40), (10, 10, 50, 50))], 64, 64, 4)
    assert targets.centres.tolist() == [[0, 7, 7]] * 2
    assert targets.sizes.tolist() == [[5, 5], [10, 10]]
    assert (targets.heat == 1).sum() == 1


def test_labels_follow_their_people_over_images() -> None:
    images = [at((0, 0, 8, 8), (90, 10, 99, 19), (20, 30, 30, 40)), at(), at((5, 5, 9, 9), seed=1)]
    targets = map_targets(images, 64, 64, 2)
    # The second person's centre is outside.
    assert targets.centres[:, 0].tolist() == [0, 0, 2]
    for i, (image, person) in enumerate(((0, 0), (0, 2), (2, 0))):
        for got, field in zip(targets.people, images[image][1:], strict=True):
            np.testing.assert_array_equal(got[i].numpy(), field[person])
    assert targets.heat[1].sum() == 0
    assert targets.heat[2].sum() > 0


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((-1, 10, 0.9, 20), False),
        ((-1, 10, 1.1, 20), True),
        ((63, 10, 65.1, 20), False),
        ((62, 10, 65.9, 20), True),
        ((10, -9, 20, 8.9), False),
        ((10, 60, 20, 68), False),
    ],
)
def test_who_is_left_out_is_the_same_at_both_resolutions(
    box: tuple[float, ...], inside: bool
) -> None:
    for stride in (2, 4):
        assert len(map_targets([at(box)], 64, 64, stride).centres) == inside


def test_no_limit_of_people_and_none() -> None:
    boxes = [(x, y, x + 3, y + 3) for x in range(0, 60, 8) for y in range(0, 40, 8)]
    assert len(boxes) == 40
    targets = map_targets([at(*boxes)], 64, 64, 2)
    assert len(targets.centres) == 40
    assert (targets.heat == 1).sum() == 40
    nobody = map_targets([at()], 64, 64, 2)
    assert nobody.heat.sum() == 0
    assert [len(field) for field in (nobody.centres, nobody.sizes, *nobody.people)] == [0] * 5
    nothing = map_targets([], 64, 32, 4)
    assert nothing.heat.shape == (0, 1, 16, 8)
    assert nothing.people.categories.shape == (0, 26)


@pytest.mark.parametrize(
    "box", [(5, 5, 5, 9), (5, 9, 9, 5), (math.nan, 1, 2, 3), (1, 1, math.inf, 3)]
)
def test_broken_boxes_are_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="no area"):
        map_targets([at(box)], 64, 64, 2)


def test_sides_that_do_not_divide_are_refused() -> None:
    with pytest.raises(InputError, match="1/4"):
        map_targets([at((1, 1, 9, 9))], 64, 66, 4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(0, 10**6), st.sampled_from([2, 4]))
def test_targets_of_a_mirrored_image_are_mirrored(count: int, seed: int, stride: int) -> None:
    rng = np.random.default_rng(seed)
    width = 96
    # Centres at quarters of a pixel, so never between two cells.
    centres = rng.integers(0, (width, 64), (count, 2)) + 0.25
    half = rng.integers(1, 40, (count, 2)) / 2
    people = at(*np.hstack([centres - half, centres + half]).tolist(), seed=seed)
    mirrored = people.boxes.copy()
    mirrored[:, [0, 2]] = width - people.boxes[:, [2, 0]]
    targets = map_targets([people], 64, width, stride)
    other = map_targets([people._replace(boxes=mirrored)], 64, width, stride)
    assert torch.equal(other.heat, targets.heat.flip(3))
    assert torch.equal(other.centres[:, :2], targets.centres[:, :2])
    assert torch.equal(other.centres[:, 2], width // stride - 1 - targets.centres[:, 2])
    assert torch.equal(other.sizes, targets.sizes)
    assert torch.equal(other.people.categories, targets.people.categories)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(0, 10**6))
def test_every_centre_is_a_one_and_every_one_a_centre(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-20, 60, (count, 2))
    people = at(*np.hstack([corners, corners + rng.uniform(0.5, 40, (count, 2))]).tolist())
    targets = map_targets([people], 64, 64, 2)
    ones = {tuple(cell) for cell in (targets.heat[:, 0] == 1).nonzero().tolist()}
    assert ones == {tuple(centre) for centre in targets.centres.tolist()}
    assert targets.heat.max() <= 1
    assert targets.heat.min() >= 0


# Labels


def person(emotions: list[int], vad: tuple[float, ...], known: list[int]) -> AnnotatedPerson:
    return AnnotatedPerson(
        Box(1, 2, 30, 40),
        np.isin(np.arange(26), emotions).astype(np.float32),
        np.isin(np.arange(26), known),
        np.array(vad, np.float32),
    )


def test_annotated_people_become_arrays() -> None:
    nan = math.nan
    people = image_people(
        [person([3], (0.5, nan, -1), list(range(26))), person([0, 4], (nan,) * 3, [0, 4])]
    )
    assert people.boxes.tolist() == [[1, 2, 30, 40]] * 2
    assert [field.dtype for field in people] == [np.float32, np.float32, bool, np.float32]
    assert people.categories[1].nonzero()[0].tolist() == [0, 4]
    assert people.known.sum(axis=1).tolist() == [26, 2]
    np.testing.assert_array_equal(people.vad, np.float32([[0.5, nan, -1], [nan] * 3]))
    image = AnnotatedImage(Path("a.jpg"), 64, 64, (), "train")
    with pytest.raises(InputError, match="without people"):
        image_people(image.people)


def test_the_background_knows_what_anybody_feels() -> None:
    nan = math.nan
    people = image_people(
        [
            person([0, 1, 5, 6], (0.5, nan, nan), [0, 1, 2, 3, 6]),  # 5 is set, but not known
            person([1, 2], (-0.1, 0.2, nan), [0, 1, 2, 4]),
        ]
    )
    row = background_targets(people)
    assert row.categories[0].nonzero().flatten().tolist() == [0, 1, 2, 6]
    # 0, 1, 2 and 6 somebody has; 3 and 4 are known to be absent of one person only.
    assert row.known[0].nonzero().flatten().tolist() == [0, 1, 2, 6]
    np.testing.assert_allclose(row.vad[0].numpy(), [0.2, 0.2, nan], rtol=1e-6)
    everything = image_people([person([7], (0, 0, 0), list(range(26)))] * 2)
    assert background_targets(everything).known.all()


def test_rows_of_images_are_stacked() -> None:
    people = at((1, 1, 5, 5), (2, 2, 9, 9))
    rows = stack_targets([person_targets(people, 1), background_targets(people)])
    np.testing.assert_array_equal(rows.categories[0].numpy(), people.categories[1])
    np.testing.assert_array_equal(rows.vad[0].numpy(), people.vad[1])
    assert rows.known.shape == (2, 26)
    nobody = stack_targets([])
    assert [tuple(field.shape) for field in nobody] == [(0, 26), (0, 26), (0, 3)]
    assert nobody.known.dtype == torch.bool
