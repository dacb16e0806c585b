"""The camera's end of the node: one subscription, and whether anything comes through it."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image

from caer_ros.ros.meter import Meter
from caer_ros.ros.qos import input_profile, name_of


class ImageInput:
    """Subscribes to the images while open.

    Args:
        topic: relative or absolute; remapping applies.
        mode: parameter `input_qos`.
        take: gets each message, in the executor's thread.
    """

    def __init__(self, node: Node, topic: str, mode: str, take: Callable[[Image], None]) -> None:
        self._node = node
        self._mode = mode
        self._take = take
        self.topic: str = node.resolve_topic_name(topic)
        self.arrivals = Meter()
        self._last = time.monotonic()
        self._reliability = ReliabilityPolicy.BEST_EFFORT
        self._subscription: Subscription | None = None

    def open(self) -> None:
        """Subscribe."""
        self._last = time.monotonic()
        profile = input_profile(self._mode, self._offered())
        self._reliability = profile.reliability
        self._subscription = self._node.create_subscription(
            Image, self.topic, self._arrived, profile
        )

    def close(self) -> None:
        """Unsubscribe; no message is handed on afterwards."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def silent_for(self) -> float:
        """Seconds since the last image, or since opening."""
        return time.monotonic() - self._last

    def adapt(self) -> None:
        """Subscribe anew where `input_qos` = auto would choose otherwise now.

        Publishers come and go; call this while no image arrives.
        """
        if self._subscription is None:
            return
        if input_profile(self._mode, self._offered()).reliability != self._reliability:
            silent_since = self._last
            self.close()
            self.open()
            self._last = silent_since

    def explain_silence(self) -> str:
        """Why no image may arrive: the topic and what each side asks and offers."""
        offered = self._offered()
        if not offered:
            return f"nobody publishes {self.topic}; check the topic's name and the camera"
        names = ", ".join(sorted({name_of(policy) for policy in offered}))
        text = (
            f"{len(offered)} publisher(s) of {self.topic} offer {names}, "
            f"this node asks for {name_of(self._reliability)}"
        )
        asks_more = self._reliability == ReliabilityPolicy.RELIABLE
        if asks_more and ReliabilityPolicy.BEST_EFFORT in offered:
            return f"{text}: these never match, set input_qos to sensor_data"
        return f"{text}: these match, so the camera is silent or the transport loses its images"

    def _arrived(self, message: Image) -> None:
        self._last = time.monotonic()
        self.arrivals.add()
        self._take(message)

    def _offered(self) -> list[ReliabilityPolicy]:
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        return [publisher.qos_profile.reliability for publisher in publishers]
