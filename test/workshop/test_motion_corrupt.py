"""Clips made worse: what changes, what does not, and the same again for the same seed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from caer_ros.core import Box, InputError
from caer_ros.evaluation.motion.corrupt import KINDS, STRENGTHS, corrupt, drop
from caer_ros.evaluation.motion.footage import Footage, footage_of
from caer_ros.evaluation.motion.movement import boxes, camera, heads, wander
from caer_ros.evaluation.motion.pixels import blur, flicker, line_kernel, noise

FACE = Box(40, 30, 70, 66)
OTHER = Box(110, 40, 126, 60)


def footage(frames: int = 12, grey: int | None = None) -> Footage:
    """A smooth picture, or plain grey, repeated: all that moves or flickers is the corruption's."""
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(60, 180, (8, 10, 3), dtype=np.uint8), (160, 120))
    if grey is not None:
        picture[:] = grey
    return Footage((picture,) * frames, ((FACE, OTHER),) * frames, tuple(range(frames)))


def dice() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("kind", KINDS)
def test_an_amount_of_nothing_changes_nothing(kind: str) -> None:
    plain = footage()
    for same in (corrupt(plain, kind, 0, 5), KINDS[kind].change(plain, 0.0, dice())):
        assert same.ticks == plain.ticks
        np.testing.assert_array_equal(np.stack(same.frames), np.stack(plain.frames))
        for got, wanted in zip(same.faces, plain.faces, strict=True):
            for a, b in zip(got, wanted, strict=True):
                assert (a.x1, a.y1, a.x2, a.y2) == pytest.approx((b.x1, b.y1, b.x2, b.y2))


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_repeats_and_another_one_does_not(kind: str) -> None:
    def made(seed: int) -> tuple:
        found = corrupt(footage(40), kind, 3, seed)
        return found.ticks, found.faces, np.stack(found.frames).tobytes()

    assert made(1) == made(1)
    assert made(1) != made(2)


@pytest.mark.parametrize("kind", KINDS)
def test_the_original_stays_as_it_is(kind: str) -> None:
    plain = footage()
    before = np.stack(plain.frames)
    corrupt(plain, kind, 3, 0)
    np.testing.assert_array_equal(np.stack(plain.frames), before)


@pytest.mark.parametrize("kind", KINDS)
def test_more_strength_is_more_of_it(kind: str) -> None:
    plain = footage(40)

    def distance(found: Footage) -> float:
        moved = [abs(a[0].x1 - FACE.x1) for a in found.faces]
        pixels = [np.abs(f.astype(float) - plain.frames[0]).mean() for f in found.frames]
        return len(plain) - len(found) + float(np.mean(moved) + np.mean(pixels))

    assert list(KINDS[kind].amounts) == sorted(KINDS[kind].amounts)
    away = [distance(corrupt(plain, kind, strength, 4)) for strength in (0, *STRENGTHS)]
    assert away[0] == pytest.approx(0)
    assert away == sorted(set(away))


@pytest.mark.parametrize(("length", "angle"), [(0, 0), (0.4, 1), (3, 0), (7.5, 0.6), (20, 2.9)])
def test_a_blur_kernel_sums_to_one_about_its_middle(length: float, angle: float) -> None:
    kernel = line_kernel(length, angle)
    size = len(kernel)
    assert kernel.shape == (size, size)
    assert size % 2 == 1
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    places = np.arange(size) - size // 2
    assert kernel.sum(axis=0) @ places == pytest.approx(0, abs=1e-4)
    spread = np.sqrt(kernel.sum(axis=0) @ places**2 + kernel.sum(axis=1) @ places**2)
    assert spread == pytest.approx(length / np.sqrt(12), abs=0.6)


def test_a_kernel_lies_along_its_angle() -> None:
    across, down = line_kernel(9, 0.0), line_kernel(9, np.pi / 2)
    assert np.count_nonzero(across.sum(axis=1) > 1e-6) == 1
    assert np.count_nonzero(down.sum(axis=0) > 1e-6) == 1


def test_blur_keeps_the_mean_and_takes_the_detail() -> None:
    plain = footage(3)
    spoilt = blur(plain, 0.5, dice())
    for frame in spoilt.frames:
        assert frame.mean() == pytest.approx(plain.frames[0].mean(), abs=1.5)
        assert cv2.Laplacian(frame, cv2.CV_64F).var() < 0.8 * _detail(plain.frames[0])
    assert spoilt.faces == plain.faces


def _detail(frame: np.ndarray) -> float:
    return cv2.Laplacian(frame, cv2.CV_64F).var()


