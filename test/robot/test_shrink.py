"""Frames made smaller in blocks: which blocks, and how near that is to an exact average."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from caer_ros.perception.shrink import Shrink


@pytest.mark.parametrize(
    ("frame", "blocks", "middle"),
    [
        ((640, 480), (2, 2), (320, 240)),
        ((1280, 720), (5, 3), (256, 240)),
        ((1920, 1080), (8, 4), (240, 270)),
        ((800, 600), (2, 2), (400, 300)),  # a third does not divide 800
        ((641, 479), (1, 1), (641, 479)),
        ((224, 224), (1, 1), (224, 224)),
        ((100, 448), (1, 2), (100, 224)),  # one side grows
    ],
)
def test_blocks_of_common_frames(frame, blocks, middle):
    assert Shrink.plan(*frame, 224, 224)[1:] == (blocks, middle)


def test_a_block_is_the_mean_of_its_pixels():
    image = np.arange(448 * 448, dtype=np.uint32).reshape(448, 448).astype(np.uint8)
    means = image.reshape(224, 2, 224, 2).mean((1, 3))
    assert np.abs(Shrink.plan(448, 448, 224, 224).apply(image) - means).max() <= 0.5


@pytest.mark.parametrize("frame", [(640, 480), (1280, 720), (1920, 1080), (800, 600), (641, 479)])
def test_the_whole_is_near_an_exact_average(frame):
    width, height = frame
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    image = cv2.GaussianBlur(noise, (0, 0), width / 150).astype(float)
    image = np.clip((image - 127) * width / 150 + 127, 0, 255).astype(np.uint8)
    exact = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA).astype(int)
    away = np.abs(Shrink.plan(width, height, 224, 224).apply(image) - exact)
    assert away.mean() < 3
    assert exact.std() > 10


def test_a_frame_is_not_changed():
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    before = image.copy()
    Shrink.plan(640, 480, 224, 224).apply(image)
    assert np.array_equal(image, before)
