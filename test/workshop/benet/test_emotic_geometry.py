"""One map for picture and boxes, light and colours, and how whole pictures fit into an input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from caer_ros.core import InputError
from caer_ros.datasets.emotic.geometry import (
    STILL,
    Geometry,
    clip_boxes,
    draw_map,
    warp_boxes,
    warp_image,
)
from caer_ros.datasets.emotic.photometric import NO_LIGHT, Light, relight
from caer_ros.perception.fit_frame import fit_letterbox, fit_short_side

SIZE = 128


def _painted(width: int, height: int, box: np.ndarray) -> np.ndarray:
    x1, y1, x2, y2 = box.astype(int)
    image = np.zeros((height, width, 3), np.uint8)
    image[y1:y2, x1:x2] = 255
    return image


def _extent(image: np.ndarray) -> np.ndarray:
    """x1, y1, x2, y2 of what is brighter than half, in edges of pixels."""
    rows, columns = np.nonzero(image[..., 0] > 127)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float64)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[int, int, np.ndarray]:
    width, height = draw(st.integers(60, 500)), draw(st.integers(60, 500))
    x1, y1 = draw(st.integers(0, width - 30)), draw(st.integers(0, height - 30))
    x2, y2 = draw(st.integers(x1 + 20, width)), draw(st.integers(y1 + 20, height))
    return width, height, np.array([[x1, y1, x2, y2]], np.float64)


@settings(max_examples=150, deadline=None)
@given(pictures(), st.integers(0, 2**32), st.floats(0, 5), st.booleans())
def test_boxes_follow_the_picture(picture, seed: int, rotation: float, lean: bool) -> None:
    width, height, box = picture
    how = Geometry(rotation=rotation, perspective=0.0256 if lean else 0.0)
    rng = np.random.default_rng(seed)
    matrix = draw_map(width, height, min(width, height), SIZE, how, rng)
    mapped = warp_boxes(box, matrix)
    seen = np.clip(mapped, 0, SIZE)
    assume(((mapped >= 1) & (mapped <= SIZE - 1)).all())
    assume((seen[0, 2:] - seen[0, :2] > 6).all())
    found = _extent(warp_image(_painted(width, height, box[0]), matrix, SIZE))
    np.testing.assert_allclose(mapped[0], found, atol=1.5)


@settings(max_examples=100, deadline=None)
@given(pictures(), st.integers(0, 2**32))
def test_the_inverse_map_leads_back(picture, seed: int) -> None:
    width, height, box = picture
    matrix = draw_map(
        width, height, max(width, height), SIZE, Geometry(), np.random.default_rng(seed)
    )
    corners = np.array([[box[0, 0], box[0, 1], 1], [box[0, 2], box[0, 3], 1]])
    there = corners @ matrix.T
    back = (there / there[:, 2:]) @ np.linalg.inv(matrix).T
    np.testing.assert_allclose((back / back[:, 2:])[:, :2], corners[:, :2], atol=1e-6)
    # Without a turn the hull is the box itself, and the inverse gives it back.
    plain = Geometry(rotation=0, perspective=0)
    matrix = draw_map(width, height, width, SIZE, plain, np.random.default_rng(seed))
    np.testing.assert_allclose(
        warp_boxes(warp_boxes(box, matrix), np.linalg.inv(matrix)), box, atol=1e-6
    )


def test_the_hull_holds_all_four_corners() -> None:
    # A tall thin box turned by 90 degrees becomes a wide one; two corners alone would do, but at
    # 45 degrees its opposite corners lie above each other.
    box = np.array([[54.0, 54, 74, 74]])
    turned = warp_boxes(box, _turned(45))
    half = 10 * np.sqrt(2)
    np.testing.assert_allclose(turned, [[64 - half, 64 - half, 64 + half, 64 + half]], atol=1e-9)


def _turned(degrees: float) -> np.ndarray:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    middle = np.array([[1, 0, 64], [0, 1, 64], [0, 0, 1.0]])
    return middle @ [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]] @ np.linalg.inv(middle)


def test_pixels_are_not_shifted_by_a_map_that_does_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    matrix = draw_map(SIZE, SIZE, SIZE, SIZE, STILL, np.random.default_rng(0))
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-12)
    np.testing.assert_array_equal(warp_image(image, matrix, SIZE), image)


def test_mirroring_is_exact_and_moves_boxes_along() -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    mirror = Geometry((1, 1), 0, 0, 0, flip=1)
    matrix = draw_map(SIZE, SIZE, SIZE, SIZE, mirror, np.random.default_rng(0))
    np.testing.assert_array_equal(warp_image(image, matrix, SIZE), image[:, ::-1])
    np.testing.assert_allclose(warp_boxes(np.array([[10.0, 5, 30, 9]]), matrix), [[98, 5, 118, 9]])
    flips = [
        np.linalg.det(draw_map(9, 9, 9, 9, Geometry(), np.random.default_rng(k))[:2, :2]) < 0
        for k in range(200)
    ]
    assert 70 < sum(flips) < 130


def test_scale_counts_sides_of_the_picture() -> None:
    rng = np.random.default_rng(0)
    half = draw_map(100, 60, 60, 120, Geometry((0.5, 0.5), 0, 0, 0, 0), rng)
    # 30 pixels round the middle (50, 30) fill 120.
    middle, whole = np.array([[35.0, 15, 65, 45]]), np.array([[0.0, 0, 100, 60]])
    np.testing.assert_allclose(warp_boxes(middle, half), [[0, 0, 120, 120]])
    twice = draw_map(100, 60, 60, 120, Geometry((2, 2), 0, 0, 0, 0), rng)
    np.testing.assert_allclose(warp_boxes(whole, twice), [[10, 30, 110, 90]])


def test_draws_are_two_sided_and_within_their_ranges() -> None:
    how = Geometry((0.75, 1.5), 5, 0.1, 0.0256, 0)
    scales, shifts, turns, leans = [], [], [], []
    for seed in range(300):
        matrix = draw_map(100, 100, 100, 100, how, np.random.default_rng(seed))
        middle = np.linalg.inv(matrix) @ [50, 50, 1]
        middle /= middle[2]
        # The picture's point in the middle of the input has neither lean nor shift in it.
        back = np.linalg.inv(matrix)
        jacobian = (back[:2, :2] - np.outer(middle[:2], back[2, :2])) / (back[2] @ [50, 50, 1])
        scale = np.sqrt(np.linalg.det(jacobian))
        scales.append(scale)
        shifts.append((middle[:2] - 50) / (100 * scale))
        turns.append(np.degrees(np.arctan2(jacobian[0, 1], jacobian[0, 0])))
        corners = warp_boxes(np.array([[49.0, 49, 51, 51]]), matrix)
        assert np.isfinite(corners).all()
        leans.append(back[2, :2] / (back[2] @ [50, 50, 1]) * 100)
    for values, low, high in (
        (scales, 0.75, 1.5),
        (np.ravel(shifts), -0.1, 0.1),
        (turns, -5, 5),
        (np.ravel(leans), -0.0256, 0.0256),
    ):
        assert low <= np.min(values) < low + 0.1 * (high - low)
        assert high >= np.max(values) > high - 0.1 * (high - low)


def test_the_same_generator_gives_the_same_map() -> None:
    maps = [draw_map(90, 60, 60, 64, Geometry(), np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(*maps)


def test_large_pictures_are_averaged_not_sampled() -> None:
    # Of noise, 64 pixels' mean scatters by an eighth; bilinear sampling reads four of them.
    image = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    small = warp_image(
        image, draw_map(1024, 1024, 1024, SIZE, STILL, np.random.default_rng(0)), SIZE
    )
    assert image.std() / 9 < small.std() < image.std() / 7
    assert small.mean() == pytest.approx(127.5, abs=2)


def test_who_leaves_the_input() -> None:
    boxes = np.array(
        [
            [10.0, 10, 30, 30],  # inside
            [-9, 10, 11, 30],  # centre inside, clipped
            [-12, 10, 10, 30],  # centre outside
            [-300, -300, 310, 310],  # centre inside, but hardly a quarter: 128^2 / 610^2
            [5, 5, 5.5, 90],  # thinner than a pixel
            [np.nan, 0, 1, 1],
        ]
    )
    clipped, stays = clip_boxes(boxes, SIZE)
    assert stays.tolist() == [0, 1]
    np.testing.assert_array_equal(clipped, [[10, 10, 30, 30], [0, 10, 11, 30]])
    none, nobody = clip_boxes(boxes[2:3], SIZE)
    assert none.shape == (0, 4)
    assert nobody.shape == (0,)


def test_boxes_behind_the_horizon_are_gone() -> None:
    lean = np.array([[1, 0, 0], [0, 1, 0], [-0.01, 0, 1]])
    boxes = warp_boxes(np.array([[10.0, 10, 20, 20], [95, 10, 120, 20]]), lean)
    assert np.isfinite(boxes[0]).all()
    assert np.isnan(boxes[1]).all()
    assert clip_boxes(boxes, SIZE)[1].tolist() == [0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": (1.5, 0.75)},
        {"scale": (0.0, 1.0)},
        {"rotation": -1},
        {"translation": 2},
        {"perspective": 1},
        {"flip": 1.5},
    ],
)
def test_wrong_geometry(wrong: dict) -> None:
    with pytest.raises(InputError, match=f"augment.geometry: {next(iter(wrong))}"):
        Geometry(**wrong)


def _grey(level: int) -> np.ndarray:
    return np.full((32, 32, 3), level, np.uint8)


def test_light_is_two_sided() -> None:
    only = Light(1, 0, (0, 0), 0.15, 0, 0, 0)
    means = [relight(_grey(100), only, np.random.default_rng(k)).mean() for k in range(200)]
    assert 84 <= min(means) < 88
    assert 112 < max(means) <= 116
    assert np.mean(means) == pytest.approx(100, abs=2)


def test_contrast_saturation_and_hue_do_what_they_say() -> None:
    halves = _grey(50)
    halves[:, 16:] = 150
    spread = [
        float(relight(halves, Light(1, 0, (0, 0), 0, 0.2, 0, 0), np.random.default_rng(k)).std())
        for k in range(100)
    ]
    assert min(spread) < 43 < 57 < max(spread)
    colour = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    colour[4:] = 10
    for k in range(20):
        changed = relight(colour, Light(1, 0, (0, 0), 0, 0, 0.3, 0), np.random.default_rng(k))
        # What is grey stays, and how bright colours look: 0.299, 0.587, 0.114 of them.
        assert (changed[4:] == 10).all()
        assert changed[0, 0] @ [0.299, 0.587, 0.114] == pytest.approx(124.2, abs=1)
        turned = relight(colour, Light(1, 0, (0, 0), 0, 0, 0, 0.5), np.random.default_rng(k))
        assert (turned[0].max(), turned[0].min()) == (200, 50)
    turns = {
        tuple(relight(colour, Light(1, 0, (0, 0), 0, 0, 0, 0.5), np.random.default_rng(k))[0, 0])
        for k in range(20)
    }
    assert len(turns) > 10


def test_blur_and_noise() -> None:
    sharp = _grey(0)
    sharp[16, 16] = 255
    blurred = relight(sharp, Light(1, 0, (2, 2), 0, 0, 0, 0), np.random.default_rng(0))
    assert np.count_nonzero(blurred[..., 0]) == 9
    noisy = Light(1, 0.01, (0, 0), 0, 0, 0, 0)
    spreads = [relight(_grey(128), noisy, np.random.default_rng(k)).std() for k in range(50)]
    # At most a tenth of 255, as a standard deviation.
    assert 20 < max(spreads) < 27
    assert min(spreads) < 8


def test_no_light_changes_nothing_and_copies() -> None:
    image = _grey(7)
    same = relight(image, NO_LIGHT, np.random.default_rng(0))
    np.testing.assert_array_equal(same, image)
    assert same is not image
    np.testing.assert_array_equal(
        relight(image, Light(), np.random.default_rng(1)),
        relight(image, Light(), np.random.default_rng(1)),
    )


@pytest.mark.parametrize("wrong", [{"noise": 2}, {"hue": 0.6}, {"blur": (2, 1)}, {"chance": -1}])
def test_wrong_light(wrong: dict) -> None:
    with pytest.raises(InputError, match=f"augment.light: {next(iter(wrong))}"):
        Light(**wrong)


@pytest.mark.parametrize(
    ("width", "height", "inner", "outer"),
    [
        (640, 480, (683, 512), (704, 512)),
        (480, 640, (512, 683), (512, 704)),
        (512, 512, (512, 512), (512, 512)),
        (100, 30, (1707, 512), (1728, 512)),
    ],
)
def test_the_published_test_size(width, height, inner, outer) -> None:
    fit = fit_short_side(width, height)
    assert fit.inner == inner
    assert (fit.width, fit.height) == outer
    assert (fit.left, fit.top) == ((outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2)


@settings(max_examples=60, deadline=None)
@given(pictures(), st.booleans())
def test_boxes_and_pixels_fit_alike_and_come_back(picture, square: bool) -> None:
    width, height, box = picture
    fit = fit_letterbox(width, height, 160) if square else fit_short_side(width, height, 128, 32)
    made = fit.apply(_painted(width, height, box[0]))
    assert made.shape == (fit.height, fit.width, 3)
    inside = fit.to_input(box)
    np.testing.assert_allclose(_extent(made), inside[0], atol=1.5)
    np.testing.assert_allclose(fit.to_source(inside), box, atol=1e-9)
    np.testing.assert_allclose(warp_boxes(box, fit.matrix), inside, atol=1e-9)


def test_bars_are_black_and_the_buffer_is_used_again() -> None:
    fit = fit_letterbox(100, 50, 64)
    out = np.full((64, 64, 3), 9, np.uint8)
    image = np.full((50, 100, 3), (10, 20, 30), np.uint8)
    assert fit.apply(image, "bgr8", out) is out
    assert (out[:16] == 0).all()
    assert (out[48:] == 0).all()
    assert (out[16:48] == [30, 20, 10]).all()
    thin = fit_letterbox(4000, 3, 64)
    assert thin.inner == (64, 1)
    with pytest.raises(InputError, match="A side of 0 pixels"):
        fit_short_side(0, 10)


def test_a_fit_of_one_to_one_copies_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fit_short_side(64, 64, 64).apply(image), image)
