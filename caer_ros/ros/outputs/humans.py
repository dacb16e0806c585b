"""Publishers below /humans (REP 155), shared by all cameras of a node: one list, topics by id."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks

# Late listeners get the latest list, as REP 155's own nodes offer it.
_LIST = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
_EACH = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
# How long the topics of somebody who is gone stay; made anew, a topic loses its first messages.
_KEEP_S = 5.0


class Humans:
    """The ids of one kind, `faces` or `bodies`, and what is published of each. For one thread.

    Args:
        kinds: message type by name of the topic below an id.
    """

    def __init__(self, node: Node, messages: ModuleType, kind: str, kinds: dict[str, type]) -> None:
        self._node = node
        self._messages = messages
        self._prefix = f"/humans/{kind}"
        self._kinds = kinds
        self._list = _publisher(node, messages.IdsList, f"{self._prefix}/tracked", _LIST)
        self._topics: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, float] = {}
        self._present: dict[str, tuple[float, list[str]]] = {}

    def wanted(self) -> bool:
        """Whether somebody subscribes to the list or to anybody's topics."""
        if self._list.get_subscription_count() > 0:
            return True
        return any(
            publisher.get_subscription_count() > 0
            for topics in self._topics.values()
            for publisher in topics.values()
        )

    def begin(self, camera: str, ids: list[str], header: Header) -> None:
        """Say who is there in a frame of `camera`, and make topics of those who are new."""
        now = time.monotonic()
        self._present[camera] = now, ids
        for each in ids:
            self._seen[each] = now
            if each not in self._topics:
                self._topics[each] = {
                    name: _publisher(self._node, kind, f"{self._prefix}/{each}/{name}", _EACH)
                    for name, kind in self._kinds.items()
                }
        self._forget(now)
        everybody = [each for _, present in self._present.values() for each in present]
        self._list.publish(self._messages.IdsList(header=header, ids=everybody))

    def tell(self, each: str, name: str, message: Any) -> None:
        """Publish one message of somebody who is there."""
        self._topics[each][name].publish(message)

    def leave(self, camera: str) -> None:
        """Nobody is seen by `camera` any more; with the last camera all topics of ids go."""
        if self._present.pop(camera, None) is None:
            return
        everybody = [each for _, present in self._present.values() for each in present]
        # Latched: without this, who comes later would first see people who are long gone.
        self._list.publish(self._messages.IdsList(ids=everybody))
        if not self._present:
            self._destroy(list(self._topics))

    def close(self) -> None:
        """Destroy all publishers."""
        self._destroy(list(self._topics))
        self._node.destroy_publisher(self._list)

    def _forget(self, now: float) -> None:
        """Cameras that stopped, and the topics of people who have been gone for a while."""
        for camera in [c for c, (seen, _) in self._present.items() if now - seen > _KEEP_S]:
            del self._present[camera]
        self._destroy([each for each, seen in self._seen.items() if now - seen > _KEEP_S])

    def _destroy(self, ids: list[str]) -> None:
        for each in ids:
            self._seen.pop(each, None)
            for publisher in self._topics.pop(each, {}).values():
                self._node.destroy_publisher(publisher)


class HumansOfNode:
    """Faces and bodies of one node, made with its first camera and closed with its last."""

    _all: ClassVar[WeakKeyDictionary[Node, HumansOfNode]] = WeakKeyDictionary()

    def __init__(self, node: Node, messages: ModuleType) -> None:
        place = {"roi": messages.NormalizedRegionOfInterest2D}
        face = {**place, "expression": messages.Expression}
        self.faces = Humans(node, messages, "faces", face)
        self.bodies = Humans(node, messages, "bodies", place)
        self._cameras = 0

    @classmethod
    def join(cls, node: Node, messages: ModuleType) -> HumansOfNode:
        """The node's one; leave it once."""
        humans = cls._all.get(node)
        if humans is None:
            humans = cls._all[node] = cls(node, messages)
        humans._cameras += 1
        return humans

    def quit(self, node: Node) -> None:
        """Close everything with the last camera."""
        self._cameras -= 1
        if self._cameras == 0:
            self.faces.close()
            self.bodies.close()
            type(self)._all.pop(node, None)


def _publisher(node: Node, kind: type, topic: str, profile: QoSProfile) -> Any:
    # Not a lifecycle one: those that are made while the node is active stay silent. Without events,
    # because those are the executor's, and topics of ids come and go in the worker's thread.
    silent = PublisherEventCallbacks(use_default_callbacks=False)
    return node.create_publisher(kind, topic, profile, event_callbacks=silent)
