"""The outputs of a camera on a node of their own, and somebody in another context who looks."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time as Stamp
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from caer_ros.core import CAER7, EMOTIC26, Box, EmotionEstimate, PersonEmotion
from caer_ros.perception import Result
from caer_ros.ros.output import Shown
from caer_ros.ros.outputs import OutputSettings, make_outputs

_DOMAINS = itertools.cycle(range(2 + os.getpid() * 7 % 60, 102))

FACE = Box(100, 60, 180, 160, 0.9)
BODY = Box(60, 40, 220, 400, 0.8)


class Desk:
    """A node named emotion_node with the outputs of its cameras, and a viewer in another context.

    Attributes:
        info: what the cameras' CameraInfo is.
        built: names of the outputs that made a message so far.
    """

    def __init__(self) -> None:
        self.domain = next(_DOMAINS)
        self._contexts = [Context(), Context()]
        for context in self._contexts:
            rclpy.init(context=context, domain_id=self.domain)
        self.node = LifecycleNode("emotion_node", context=self._contexts[0])
        self.viewer = rclpy.create_node("viewer", context=self._contexts[1])
        self._executors = [SingleThreadedExecutor(context=context) for context in self._contexts]
        for executor, node in zip(self._executors, (self.node, self.viewer), strict=True):
            executor.add_node(node)
        self.outputs: dict[str, list] = {}
        self.info = None
        self.built: list[str] = []
        self._stamps = itertools.count(1000)

    def open(self, *cameras: str, **settings: object) -> Desk:
        """Make the outputs of every camera (one without a name unless given), and activate."""
        for camera in cameras or ("",):
            self.outputs[camera] = make_outputs(
                self.node, camera, OutputSettings(**settings), lambda: self.info
            )
        self.node.trigger_configure()
        self.node.trigger_activate()
        return self

    def hear(self, kind: type, topic: str, qos: int | QoSProfile = 10) -> list:
        """Everything that arrives on a topic from now on."""
        heard: list = []
        self.viewer.create_subscription(kind, topic, heard.append, qos)
        return heard

    def show(self, result: Result, image: np.ndarray | None = None, camera: str = "") -> Header:
        """One frame through every output that is wanted, as the worker does it."""
        header = Header(stamp=Stamp(sec=next(self._stamps), nanosec=7), frame_id="optical")
        picture = np.full((480, 640, 3), 90, np.uint8) if image is None else image
        picture.setflags(write=False)
        for output in self.outputs[camera]:
            if output.wanted():
                output.publish(Shown(header, picture, "bgr8", result))
                self.built.append(type(output).__name__)
        return header

    def ask(self, heard: list, result: Result, image=None, camera: str = "", timeout: float = 20.0):
        """Show frames until one arrives; its header as it was sent, and the message.

        Frames of an earlier call may still arrive: they do not count. Of a message without any
        stamp, as of an empty MarkerArray, that can not be told, and the header is any.
        """
        heard.clear()
        sent: dict[int, Header] = {}
        end = time.monotonic() + timeout
        while True:
            assert time.monotonic() < end, "nothing arrives"
            header = self.show(result, image, camera)
            sent[header.stamp.sec] = header
            self.spin(0.05)
            for message in heard:
                second = _second(message)
                if second is None or second in sent:
                    return sent[second or max(sent)], message

    def until(self, condition: Callable[[], bool], timeout: float = 20.0) -> bool:
        """Spin both sides until `condition`; False when that took longer than `timeout` s."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                return False
            for executor in self._executors:
                executor.spin_once(timeout_sec=0.01)
        return True

    def spin(self, seconds: float) -> None:
        self.until(lambda: False, seconds)

    def close(self) -> None:
        for outputs in self.outputs.values():
            for output in outputs:
                output.close()
        for executor, node, context in zip(
            self._executors, (self.node, self.viewer), self._contexts, strict=True
        ):
            executor.shutdown()
            node.destroy_node()
            rclpy.shutdown(context=context)


def _second(message) -> int | None:
    """Of the stamp, wherever the message has one."""
    if hasattr(message, "header"):
        return message.header.stamp.sec
    if hasattr(message, "markers"):
        return message.markers[0].header.stamp.sec if message.markers else None
    return message.points[0].timestamp.sec if message.points else None


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


def caer(label: str = "Happy", probability: float = 0.7, share: float = 0.6) -> EmotionEstimate:
    """One emotion among seven."""
    rest = (1 - probability) / 6
    values = np.full(7, rest, np.float32)
    values[CAER7.index(label)] = probability
    return EmotionEstimate("caer", CAER7, values, lambda_face=share, lambda_context=1 - share)


def benet(thresholds: dict[str, float] | None = None, **strong: float) -> EmotionEstimate:
    """Several of 26 at once, with valence 0.5 and arousal -0.25; of thresholds, those not told are
    NaN."""
    values = np.full(26, 0.05, np.float32)
    for label, probability in strong.items():
        values[EMOTIC26.index(label)] = probability
    limits = None
    if thresholds is not None:
        limits = np.array([thresholds.get(label, math.nan) for label in EMOTIC26], np.float32)
    return EmotionEstimate(
        "benet",
        EMOTIC26,
        values,
        True,
        valence=0.5,
        arousal=-0.25,
        dominance=0.0,
        thresholds=limits,
    )


@pytest.fixture(scope="session")
def people() -> dict[str, tuple[PersonEmotion, ...]]:
    """Frames by what is special about them."""
    one, many = caer(), benet(Anger=0.8, Peace=0.6)
    chosen = {"Anger": 0.75, "Peace": 0.3, "Pain": 0.1}
    named, unnamed = benet(chosen, Anger=0.8, Peace=0.6, Esteem=0.9), benet(chosen)
    crowd = tuple(
        PersonEmotion(
            face=Box(10 * i, 5 * i, 10 * i + 30, 5 * i + 40), estimates=(one,), track_id=f"p{i}"
        )
        for i in range(60)
    )
    return {
        "nobody": (),
        "face": (PersonEmotion(face=FACE, estimates=(one,), track_id="p1"),),
        "body": (PersonEmotion(body=BODY, estimates=(many,), track_id="p2"),),
        "named": (PersonEmotion(body=BODY, estimates=(named,), track_id="p6"),),
        "unnamed": (PersonEmotion(body=BODY, estimates=(unnamed,), track_id="p7"),),
        "both named": (PersonEmotion(face=FACE, body=BODY, estimates=(one, named)),),
        "both": (PersonEmotion(face=FACE, body=BODY, estimates=(one, many), track_id="p3"),),
        "without id": (PersonEmotion(face=FACE, estimates=(one,)),),
        "without estimate": (PersonEmotion(face=FACE, track_id="p4"),),
        "nan lambda": (PersonEmotion(face=FACE, estimates=(caer(share=math.nan),), track_id="p5"),),
        "crowd": crowd,
    }


@pytest.fixture(scope="session")
def results(people) -> dict[str, Result]:
    """The same as results, with an attention map where somebody has a face."""
    attention = np.zeros((14, 14), np.float32)
    attention[3, 12] = 1.0
    return {
        name: Result(group, {}, attention if any(p.face for p in group) else None)
        for name, group in people.items()
    }
