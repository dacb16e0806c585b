"""Base of the outputs that have one publisher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile

from caer_ros.ros.output import Shown, debug_topic


class SingleOutput:
    """One topic of one camera, published while the node is active. See Output.

    Args:
        name: of the topic, below the node's name and, where there are several, the camera's.
    """

    needs_maps = False

    def __init__(
        self, node: LifecycleNode, camera: str, kind: type, name: str, profile: QoSProfile
    ) -> None:
        self._node = node
        topic = debug_topic(camera, name)
        self._publisher = node.create_lifecycle_publisher(kind, topic, profile)

    def wanted(self) -> bool:
        """See Output.wanted."""
        return bool(self._publisher.get_subscription_count() > 0)

    def publish(self, shown: Shown) -> None:
        """See Output.publish."""
        self._publisher.publish(self.message(shown))

    def message(self, shown: Shown) -> Any:
        """What is published of one frame."""
        raise NotImplementedError

    def apply(self, changed: Mapping[str, Any]) -> None:
        """See Output.apply: nothing changes."""

    def close(self) -> None:
        """See Output.close."""
        self._node.destroy_lifecycle_publisher(self._publisher)
