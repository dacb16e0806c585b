"""One camera of the node: what comes in, how it is read, and what goes out of its frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rclpy.node import Node

from caer_ros.ros.image_input import ImageInput
from caer_ros.ros.image_messages import PixelReader
from caer_ros.ros.meter import Meter
from caer_ros.ros.output import Output
from caer_ros.ros.outputs import OutputSettings, make_outputs


class Camera:
    """Input, reader, outputs and meters of one camera.

    Args:
        name: empty where there is one camera.
        values: the node's parameters.
        take: gets each message with the camera's name, in the executor's thread.

    Attributes:
        done: frames whose people were published.
        latency: seconds from the camera's stamp to the publishing of the people.
        people: people in the latest frame.
        overlays: pictures drawn so far.
    """

    def __init__(
        self,
        node: Node,
        name: str,
        topic: str,
        values: dict[str, Any],
        take: Callable[[Any, str], None],
    ) -> None:
        self.name = name
        self.input = ImageInput(
            node,
            topic,
            values["input_qos"],
            lambda message: take(message, name),
            transport=values["image_transport"],
        )
        self.reader = PixelReader()
        self.outputs: Sequence[Output] = make_outputs(
            node, name, OutputSettings.of(values), self.input.camera_info
        )
        self.done = Meter()
        self.latency = Meter()
        self.people = 0
        self.overlays = 0

    def apply(self, changed: dict[str, Any]) -> None:
        """Take over parameters that may change while running."""
        for output in self.outputs:
            output.apply(changed)

    def close(self) -> None:
        """Unsubscribe and destroy the publishers."""
        self.input.close()
        for output in self.outputs:
            output.close()