def test_flicker_changes_the_mean_from_frame_to_frame() -> None:
    plain = footage(30, grey=60)
    means = np.array([frame.mean() for frame in flicker(plain, 0.5, dice()).frames])
    stops = np.log2(means / 60)
    assert np.median(np.abs(np.diff(means))) > 5
    assert stops.std() == pytest.approx(0.5, abs=0.15)
    assert np.abs(stops).max() <= 1.01


def test_noise_has_the_deviation_it_says() -> None:
    spoilt = noise(footage(4, grey=128), 16.0, dice())
    values = np.stack(spoilt.frames).astype(float)
    assert values.mean() == pytest.approx(128, abs=0.3)
    assert values.std() == pytest.approx(16, abs=0.3)
    assert not np.array_equal(spoilt.frames[0], spoilt.frames[1])


def test_noise_stays_within_what_pixels_hold() -> None:
    for grey in (0, 255):
        values = np.stack(noise(footage(2, grey=grey), 32.0, dice()).frames).astype(int)
        assert abs(values - grey).max() < 200


def marked() -> Footage:
    """Black, with the face white: where it goes can be measured."""
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[int(FACE.y1) : int(FACE.y2), int(FACE.x1) : int(FACE.x2)] = 255
    return Footage((picture,) * 20, ((FACE,),) * 20, tuple(range(20)))


@pytest.mark.parametrize(("change", "amount"), [(camera, 0.06), (heads, 0.2)])
def test_boxes_go_with_the_faces(change, amount: float) -> None:
    spoilt, reached = change(marked(), amount, dice()), 0.0
    for frame, (box,) in zip(spoilt.frames, spoilt.faces, strict=True):
        rows, columns = np.nonzero(frame[:, :, 0] > 127)
        assert columns.mean() + 0.5 == pytest.approx((box.x1 + box.x2) / 2, abs=1)
        assert rows.mean() + 0.5 == pytest.approx((box.y1 + box.y2) / 2, abs=1)
        assert (box.width, box.height) == pytest.approx((FACE.width, FACE.height))
        reached = max(reached, abs(box.x1 - FACE.x1))
    assert reached > 4


def test_heads_sway_alone() -> None:
    plain = footage()
    spoilt = heads(plain, 0.2, dice())
    for frame, (one, other) in zip(spoilt.frames, spoilt.faces, strict=True):
        assert (one.x1 - FACE.x1) / 36 != pytest.approx((other.x1 - OTHER.x1) / 20)
        # The corner is far from both.
        np.testing.assert_array_equal(frame[112:, 145:], plain.frames[0][112:, 145:])


def test_jittered_boxes_leave_the_picture_alone() -> None:
    plain = footage(200)
    spoilt = boxes(plain, 0.1, dice())
    assert spoilt.frames == plain.frames
    shifts = np.array([((f.x1 + f.x2) / 2 - 55) / 36 for f, _ in spoilt.faces])
    sizes = np.log([f.width / FACE.width for f, _ in spoilt.faces])
    for values in (shifts, sizes):
        assert values.mean() == pytest.approx(0, abs=0.02)
        assert values.std() == pytest.approx(0.1, abs=0.03)


def test_offsets_wander_within_bounds() -> None:
    ways = wander(dice(), 4000, 2)
    assert np.abs(ways).max() <= 2
    assert ways.std(axis=0) == pytest.approx([0.95, 0.95], abs=0.1)
    assert np.corrcoef(ways[1:, 0], ways[:-1, 0])[0, 1] == pytest.approx(0.8, abs=0.05)


def test_dropped_frames_are_gone_and_the_rest_keep_their_times() -> None:
    plain = footage(400)
    little, more = (drop(plain, amount, dice()) for amount in (0.1, 0.3))
    assert 1 - len(more) / 400 == pytest.approx(0.3, abs=0.07)
    assert more.ticks[0] == 0
    assert list(more.ticks) == sorted(set(more.ticks))
    assert set(more.ticks) < set(little.ticks)
    assert len(more.frames) == len(more.faces) == len(more.ticks)
    assert drop(plain, 1.0, dice()).ticks == (0,)


def test_unknown_kinds_and_strengths_are_refused() -> None:
    with pytest.raises(InputError, match=r"'rain'.*camera, head"):
        corrupt(footage(), "rain", 1, 0)
    with pytest.raises(InputError, match="strength is 4"):
        corrupt(footage(), "blur", 4, 0)


def test_faces_that_were_missed_are_borrowed_from_the_nearest_frame() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    early, late = Box(0, 0, 2, 2), Box(4, 4, 6, 6)
    found = footage_of([(picture, f) for f in ((), (early,), (), (), (late,))])
    assert [f[0] for f in found.faces] == [early, early, early, late, late]
    with pytest.raises(InputError, match="No frame"):
        footage_of([(picture, ())])
