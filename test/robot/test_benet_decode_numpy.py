"""Decoding BENet's maps: by hand, against a slow and literal decoder, and in all corners."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import Box, EngineError, EngineMismatch, InputError
from caer_ros.perception.benet_decode import (
    BenetDecode,
    Decoded,
    decode,
    read_at,
    rows_above,
)
from caer_ros.perception.benet_maps import MapArrays, MapPair, arrays_of

EMOTIONS = 5
NOBODY = -30.0


def random_maps(height: int, width: int, seed: int, vad: bool = True) -> MapPair:
    """Noise; `height` and `width` are of the map at 1/4."""
    rng = np.random.default_rng(seed)

    def side(h: int, w: int) -> MapArrays:
        heat, size, emotion, affect = (
            rng.normal(0, 2, (c, h, w)).astype(np.float32) for c in (1, 2, EMOTIONS, 3)
        )
        return MapArrays(heat, 5 + 2 * size, emotion, affect if vad else None)

    return side(height, width), side(2 * height, 2 * width)


def empty_maps(height: int, width: int) -> MapPair:
    """Nobody; everybody would be 10 x 6 cells at 1/2."""

    def side(h: int, w: int, high: float, wide: float) -> MapArrays:
        size = np.stack([np.full((h, w), high), np.full((h, w), wide)]).astype(np.float32)
        heat = np.full((1, h, w), NOBODY, np.float32)
        return MapArrays(heat, size, np.zeros((EMOTIONS, h, w), np.float32))

    return side(height, width, 5, 3), side(2 * height, 2 * width, 10, 6)


def mirror(maps: MapPair) -> MapPair:
    quarter, half = (
        MapArrays(*(None if field is None else field[..., ::-1] for field in side)) for side in maps
    )
    return quarter, half


def doubling(side: int) -> np.ndarray:
    """[2 side, side]: bilinear interpolation as a matrix, from its definition."""
    matrix = np.zeros((2 * side, side))
    for i in range(2 * side):
        place = min(max((i + 0.5) / 2 - 0.5, 0), side - 1)
        low = min(int(place), side - 1)
        high = min(low + 1, side - 1)
        matrix[i, low] += 1 - (place - low)
        matrix[i, high] += place - low
    return matrix


def enlarged(field: np.ndarray) -> np.ndarray:
    return doubling(field.shape[1]) @ field.astype(np.float64) @ doubling(field.shape[2]).T


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def literal(maps: MapPair, config: BenetDecode, mirrored: MapPair | None = None) -> dict:
    """Enlarge everything, merge everything, look at every cell: slow and plain."""
    views = [maps] if mirrored is None else [maps, mirror(mirrored)]
    heat, size, emotion, vad = (
        np.mean(fields, axis=0)
        for fields in zip(
            *(
                (
                    (sigmoid(enlarged(q.heat)) + sigmoid(h.heat)) / 2,
                    enlarged(q.size) * 2 + h.size,
                    (sigmoid(enlarged(q.emotion)) + sigmoid(h.emotion)) / 2,
                    (enlarged(q.vad) + h.vad) / 2,
                )
                for q, h in views
            ),
            strict=True,
        )
    )
    # So that what float32 can not tell apart ties here, too.
    heat = heat.round(9)
    if config.full_size:
        heat, size, emotion, vad = (enlarged(field) for field in (heat, size, emotion, vad))
    height, width = heat.shape[1:]
    reach = config.kernel // 2
    found = []
    for y in range(height):
        for x in range(width):
            p = heat[0, y, x]
            near = [
                (heat[0, j, i], (j, i) < (y, x))
                for j in range(max(y - reach, 0), min(y + reach + 1, height))
                for i in range(max(x - reach, 0), min(x + reach + 1, width))
                if (j, i) != (y, x)
            ]
            if p > config.threshold and all(p > v if before else p >= v for v, before in near):
                found.append((p, y, x))
    found.sort(key=lambda person: (-person[0], person[1:]))
    boxes, cells = [], [(y, x) for _, y, x in found[: config.top_k]]
    for y, x in cells:
        right = heat[0, y, min(x + 1, width - 1)] - heat[0, y, max(x - 1, 0)]
        below = heat[0, min(y + 1, height - 1), x] - heat[0, max(y - 1, 0), x]
        cx = (x + 0.5 + config.shift * np.sign(right)) * config.stride
        cy = (y + 0.5 + config.shift * np.sign(below)) * config.stride
        h, w = np.maximum(size[:, y, x], 1)
        boxes.append((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
    return {
        "boxes": np.array(boxes).reshape(-1, 4),
        "scores": np.array([p for p, *_ in found[: config.top_k]]),
        "emotions": np.array([emotion[:, y, x] for y, x in cells]).reshape(-1, EMOTIONS),
        "vad": np.array([vad[:, y, x] for y, x in cells]).reshape(-1, 3).clip(-1, 1),
        "peaks": len(found),
    }


def same(got: Decoded, wanted: dict) -> None:
    assert got.peaks == wanted["peaks"]
    for name in ("boxes", "scores", "emotions", "vad"):
        array = getattr(got, name)
        assert array.shape == wanted[name].shape, name
        assert array.dtype == np.float32, name
        np.testing.assert_allclose(array, wanted[name], atol=1e-4, err_msg=name)


def test_one_person_by_hand() -> None:
    quarter, half = empty_maps(6, 8)
    half.heat[0, 5, 9] = 0  # p = .5 here, 0 at 1/4: the mean is .25
    half.heat[0, 5, 10] = -1  # so the centre moves to the right
    half.heat[0, 6, 9] = -4
    half.emotion[:, 5, 9] = [0, math.log(3), -math.log(3), 30, -30]
    found = decode((quarter, half))
    assert found.peaks == 1
    assert found.scores == pytest.approx([0.25])
    # Centre x = (9 + .5 + .25) * 2 = 19.5, y = (5 + .5 + .25) * 2 = 11.5; 20 x 12 pixels.
    assert found.boxes == pytest.approx(np.array([[13.5, 1.5, 25.5, 21.5]]))
    # At 1/4 every emotion has p = .5.
    assert found.emotions == pytest.approx(np.array([[0.5, 0.625, 0.375, 0.75, 0.25]]))
    assert np.isnan(found.vad).all()
    assert found.vad.shape == (1, 3)


def test_both_resolutions_have_a_say() -> None:
    quarter, half = empty_maps(4, 4)
    half.heat[0, 4, 4] = 2.0
    quarter.heat[:] = -1.0
    quarter.size[:] = 9  # 36 pixels against 20 x 12
    found = decode((quarter, half), BenetDecode(threshold=0.5))
    assert found.scores == pytest.approx([(sigmoid(2.0) + sigmoid(-1.0)) / 2])
    x1, y1, x2, y2 = found.boxes[0]
    assert (x2 - x1, y2 - y1) == pytest.approx((24, 28))


@pytest.mark.parametrize("full_size", [False, True])
@pytest.mark.parametrize("flip", [False, True])
@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(0, 10**6),
    st.sampled_from([3, 5, 7]),
    st.integers(1, 12),
)
def test_as_the_literal_decoder(
    full_size: bool, flip: bool, height: int, width: int, seed: int, kernel: int, top_k: int
) -> None:
    maps = random_maps(height, width, seed)
    mirrored = random_maps(height, width, seed + 1) if flip else None
    config = BenetDecode(top_k, 0.4, kernel, 0.25, full_size)
    same(decode(maps, config, mirrored), literal(maps, config, mirrored))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10**6))
def test_ties_as_the_literal_decoder(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = random_maps(height, width, seed)
    for side in maps:
        # So far apart that even mixtures are exactly 0, 1/2 or 1 after the sigmoid.
        side.heat[:] = rng.choice([-4096, 0, 4096], side.heat.shape, p=(0.5, 0.3, 0.2))
    config = BenetDecode(kernel=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the test's own plain sigmoid
        wanted = literal(maps, config)
    same(decode(maps, config), wanted)


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        ([(4, 4), (4, 5)], [(4, 4)]),
        ([(4, 4), (5, 4)], [(4, 4)]),
        ([(5, 3), (4, 4)], [(4, 4)]),
        ([(4, 4), (4, 6)], [(4, 4)]),
        ([(4, 4), (4, 7)], [(4, 4), (4, 7)]),
        ([(4, x) for x in range(12)], [(4, 0)]),
        ([(y, x) for y in range(12) for x in range(12)], [(0, 0)]),
    ],
)
def test_a_tie_is_one_person(cells: list[tuple[int, int]], kept: list[tuple[int, int]]) -> None:
    quarter, half = empty_maps(6, 6)
    for y, x in cells:
        half.heat[0, y, x] = 3
    found = decode((quarter, half), BenetDecode(shift=0))
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    assert [tuple(c) for c in centres.tolist()] == [(2 * x + 1, 2 * y + 1) for y, x in kept]
    assert found.peaks == len(kept)


def test_more_people_than_rows_are_counted() -> None:
    quarter, half = empty_maps(20, 32)
    spots = [(y, x) for y in range(2, 40, 8) for x in range(2, 64, 8)]
    assert len(spots) == 40
    for i, (y, x) in enumerate(spots):
        half.heat[0, y, x] = 1 + i / 10
    found = decode((quarter, half))
    assert found.peaks == 40
    assert len(found.scores) == len(found.boxes) == len(found.emotions) == 30
    wanted = sigmoid(1 + np.arange(39, 9, -1) / 10) / 2
    assert found.scores == pytest.approx(wanted)
    everybody = decode((quarter, half), BenetDecode(top_k=100))
    assert len(everybody.scores) == everybody.peaks == 40


def test_the_threshold_itself_is_not_enough() -> None:
    quarter, half = empty_maps(3, 3)
    half.heat[0, 2, 2] = 0
    for side in (quarter, half):
        side.heat[side.heat == NOBODY] = -4096
    assert decode((quarter, half), BenetDecode(threshold=0.25)).peaks == 0
    assert decode((quarter, half), BenetDecode(threshold=0.2499)).peaks == 1


def test_nobody() -> None:
    found = decode(empty_maps(5, 7))
    assert [len(part) for part in found[:4]] == [0] * 4
    assert found.boxes.shape == (0, 4)
    assert found.emotions.shape == (0, EMOTIONS)
    assert found.vad.shape == (0, 3)
    assert found.peaks == 0


def test_one_pixel_maps_and_fewer_cells_than_rows() -> None:
    maps = random_maps(1, 1, 0)
    maps[1].heat[0] = [[0, 0.1], [3, 0.2]]
    found = decode(maps)
    assert found.peaks == len(found.scores) == 1
    assert (found.boxes[0, :2] + found.boxes[0, 2:]) / 2 == pytest.approx([0.5, 3.5])


@pytest.mark.parametrize(
    ("cell", "centre"), [((0, 0), (0.5, 0.5)), ((11, 15), (31.5, 23.5)), ((0, 15), (31.5, 0.5))]
)
def test_people_at_the_edge(cell: tuple[int, int], centre: tuple[float, float]) -> None:
    quarter, half = empty_maps(6, 8)
    half.heat[(0, *cell)] = 3
    (box,) = decode((quarter, half)).boxes
    assert ((box[:2] + box[2:]) / 2).tolist() == pytest.approx(centre)
    # Not clipped: that is the caller's, who knows the picture's size.
    assert box[2:] - box[:2] == pytest.approx([12, 20])


def test_a_wild_network_still_gives_boxes_with_an_area() -> None:
    maps = random_maps(8, 8, 3)
    for side in maps:
        side.size[:] = -100
        side.heat[:] *= 1e4
        side.vad[:] *= 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = decode(maps)
    assert len(found.boxes) > 3
    for box, score in zip(found.boxes.tolist(), found.scores.tolist(), strict=True):
        assert Box(*box, score).area == pytest.approx(1)
    assert set(np.abs(found.vad).ravel().tolist()) == {1.0}


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 10**6), st.booleans())
def test_a_mirrored_image_has_mirrored_people(
    height: int, width: int, seed: int, full_size: bool
) -> None:
    maps = random_maps(height, width, seed)
    config = BenetDecode(threshold=0.3, full_size=full_size)
    found, other = decode(maps, config), decode(mirror(maps), config)
    flipped = other.boxes[:, [2, 1, 0, 3]] * np.float32([-1, 1, -1, 1])
    flipped[:, [0, 2]] += 4 * width
    np.testing.assert_allclose(flipped, found.boxes, atol=1e-4)
    np.testing.assert_allclose(other.scores, found.scores, atol=1e-6)
    np.testing.assert_allclose(other.emotions, found.emotions, atol=1e-6)
    np.testing.assert_allclose(other.vad, found.vad, atol=1e-5)
    assert other.peaks == found.peaks


def test_averaging_with_the_own_mirror_image_changes_nothing() -> None:
    maps = random_maps(6, 5, 9)
    for got, wanted in zip(decode(maps, None, mirror(maps)), decode(maps), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)


# Reading at given boxes


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10**6), st.booleans())
def test_read_at_as_the_literal_decoder(
    height: int, width: int, seed: int, full_size: bool
) -> None:
    maps, mirrored = random_maps(height, width, seed), random_maps(height, width, seed + 1)
    config = BenetDecode(threshold=0, kernel=3, shift=0, full_size=full_size)
    found = literal(maps, config, mirrored)
    # Other boxes whose centres lie somewhere in the same cells.
    offset = np.random.default_rng(seed).uniform(-0.49, 0.49, (len(found["boxes"]), 2))
    boxes = found["boxes"] + np.tile(offset * config.stride, 2)
    got = read_at(maps, boxes, config, mirrored)
    np.testing.assert_allclose(got.emotions, found["emotions"], atol=1e-5)
    np.testing.assert_allclose(got.vad, found["vad"], atol=1e-5)


def test_read_at_the_edge_and_nowhere() -> None:
    maps = random_maps(3, 4, 1)
    outside = read_at(maps, np.array([[-50, -60, -10, -20], [14, 10, 30, 40.0]]))
    inside = read_at(maps, np.array([[0, 0, 1, 1], [15, 11, 16, 12.0]]))
    np.testing.assert_array_equal(outside.emotions, inside.emotions)
    nobody = read_at(maps, np.zeros((0, 4)))
    assert nobody.emotions.shape == (0, EMOTIONS)
    with pytest.raises(InputError, match="not finite"):
        read_at(maps, np.array([[0, 0, math.nan, 1]]))


def test_without_a_detection_head_maps_can_be_read_only() -> None:
    maps = random_maps(3, 4, 1)
    quarter, half = (side._replace(heat=None, size=None) for side in maps)
    boxes = np.array([[3, 3, 9, 8.0]])
    for got, wanted in zip(read_at((quarter, half), boxes), read_at(maps, boxes), strict=True):
        np.testing.assert_array_equal(got, wanted)
    with pytest.raises(EngineMismatch, match="no detection head"):
        decode((quarter, half))


# What can not be decoded


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_a_broken_heat_map_is_an_error(value: float, side: int) -> None:
    maps = empty_maps(4, 4)
    maps[side].heat[0, 0, 0] = value
    with pytest.raises(EngineError, match="heat map"):
        decode(maps)


@pytest.mark.parametrize("field", ["size", "emotion", "vad"])
@pytest.mark.parametrize("side", [0, 1])
def test_other_maps_must_be_finite_where_people_are(field: str, side: int) -> None:
    maps = random_maps(4, 4, 0)
    for each in maps:
        each.heat[:] = NOBODY
    maps[1].heat[0, 2, 2] = 3
    getattr(maps[side], field)[0, -1, -1] = math.nan
    assert decode(maps).peaks == 1
    getattr(maps[side], field)[0, 1 + side, 1 + side] = math.nan
    with pytest.raises(EngineError, match="NaN"):
        decode(maps)


def test_maps_that_do_not_belong_together() -> None:
    quarter, half = random_maps(4, 4, 0)
    with pytest.raises(EngineMismatch, match="belong together"):
        decode((quarter, quarter))
    with pytest.raises(EngineMismatch, match="belong together"):
        decode((quarter, half), None, random_maps(4, 5, 0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"top_k": 0},
        {"threshold": 1.0},
        {"threshold": -0.1},
        {"kernel": 4},
        {"kernel": 1},
        {"shift": 0.6},
        {"shift": -0.1},
    ],
)
def test_settings_out_of_range(wrong: dict) -> None:
    with pytest.raises(InputError, match=f"decode: {next(iter(wrong))}"):
        BenetDecode(**wrong)


def test_rows_of_a_batch() -> None:
    batch = tuple(np.arange(2 * c * 6, dtype=np.float64).reshape(2, c, 2, 3) for c in (1, 2, 5, 3))
    row = arrays_of(batch, 1)
    for got, field in zip(row, batch, strict=True):
        np.testing.assert_array_equal(got, field[1])
        assert got.dtype == np.float32
    assert row.cells == (2, 3)
    without = arrays_of((None, None, batch[2], None))
    assert without.heat is without.size is without.vad is None


# Rows of the graph that decodes itself


def graph_rows(scores: list[float]) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    k = len(scores)
    boxes, emotions, vad = (rng.random((k, c), np.float32) for c in (4, EMOTIONS, 3))
    return boxes, np.float32(scores), emotions, vad


def test_rows_are_cut_by_score() -> None:
    boxes, scores, emotions, vad = graph_rows([0.9, 0.5, 0.3, 0.1, 0])
    found = rows_above(boxes, scores, emotions, vad, 4, 0.3)
    assert found.scores.tolist() == [np.float32(0.9), 0.5]
    np.testing.assert_array_equal(found.boxes, boxes[:2])
    np.testing.assert_array_equal(found.emotions, emotions[:2])
    np.testing.assert_array_equal(found.vad, vad[:2])
    # The graph counted 4 above a lower threshold, but nobody is missing.
    assert found.peaks == 2
    assert rows_above(boxes, scores, emotions, None, 4, 0.3).vad.shape == (2, 3)
    assert np.isnan(rows_above(boxes, scores, emotions, None, 4, 0.3).vad).all()
    full = graph_rows([0.9, 0.8])
    assert rows_above(*full, 7, 0.3).peaks == 7


def test_rows_must_be_finite_where_they_are_kept() -> None:
    for column in (0, 2, 3):
        rows = graph_rows([0.9, 0.5, 0.0])
        rows[column][2, 0] = math.nan
        assert len(rows_above(*rows, 2, 0.1).scores) == 2
        rows[column][1, 0] = math.nan
        with pytest.raises(EngineError, match="NaN"):
            rows_above(*rows, 2, 0.1)
    boxes, _, emotions, vad = graph_rows([0, 0, 0])
    with pytest.raises(EngineError, match="scores"):
        rows_above(boxes, np.float32([math.nan] * 3), emotions, vad, 0, 0.1)
