"""Cuts, augmentation, batches: the same seed gives the same pixels, and streams stay together."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from caer_ros.core import Box, InputError
from caer_ros.datasets.cuts import Choice, Cut, crop_offset, cut_context, cut_face, scaled_size
from caer_ros.datasets.examples import Example
from caer_ros.datasets.loader import stack, view_batches
from caer_ros.datasets.scene_source import SceneSource
from caer_ros.datasets.scenes import SceneControls
from caer_ros.training.feed import TrainingFeed, epoch_order
from caer_ros.training.recipe_data import last_of_each_class
from caer_ros.training.stream_augment import Augment, Change, augment_example

ALWAYS = Change(chance=1.0, contrast=0.5, brightness=0.3, colour=0.3, erase=0.0)


def example(frames: tuple[int, ...] = ()) -> Example:
    rng = np.random.default_rng(0)
    face = rng.integers(0, 256, (*frames, 16, 16, 3), dtype=np.uint8)
    context = rng.integers(0, 256, (*frames, 32, 32, 3), dtype=np.uint8)
    return Example(face, context, 3)


@pytest.mark.parametrize("frames", [(), (4,)])
def test_both_streams_are_flipped_or_neither(frames: tuple[int, ...]) -> None:
    before, flips = example(frames), 0
    for seed in range(20):
        after = augment_example(before, Augment(flip=0.5), np.random.default_rng(seed), True)
        face = np.array_equal(after.face, before.face[..., ::-1, :])
        context = np.array_equal(after.context, before.context[..., ::-1, :])
        assert face == context
        assert face or np.array_equal(after.face, before.face)
        flips += face
    assert 4 < flips < 16


@pytest.mark.parametrize("frames", [(), (4,)])
def test_streams_change_by_their_own_switches(frames: tuple[int, ...]) -> None:
    before = example(frames)
    rng = np.random.default_rng
    after = augment_example(before, Augment(flip=0, face=ALWAYS), rng(1), True)
    assert not np.array_equal(after.face, before.face)
    np.testing.assert_array_equal(after.context, before.context)
    after = augment_example(before, Augment(flip=0, context=ALWAYS), rng(1), True)
    np.testing.assert_array_equal(after.face, before.face)
    assert not np.array_equal(after.context, before.context)


def test_together_changes_both_alike() -> None:
    grey = Example(np.full((8, 8, 3), 90, np.uint8), np.full((16, 16, 3), 90, np.uint8), 0)
    after = augment_example(
        grey, Augment(flip=0, face=ALWAYS, together=True), np.random.default_rng(5), True
    )
    assert after.face[0, 0].tolist() == after.context[0, 0].tolist() != [90, 90, 90]


def test_contrast_and_colour_by_hand() -> None:
    image = np.full((2, 2, 3), 100, np.uint8)
    image[0] = 200  # mean 150
    rng = np.random.default_rng(3)
    change = Change(chance=1.0, contrast=0.4, brightness=0.0, colour=0.0)
    after = augment_example(Example(image, image, 0), Augment(flip=0, face=change), rng, True)
    # Distances from the mean grow by one factor, so the two grey levels stay symmetrical round it.
    assert int(after.face[0, 0, 0]) + int(after.face[1, 0, 0]) == 300
    assert 30 <= int(after.face[0, 0, 0]) - 150 <= 70


def test_a_clip_is_changed_alike_in_all_frames() -> None:
    still = example()
    clip = Example(np.stack([still.face] * 3), np.stack([still.context] * 3), 0)
    settings = Augment(face=Change(1.0, erase=1.0), context=Change(1.0, erase=1.0))
    after = augment_example(clip, settings, np.random.default_rng(0), True)
    for stream in (after.face, after.context):
        np.testing.assert_array_equal(stream[0], stream[1])
        np.testing.assert_array_equal(stream[0], stream[2])


def test_face_dropout() -> None:
    settings, rng = Augment(face_dropout=1.0), np.random.default_rng(0)
    dropped = augment_example(example(), settings, rng, True)
    assert not dropped.face_present
    assert not dropped.face.any()
    assert dropped.context.any()
    assert augment_example(example(), settings, rng, False).face_present


def test_context_of_clips_is_cut_as_the_paper_says() -> None:
    cut = Cut(context=112, cropped=True)
    assert scaled_size(cut) == (128, 171)
    assert crop_offset(cut, Choice()) == (8, 30)  # round half to even of 29.5
    assert crop_offset(cut, Choice(row=0, column=1)) == (0, 59)
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    small = cv2.cvtColor(cv2.resize(image, (171, 128)), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(cut_context(image, [], cut), small[8:120, 30:142])


def test_faces_are_hidden_only_where_asked() -> None:
    image, face = np.full((120, 160, 3), 200, np.uint8), Box(40, 30, 80, 70)
    hidden = cut_context(image, [face], Cut(context=48))
    seen = cut_context(image, [face], Cut(context=48, hide_faces=False))
    assert not hidden[12:28, 12:24].any()
    assert (seen == 200).all()
    assert (hidden[30:] == 200).all()


def test_jitter_moves_the_face_and_its_absence_does_not() -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    box, moved = Box(40, 30, 80, 70), Choice(shift_x=0.2, growth=0.1)
    plain = cut_face(image, box, Cut(face=32))
    np.testing.assert_array_equal(cut_face(image, box, Cut(face=32), moved), plain)
    assert not np.array_equal(cut_face(image, box, Cut(face=32, jitter=0.2), moved), plain)


def feed(noise_source: Callable, **changes: object) -> TrainingFeed:
    settings = {"batch": 8, "seed": 1, "augment": Augment(), "may_drop_face": True} | changes
    return TrainingFeed(noise_source(20, 16, 16), **settings)


def test_batches_repeat_and_start_anywhere(noise_source: Callable) -> None:
    first, again = (list(feed(noise_source).batches(3)) for _ in range(2))
    (late,) = feed(noise_source).batches(3, start=1)
    other = next(feed(noise_source).batches(4))
    assert len(first) == feed(noise_source).steps == 2
    for one, two in zip(first, again, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert torch.equal(late.face, first[1].face)
    assert not torch.equal(other.sample, first[0].sample)


def test_workers_give_the_same_batches(noise_source: Callable) -> None:
    with_workers = list(feed(noise_source, workers=2).batches(0))
    without = list(feed(noise_source).batches(0))
    for one, two in zip(with_workers, without, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_processes_share_a_batch(noise_source: Callable) -> None:
    whole = next(feed(noise_source).batches(0))
    parts = [next(feed(noise_source, rank=rank, world=2).batches(0)) for rank in range(2)]
    found = torch.cat([part.sample for part in parts])
    assert sorted(found.tolist()) == sorted(whole.sample.tolist())
    with pytest.raises(InputError, match="too small for 8 processes"):
        feed(noise_source, world=8)


def test_an_epoch_shows_every_sample_once() -> None:
    assert sorted(epoch_order(50, 0, 0)) == list(range(50))
    assert not np.array_equal(epoch_order(50, 0, 0), epoch_order(50, 0, 1))
    assert not np.array_equal(epoch_order(50, 0, 0), epoch_order(50, 1, 0))


def test_views_of_a_sample_stay_together(noise_source: Callable) -> None:
    (batch,) = view_batches(noise_source(3, 16, 16), [2, 0], 8, 0)
    assert batch.sample.tolist() == [2, 0]
    assert batch.scene.tolist() == [0, 1]
    assert stack([(5, example()), (5, example())]).sample.tolist() == [5, 5]


def test_scenes_as_stills_and_clips() -> None:
    controls = SceneControls(width=160, height=120)
    stills = SceneSource(0, "train", controls, 14, Cut(face=32, context=48))
    assert sorted(np.bincount(stills.labels)) == [2] * 7
    view = stills.views(3)[0]
    assert view.face.shape == (32, 32, 3)
    assert view.context.shape == (48, 48, 3)
    assert view.label == stills.labels[3]
    clips = SceneSource(0, "train", controls, 7, Cut(32, 48, cropped=True), frames=16)
    clip = clips.draw(0, np.random.default_rng(0))
    assert clip.face.shape == (16, 32, 32, 3)
    assert clip.context.shape == (16, 48, 48, 3)
    with pytest.raises(InputError, match="0 scenes"):
        SceneSource(0, "test", controls, 0, Cut())


def test_held_out_neighbours() -> None:
    held = last_of_each_class([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2], 0.25)
    assert np.flatnonzero(held).tolist() == [3, 8, 9, 11]
