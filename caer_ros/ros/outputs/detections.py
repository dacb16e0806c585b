"""~/detections: people as vision_msgs/Detection2DArray, for everything that reads detections."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header

from caer_ros.core import PersonEmotion
from caer_ros.ros import qos
from caer_ros.ros.output import Shown
from caer_ros.ros.outputs.single import SingleOutput


class Detections(SingleOutput):
    """One detection a person, one hypothesis an emotion, see `scores`. See Output.

    Args:
        messages: vision_msgs.msg.
    """

    def __init__(self, node: LifecycleNode, camera: str, messages: ModuleType) -> None:
        super().__init__(node, camera, messages.Detection2DArray, "detections", qos.EMOTIONS)
        self._messages = messages

    def message(self, shown: Shown) -> Any:
        """Detection2DArray; empty when nobody is there."""
        return self._messages.Detection2DArray(
            header=shown.header,
            detections=[self._detection(shown.header, p) for p in shown.result.people],
        )

    def _detection(self, header: Header, person: PersonEmotion) -> Any:
        detection = self._messages.Detection2D(header=header, id=person.track_id)
        box = person.body or person.face
        if box is not None:
            detection.bbox.center.position.x = (box.x1 + box.x2) / 2
            detection.bbox.center.position.y = (box.y1 + box.y2) / 2
            # float(): the messages take an int's bits for a float's, unchecked.
            detection.bbox.size_x, detection.bbox.size_y = float(box.width), float(box.height)
        detection.results = [self._hypothesis(*each) for each in scores(person)]
        return detection

    def _hypothesis(self, label: str, score: float) -> Any:
        hypothesis = self._messages.ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id = label
        hypothesis.hypothesis.score = score
        return hypothesis


def scores(person: PersonEmotion) -> list[tuple[str, float]]:
    """Each label once, with its probability in [0, 1], the likeliest first.

    Of models with thresholds only the labels that reach theirs, behind all others, the largest
    margin first. Of a label that two models name, the first model's counts.
    """
    likely: dict[str, float] = {}
    named: dict[str, float] = {}
    for estimate in person.estimates:
        into = likely if estimate.thresholds is None else named
        for index in estimate.order():
            label = estimate.labels[index]
            if label not in likely and label not in named:
                into[label] = float(estimate.probabilities[index])
    return [*sorted(likely.items(), key=lambda pair: -pair[1]), *named.items()]
