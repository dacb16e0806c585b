"""~/annotations: boxes and captions as foxglove_msgs/ImageAnnotations, drawn by Foxglove itself."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from rclpy.lifecycle import LifecycleNode

from caer_ros.core import Box, PersonEmotion
from caer_ros.ros import qos
from caer_ros.ros.output import Shown
from caer_ros.ros.outputs.single import SingleOutput
from caer_ros.ros.outputs.words import caption, color_of

# Of the image's shorter side.
_LINE, _FONT = 1 / 300, 1 / 30


class Annotations(SingleOutput):
    """Lines and texts over the camera's own image. See Output.

    Args:
        messages: foxglove_msgs.msg.
    """

    def __init__(self, node: LifecycleNode, camera: str, messages: ModuleType) -> None:
        super().__init__(node, camera, messages.ImageAnnotations, "annotations", qos.OVERLAY)
        self._messages = messages

    def message(self, shown: Shown) -> Any:
        """ImageAnnotations; empty when nobody is there. The stamps are the image's."""
        side = min(shown.image.shape[:2])
        message = self._messages.ImageAnnotations()
        for person in shown.result.people:
            for box in (person.body, person.face):
                if box is not None:
                    message.points.append(self._frame(shown, person, box, max(1.0, side * _LINE)))
            text = self._text(shown, person, max(10.0, side * _FONT))
            if text is not None:
                message.texts.append(text)
        return message

    def _frame(self, shown: Shown, person: PersonEmotion, box: Box, thickness: float) -> Any:
        corners = ((box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2))
        return self._messages.PointsAnnotation(
            timestamp=shown.header.stamp,
            type=self._messages.PointsAnnotation.LINE_LOOP,
            # float(): the messages take an int's bits for a float's, unchecked.
            points=[self._messages.Point2(x=float(x), y=float(y)) for x, y in corners],
            outline_color=self._color(*color_of(person), 1.0),
            thickness=thickness,
        )

    def _text(self, shown: Shown, person: PersonEmotion, font_size: float) -> Any:
        box, text = person.face or person.body, caption(person)
        if box is None or not text:
            return None
        return self._messages.TextAnnotation(
            timestamp=shown.header.stamp,
            # Its lower left corner: above the box, or at the image's upper edge.
            position=self._messages.Point2(
                x=float(max(0, box.x1)), y=float(max(font_size, box.y1))
            ),
            text=text,
            font_size=font_size,
            text_color=self._color(*color_of(person), 1.0),
            background_color=self._color(0.0, 0.0, 0.0, 0.6),
        )

    def _color(self, red: float, green: float, blue: float, alpha: float) -> Any:
        return self._messages.Color(r=red, g=green, b=blue, a=alpha)
