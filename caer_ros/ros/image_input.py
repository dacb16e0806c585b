"""The camera's end of the node: one subscription, and whether anything comes through it."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from caer_ros.ros.image_topic import (
    ImageTopic,
    choose_topic,
    explain_silence,
    info_topic,
    offered,
)
from caer_ros.ros.meter import Meter
from caer_ros.ros.qos import CAMERA_INFO, input_profile

_LOOK_EVERY_S = 0.5
_STALE_AFTER_S = 2.0
_QUIET_S = 10.0  # the same complaint at most once in this time


class ImageInput:
    """Subscribes to one camera's images while open, and says in the log where none arrive.

    A silence is told once, after `stale_after_s` (a parameter of the node, at any time) seconds.

    Args:
        topic: relative or absolute; remapping applies.
        mode: parameter `input_qos`.
        take: gets each message, in the executor's thread; nothing is decoded there.
        transport: parameter `image_transport`; see choose_topic.
        with_info: whether to keep the camera's latest CameraInfo.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        mode: str,
        take: Callable[[Image | CompressedImage], None],
        *,
        transport: str = "auto",
        with_info: bool = True,
    ) -> None:
        self._node = node
        self._wanted = topic
        self._mode = mode
        self._take = take
        self._transport = transport
        self._with_info = with_info
        self.arrivals = Meter()
        self._last = time.monotonic()
        self._told = False
        self._source = choose_topic(node, topic, transport)
        self._profile = input_profile(mode, ())
        self._subscription: Subscription | None = None
        self._info_subscription: Subscription | None = None
        self._timer: Timer | None = None
        self._packed_info = b""
        self._info: tuple[bytes, CameraInfo] | None = None

    @property
    def topic(self) -> str:
        """Full name of the topic that is listened to."""
        return self._source.name

    def open(self) -> None:
        """Subscribe."""
        self._last, self._told = time.monotonic(), False
        self._subscribe(*self._choice())
        # Steady: with use_sim_time and a stopped clock, a silence must be told all the same.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self._node.create_timer(_LOOK_EVERY_S, self._look, clock=steady)

    def close(self) -> None:
        """Unsubscribe; no message is handed on afterwards."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        self._unsubscribe()

    def silent_for(self) -> float:
        """Seconds since the last image, or since opening."""
        return time.monotonic() - self._last

    def adapt(self) -> None:
        """Subscribe anew where another topic, message or reliability fits the publishers better.

        Publishers come and go; called by itself every half second while open.
        """
        if self._timer is None:
            return
        source, profile = self._choice()
        if not offered(self._node, source):
            return  # nothing fits better: a camera that restarts finds all as it was
        if self._subscription is None or (source, profile) != (self._source, self._profile):
            self._unsubscribe()
            self._subscribe(source, profile)

    def explain_silence(self) -> str:
        """Why no image may arrive: the topic and what each side asks and offers."""
        return explain_silence(self._node, self._source, self._profile.reliability)

    def camera_info(self) -> CameraInfo | None:
        """The camera's latest CameraInfo; None until one came. For any thread."""
        packed = self._packed_info
        if not packed:
            return None
        # Every frame brings one, and nearly always the same: unpacked only when it is another.
        if self._info is None or self._info[0] != packed:
            self._info = packed, deserialize_message(packed, CameraInfo)
        return self._info[1]

    def _choice(self) -> tuple[ImageTopic, QoSProfile]:
        source = choose_topic(self._node, self._wanted, self._transport)
        return source, input_profile(self._mode, offered(self._node, source))

    def _subscribe(self, source: ImageTopic, profile: QoSProfile) -> None:
        self._source, self._profile = source, profile
        self._subscription = self._node.create_subscription(
            source.kind, source.name, self._arrived, profile
        )
        if self._with_info:
            self._info_subscription = self._node.create_subscription(
                CameraInfo, info_topic(source.name), self._keep_info, CAMERA_INFO, raw=True
            )

    def _unsubscribe(self) -> None:
        for subscription in (self._subscription, self._info_subscription):
            if subscription is not None:
                self._node.destroy_subscription(subscription)
        self._subscription = self._info_subscription = None

    def _arrived(self, message: Image | CompressedImage) -> None:
        if self._told:
            self._told = False
            seconds = self.silent_for()
            self._node.get_logger().info(f"Images of {self.topic} again, after {seconds:.1f} s.")
        self._last = time.monotonic()
        self.arrivals.add()
        self._take(message)

    def _keep_info(self, packed: bytes) -> None:
        self._packed_info = packed

    def _look(self) -> None:
        try:
            self.adapt()
        except Exception as error:  # a middleware's refusal ends no node; the next look may do
            self._node.get_logger().warning(
                f"Can not subscribe to {self.topic}: {error}", throttle_duration_sec=_QUIET_S
            )
        silent_for = self.silent_for()
        if not self._told and silent_for > self._stale_after():
            self._told = True
            self._node.get_logger().warning(
                f"No image for {silent_for:.1f} s: {self.explain_silence()}."
            )

    def _stale_after(self) -> float:
        if not self._node.has_parameter("stale_after_s"):
            return _STALE_AFTER_S
        return float(self._node.get_parameter("stale_after_s").value)
