"""The camera's end of the node: which topic, message and reliability, and what silence says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from caer_ros.ros.image_input import ImageInput
from caer_ros.ros.image_topic import info_topic
from caer_ros.ros.messages import image_message

BEST, RELIABLE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
PIXELS = np.zeros((24, 40, 3), np.uint8)


class Desk:
    """An input, and a camera at the other end of the wire; what arrives is kept."""

    def __init__(self, probe: Any) -> None:
        self.node: Node = probe.node
        self._context = Context()
        rclpy.init(context=self._context, domain_id=probe.domain)
        self.camera: Node = rclpy.create_node("camera", context=self._context)
        self.until: Callable[..., bool] = probe.until
        self.spin: Callable[[float], None] = probe.spin
        self.taken: list[Image | CompressedImage] = []
        self._inputs: list[ImageInput] = []

    def listen(self, topic: str, transport: str = "auto", mode: str = "auto") -> ImageInput:
        """An open input."""
        made = ImageInput(self.node, topic, mode, self.taken.append, transport=transport)
        made.open()
        self._inputs.append(made)
        return made

    def publisher(self, kind: type, topic: str, reliability: ReliabilityPolicy = BEST) -> Any:
        profile = QoSProfile(depth=1, reliability=reliability)
        return self.camera.create_publisher(kind, topic, profile)

    def arrives(self, publisher: Any, message: Any, timeout: float = 10.0) -> bool:
        """Does a message arrive, when it is published again and again?"""
        before = len(self.taken)

        def sent_and_taken() -> bool:
            publisher.publish(message)
            return len(self.taken) > before

        return self.until(sent_and_taken, timeout)

    def close(self) -> None:
        for made in self._inputs:
            made.close()
        self.camera.destroy_node()
        rclpy.shutdown(context=self._context)


@pytest.fixture
def desk(stage) -> Iterator[Desk]:
    made = Desk(stage.probe)
    made.node.declare_parameter("stale_after_s", 1.0)
    yield made
    made.close()


def a_frame(kind: type) -> Image | CompressedImage:
    if kind is CompressedImage:
        return CompressedImage(format="jpeg", data=[1, 2, 3])
    message = Image()
    return image_message(message.header, PIXELS)


def kind_at(desk: Desk, topic: str) -> list[str]:
    """Message types of the subscriptions there."""
    return [found.topic_type for found in desk.node.get_subscriptions_info_by_topic(topic)]


@pytest.mark.parametrize(
    ("topic", "transport", "published", "kind"),
    [
        ("/front/image", "auto", "/front/image", Image),
        ("/front/image", "raw", "/front/image", Image),
        ("/front/image/compressed", "auto", "/front/image/compressed", CompressedImage),
        ("/front/image/compressed", "compressed", "/front/image/compressed", CompressedImage),
        ("/front/image", "compressed", "/front/image/compressed", CompressedImage),
        ("/front/jpegs", "auto", "/front/jpegs", CompressedImage),  # by what is published there
        ("/front/jpegs", "compressed", "/front/jpegs", CompressedImage),
    ],
)
def test_images_arrive_untouched_by_every_transport(desk, topic, transport, published, kind):
    camera = desk.publisher(kind, published)
    made = desk.listen(topic, transport)
    frame = a_frame(kind)
    assert desk.arrives(camera, frame), made.explain_silence()
    assert isinstance(desk.taken[0], kind)
    assert desk.taken[0] == frame
    assert made.topic == published
    assert made.arrivals.rate() > 0


def test_before_anybody_publishes_the_name_decides(desk):
    assert desk.listen("/front/image").topic == "/front/image"
    assert desk.until(lambda: kind_at(desk, "/front/image") == ["sensor_msgs/msg/Image"])
    desk.listen("/back/image/compressed")
    topic = "/back/image/compressed"
    assert desk.until(lambda: kind_at(desk, topic) == ["sensor_msgs/msg/CompressedImage"])


def test_auto_follows_a_camera_that_comes_later_and_sends_another_message(desk):
    made = desk.listen("/front/jpegs")
    assert desk.until(lambda: kind_at(desk, "/front/jpegs") == ["sensor_msgs/msg/Image"])
    camera = desk.publisher(CompressedImage, "/front/jpegs")
    assert desk.arrives(camera, a_frame(CompressedImage)), made.explain_silence()
    desk.camera.destroy_publisher(camera)
    camera = desk.publisher(Image, "/front/jpegs", RELIABLE)
    assert desk.arrives(camera, a_frame(Image)), made.explain_silence()


def test_a_subscription_that_the_middleware_refuses_is_tried_again(desk, monkeypatch, capfd):
    made = desk.listen("/front/jpegs")
    create, refusals = desk.node.create_subscription, []

    def refuse(kind: type, *rest: Any, **named: Any) -> Any:
        if kind is CompressedImage and not refusals:
            refusals.append(kind)
            raise RuntimeError("incompatible type")
        return create(kind, *rest, **named)

    monkeypatch.setattr(desk.node, "create_subscription", refuse)
    camera = desk.publisher(CompressedImage, "/front/jpegs")
    assert desk.arrives(camera, a_frame(CompressedImage)), made.explain_silence()
    assert refusals
    assert "Can not subscribe to /front/jpegs: incompatible type" in capfd.readouterr().err


def test_a_camera_that_restarts_with_another_reliability_is_heard_again(desk):
    made = desk.listen("/front/image")
    for reliability in (BEST, RELIABLE, BEST):
        camera = desk.publisher(Image, "/front/image", reliability)
        assert desk.arrives(camera, a_frame(Image)), made.explain_silence()

        def asked(name: str = reliability.name) -> bool:
            readers = desk.node.get_subscriptions_info_by_topic("/front/image")
            return [reader.qos_profile.reliability.name for reader in readers] == [name]

        assert desk.until(asked, 5.0)
        desk.camera.destroy_publisher(camera)


def test_a_silence_is_told_once_with_both_sides_and_so_is_its_end(desk, capfd):
    camera = desk.publisher(Image, "/front/image", BEST)
    made = desk.listen("/front/image", mode="reliable")
    desk.spin(2.5)
    told = [line for line in capfd.readouterr().err.splitlines() if "No image" in line]
    assert len(told) == 1
    assert "WARN" in told[0]
    assert "/front/image offer best effort, this node asks for reliable" in told[0]
    assert "never match" in told[0]
    assert "input_qos" in told[0]
    assert made.silent_for() > 2
    desk.camera.destroy_publisher(camera)
    camera = desk.publisher(Image, "/front/image", RELIABLE)
    assert desk.arrives(camera, a_frame(Image))
    assert desk.arrives(camera, a_frame(Image))
    again = [line for line in capfd.readouterr().err.splitlines() if "again, after" in line]
    assert len(again) == 1
    assert "INFO" in again[0]
    desk.spin(2.0)
    assert capfd.readouterr().err.count("No image for") == 1  # the next silence is another one


def test_stale_after_s_may_change_at_any_time(desk, capfd):
    desk.node.set_parameters([Parameter("stale_after_s", value=1000.0)])
    desk.listen("/front/image")
    desk.spin(2.0)
    assert "No image" not in capfd.readouterr().err
    desk.node.set_parameters([Parameter("stale_after_s", value=0.1)])
    desk.spin(1.0)
    assert "No image" in capfd.readouterr().err


def test_who_sends_another_message_is_named(desk):
    desk.publisher(CompressedImage, "/front/jpegs")
    made = desk.listen("/front/jpegs", "raw")
    wanted = "/front/jpegs send sensor_msgs/msg/CompressedImage, this node asks for Image"
    assert desk.until(lambda: wanted in made.explain_silence()), made.explain_silence()
    assert "image_transport" in made.explain_silence()


@pytest.mark.parametrize(
    ("published", "kind", "topic", "hint"),
    [
        ("/front/image/compressed", CompressedImage, "/front/image", "set image_topic to it"),
        ("/front/image", Image, "/front/image/compressed", "set image_topic to it"),
        ("/elsewhere", Image, "/front/image", "check the topic's name"),
    ],
)
def test_a_topic_that_nobody_publishes_is_told_with_what_there_is(
    desk, published, kind, topic, hint
):
    desk.publisher(kind, published)
    made = desk.listen(topic)
    assert desk.until(lambda: hint in made.explain_silence()), made.explain_silence()
    assert f"nobody publishes {topic};" in made.explain_silence()


@pytest.mark.parametrize(
    ("images", "info"),
    [
        ("/front/image_raw", "/front/camera_info"),
        ("/front/image_raw/compressed", "/front/camera_info"),
        ("/image", "/camera_info"),
        ("/a/b/c", "/a/b/camera_info"),
    ],
)
def test_camera_info_is_beside_the_images(images, info):
    assert info_topic(images) == info


@pytest.mark.parametrize("reliability", [BEST, RELIABLE])
@pytest.mark.parametrize("topic", ["/front/image_raw", "/front/image_raw/compressed"])
def test_the_latest_camera_info_is_kept(desk, topic, reliability):
    made = desk.listen(topic)
    assert made.camera_info() is None
    camera = desk.publisher(CameraInfo, "/front/camera_info", reliability)
    for width in (640, 320):

        def arrived(width: int = width) -> bool:
            camera.publish(CameraInfo(width=width, distortion_model="plumb_bob"))
            found = made.camera_info()
            return found is not None and found.width == width

        assert desk.until(arrived, 10.0)
    assert made.camera_info() is made.camera_info()  # unpacked once
    made.close()
    assert made.camera_info().distortion_model == "plumb_bob"


def test_nothing_is_handed_on_after_closing_and_opening_listens_again(desk):
    camera = desk.publisher(Image, "/front/image")
    made = desk.listen("/front/image")
    assert desk.arrives(camera, a_frame(Image))
    made.close()
    made.close()
    desk.spin(0.2)
    assert not desk.arrives(camera, a_frame(Image), 0.5)
    assert desk.node.get_subscriptions_info_by_topic("/front/camera_info") == []
    made.open()
    assert made.silent_for() < 0.5
    assert desk.arrives(camera, a_frame(Image))
