"""/humans/...: faces with their expressions, and bodies, as REP 155 (ROS4HRI) names them.

Only people with an id. A face has the id that /emotions has, a body the same with a `b` before it,
because ids are unique over faces and bodies. Crops of faces (`cropped`) are left out on purpose: no
image of a person leaves the node this way.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header

from caer_ros.core import Box, PersonEmotion
from caer_ros.ros.output import Shown
from caer_ros.ros.outputs.expressions import expression_of
from caer_ros.ros.outputs.humans import HumansOfNode


class HriOutput:
    """One camera's part of /humans. See Output.

    Args:
        messages: hri_msgs.msg.
    """

    needs_maps = False

    def __init__(self, node: LifecycleNode, camera: str, messages: ModuleType) -> None:
        self._node = node
        self._camera = camera
        self._messages = messages
        self._humans = HumansOfNode.join(node, messages)

    def wanted(self) -> bool:
        """See Output.wanted."""
        if self._humans.faces.wanted() or self._humans.bodies.wanted():
            return True
        self._humans.faces.leave(self._camera)
        self._humans.bodies.leave(self._camera)
        return False

    def publish(self, shown: Shown) -> None:
        """See Output.publish."""
        known = [person for person in shown.result.people if person.track_id]
        faces = {p.track_id: p for p in known if p.face is not None}
        bodies = {f"b{p.track_id}": p for p in known if p.body is not None}
        self._humans.faces.begin(self._camera, list(faces), shown.header)
        self._humans.bodies.begin(self._camera, list(bodies), shown.header)
        for each, person in faces.items():
            self._tell_place(self._humans.faces, each, person.face, shown)
            expression = self._expression(shown.header, person)
            if expression is not None:
                self._humans.faces.tell(each, "expression", expression)
        for each, person in bodies.items():
            self._tell_place(self._humans.bodies, each, person.body, shown)

    def apply(self, changed: Mapping[str, Any]) -> None:
        """See Output.apply: nothing changes."""

    def close(self) -> None:
        """See Output.close."""
        self._humans.quit(self._node)

    def _tell_place(self, humans: Any, each: str, box: Box | None, shown: Shown) -> None:
        """Where somebody is, unless he is outside the image, where a tracker may have put him."""
        height, width = shown.image.shape[:2]
        inside = None if box is None else box.clipped(width, height)
        if inside is None:
            return
        message = self._messages.NormalizedRegionOfInterest2D(
            header=shown.header,
            xmin=inside.x1 / width,
            ymin=inside.y1 / height,
            xmax=inside.x2 / width,
            ymax=inside.y2 / height,
            c=float(min(1, max(0, inside.score))),
        )
        humans.tell(each, "roi", message)

    def _expression(self, header: Header, person: PersonEmotion) -> Any:
        found = expression_of(person)
        if found is None:
            return None
        return self._messages.Expression(
            header=header,
            expression=found.word,
            valence=found.valence,
            arousal=found.arousal,
            confidence=found.confidence,
        )
