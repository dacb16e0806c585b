"""~/markers: a ball and a text for each person, in the camera's frame, for RViz."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Vector3
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from caer_ros.core import PersonEmotion
from caer_ros.ros import qos
from caer_ros.ros.output import Shown
from caer_ros.ros.outputs.depth_input import DepthInput, depth_at
from caer_ros.ros.outputs.positions import FACE_HEIGHT_M, Rays, position
from caer_ros.ros.outputs.single import SingleOutput
from caer_ros.ros.outputs.words import caption, color_of

_LIFETIME = Duration(sec=1)
_PATIENCE_S = 2.0
_TEXT_HEIGHT_M = 0.12
_BALLS, _TEXTS = "people", "captions"


class Markers(SingleOutput):
    """People as markers. See Output.

    Distances come from the depth image where there is one, else roughly from the face's size; a
    person of whom neither is known has no marker. Without CameraInfo there are none at all.

    Args:
        camera_info: the camera's latest CameraInfo; None until one came.
        depth_topic: of registered depth images; empty: none.

    Raises:
        InputError: `depth_topic` is no name of a topic.
    """

    def __init__(
        self,
        node: LifecycleNode,
        camera: str,
        camera_info: Callable[[], CameraInfo | None],
        depth_topic: str,
    ) -> None:
        topic = depth_topic.replace("{camera}", camera)
        # First, because it may refuse its topic, and then there must be no publisher left.
        self._depth = DepthInput(node, topic, self.wanted) if topic else None
        super().__init__(node, camera, MarkerArray, "markers", qos.OVERLAY)
        self._camera_info = camera_info
        self._shown: set[int] = set()
        self._blind_since: float | None = None
        self._warned = False

    def publish(self, shown: Shown) -> None:
        """See Output.publish."""
        height, width = shown.image.shape[:2]
        info = self._camera_info()
        rays = None if info is None else Rays.of(info, width, height)
        if rays is None:
            self._warn()
            return
        self._blind_since = None
        self._publisher.publish(self._all(shown, rays))

    def close(self) -> None:
        """See Output.close."""
        if self._depth is not None:
            self._depth.close()
        super().close()

    def _all(self, shown: Shown, rays: Rays) -> MarkerArray:
        message, present = MarkerArray(), set()
        for index, person in enumerate(shown.result.people):
            place = self._place(shown, rays, person)
            if place is not None:
                number = _number(person.track_id or f"#{index}")
                present.add(number)
                message.markers += _pair(shown.header, number, person, place)
        for number in sorted(self._shown - present):
            message.markers += [
                Marker(header=shown.header, ns=ns, id=number, action=Marker.DELETE)
                for ns in (_BALLS, _TEXTS)
            ]
        self._shown = present
        return message

    def _place(
        self, shown: Shown, rays: Rays, person: PersonEmotion
    ) -> tuple[float, float, float] | None:
        height, width = shown.image.shape[:2]
        box, metres = person.face or person.body, None
        image = None if self._depth is None else self._depth.near(shown.header.stamp)
        if image is not None and box is not None:
            metres = depth_at(image, box, width, height)
        return position(rays, person.face, person.body, metres)

    def _warn(self) -> None:
        """Once, and not while a camera's first CameraInfo may be on its way."""
        now = time.monotonic()
        self._blind_since = now if self._blind_since is None else self._blind_since
        if not self._warned and now - self._blind_since >= _PATIENCE_S:
            self._warned = True
            self._node.get_logger().warning(
                f"No markers on {self._publisher.topic_name}: they need a calibrated camera's "
                "CameraInfo beside its images."
            )


def _number(key: str) -> int:
    """A marker's id: always the same for the same person."""
    return zlib.crc32(key.encode()) & 0x7FFFFFFF


def _pair(
    header: Header, number: int, person: PersonEmotion, place: tuple[float, float, float]
) -> list[Marker]:
    x, y, z = place
    red, green, blue = color_of(person)
    ball = Marker(header=header, ns=_BALLS, id=number, type=Marker.SPHERE, lifetime=_LIFETIME)
    ball.pose.position = Point(x=x, y=y, z=z)
    ball.pose.orientation.w = 1.0
    ball.scale = Vector3(x=FACE_HEIGHT_M, y=FACE_HEIGHT_M, z=FACE_HEIGHT_M)
    ball.color = ColorRGBA(r=red, g=green, b=blue, a=0.6)
    text = Marker(
        header=header,
        ns=_TEXTS,
        id=number,
        type=Marker.TEXT_VIEW_FACING,
        lifetime=_LIFETIME,
        text=caption(person) or "?",
    )
    text.pose.position = Point(x=x, y=y - FACE_HEIGHT_M, z=z)  # above: y points down
    text.pose.orientation.w = 1.0
    text.scale.z = _TEXT_HEIGHT_M
    text.color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
    return [ball, text]
