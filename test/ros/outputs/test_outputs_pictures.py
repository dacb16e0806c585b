"""Overlay, raw and compressed, and attention, over real DDS."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

from caer_ros.perception import Result, draw_overlay
from caer_ros.ros.outputs import overlay_images

GROUPS = ("nobody", "face", "body", "both", "without id", "without estimate", "nan lambda", "crowd")
OVERLAY, JPEG = "/emotion_node/debug/overlay", "/emotion_node/debug/overlay/compressed"


def pixels(message: Image) -> np.ndarray:
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)


def decoded(message: CompressedImage) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)


def test_the_overlay_is_what_draw_overlay_draws(desk, results):
    heard = desk.open().hear(Image, OVERLAY)
    grey = np.full((480, 640, 3), 90, np.uint8)
    for name in GROUPS:
        header, message = desk.ask(heard, results[name], grey)
        assert message.header == header, name
        assert (message.encoding, message.step) == ("bgr8", 640 * 3)
        assert np.array_equal(pixels(message), draw_overlay(grey, "bgr8", results[name])), name


def test_the_compressed_overlay_is_the_same_picture(desk, results, astronaut):
    heard = desk.open(overlay_jpeg_quality=95).hear(CompressedImage, JPEG)
    header, message = desk.ask(heard, results["both"], astronaut.copy())
    assert message.header == header
    assert "jpeg" in message.format
    expected = draw_overlay(astronaut, "bgr8", results["both"])
    difference = np.abs(decoded(message).astype(int) - expected)
    assert decoded(message).shape == expected.shape
    assert difference.mean() < 4
    large = len(message.data)
    for output in desk.outputs[""]:
        output.apply({"overlay_jpeg_quality": 10})
    _, message = desk.ask(heard, results["both"], astronaut.copy())
    assert len(message.data) < large / 2


def test_both_overlays_cost_one_drawing(desk, results, monkeypatch):
    drawn = []

    def count(*given):
        drawn.append(given)
        return draw_overlay(*given)

    monkeypatch.setattr(overlay_images, "draw_overlay", count)
    desk.open()
    raw, jpeg = desk.hear(Image, OVERLAY), desk.hear(CompressedImage, JPEG)
    desk.ask(raw, results["face"])
    desk.ask(jpeg, results["face"])
    raw.clear()
    jpeg.clear()
    before = len(drawn)
    desk.show(results["face"])
    assert desk.until(lambda: bool(raw and jpeg))
    assert len(drawn) == before + 1


def test_faces_are_taken_out_when_asked_while_running(desk, results, astronaut):
    heard = desk.open().hear(Image, OVERLAY)
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    _, message = desk.ask(heard, results["face"], noise)
    inside = slice(80, 140), slice(120, 170)
    assert np.array_equal(pixels(message)[inside], noise[inside])
    for output in desk.outputs[""]:
        output.apply({"blur_faces": True, "min_face": 3.0})
    _, message = desk.ask(heard, results["face"], noise)
    assert pixels(message)[inside].std() < noise[inside].std() / 5
    _, plain = desk.ask(heard, results["nobody"], noise)
    assert np.array_equal(pixels(plain), noise)


def test_attention_is_the_map_itself_in_the_frames_proportions(desk, results):
    heard = desk.open().hear(Image, "/emotion_node/debug/attention")
    header, message = desk.ask(heard, results["face"])
    assert message.header == header
    assert (message.encoding, message.width, message.height) == ("32FC1", 256, 192)
    assert message.is_bigendian == (sys.byteorder == "big")
    assert message.step == 4 * 256
    values = np.frombuffer(message.data, np.float32).reshape(192, 256)
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert values.max() == pytest.approx(1.0, abs=0.05)
    assert (row / 192, column / 256) == pytest.approx((3.5 / 14, 12.5 / 14), abs=0.02)
    _, message = desk.ask(heard, results["nobody"])
    assert not np.frombuffer(message.data, np.float32).any()


def test_attention_of_a_tall_frame_is_tall(desk, results):
    heard = desk.open().hear(Image, "/emotion_node/debug/attention")
    _, message = desk.ask(heard, results["face"], np.zeros((1280, 720, 3), np.uint8))
    assert (message.width, message.height) == (144, 256)


def test_nothing_is_made_without_a_subscriber(desk, results):
    desk.open()
    for _ in range(3):
        desk.show(results["both"])
        desk.spin(0.02)
    assert desk.built == []
    heard = desk.hear(Image, "/emotion_node/debug/attention")
    desk.ask(heard, results["both"])
    assert set(desk.built) == {"AttentionImage"}


def test_maps_are_asked_for_by_what_draws_them(desk):
    desk.open()
    need = {type(output).__name__ for output in desk.outputs[""] if output.needs_maps}
    assert need == {"OverlayImages", "AttentionImage"}


def test_each_camera_has_its_own_topics(desk, results):
    desk.open("front", "rear")
    heard = desk.hear(Image, "/emotion_node/rear/debug/overlay")
    header, message = desk.ask(heard, results["face"], camera="rear")
    assert message.header == header
    desk.built.clear()
    desk.show(results["face"], camera="front")
    assert desk.built == []


def test_heat_reaches_the_overlay(desk):
    heat = np.zeros((12, 16), np.float32)
    heat[3, 12] = 1.0
    heard = desk.open().hear(Image, OVERLAY)
    _, message = desk.ask(heard, Result((), {}, heat=heat))
    assert np.abs(pixels(message)[140, 500].astype(int) - 90).max() > 30
    assert (pixels(message)[:, :300] == 90).all()
