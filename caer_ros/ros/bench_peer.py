"""Camera and listener of `caer bench node`: what a robot's other nodes see of the emotion node."""

from __future__ import annotations

import json
import math
import subprocess
import time
from collections.abc import Callable
from dataclasses import fields
from time import perf_counter

import numpy as np
import rclpy
from builtin_interfaces.msg import Time as Stamp
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from caer_msgs.msg import PersonEmotionArray
from caer_ros.core import CaerError
from caer_ros.perception import PipelineConfig
from caer_ros.ros import qos
from caer_ros.ros.messages import image_message
from caer_ros.ros.parameter_table import BY_NAME

_LOADING_S = 120.0  # the first load of a large model may compile it
_ANSWER_S = 20.0
_LOST_AFTER_S = 5.0


def node_arguments(config: PipelineConfig) -> list[str]:
    """ROS arguments that make the node run this configuration."""
    arguments = ["--log-level", "warn"]
    for field in fields(config):
        if field.name in BY_NAME:
            # JSON is YAML, and says of a text that looks like a number that it is a text.
            value = json.dumps(getattr(config, field.name))
            arguments += ["-p", f"{field.name}:={value}"]
    return arguments


class Peer:
    """Publishes one image again and again and listens for the answers.

    Args:
        image: BGR, uint8 [h, w, 3].

    Attributes:
        lost: images that no answer came to.
    """

    def __init__(self, image: np.ndarray) -> None:
        self.lost = 0
        self._image = image
        self._sent = 0
        self._answered: list[int] = []
        self._inside: dict[str, str] = {}
        self._node = rclpy.create_node("bench_peer")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._camera = self._node.create_publisher(Image, "/camera/image_raw", best_effort)
        subscribe = self._node.create_subscription
        subscribe(PersonEmotionArray, "/emotions", self._on_answer, qos.EMOTIONS)
        subscribe(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def wait_for(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the node answers an image.

        Raises:
            CaerError: it ended, or does not.
        """
        end = time.monotonic() + _LOADING_S
        while not self._answered:
            if process.poll() is not None or time.monotonic() > end:
                raise CaerError("The node does not answer.", "See its messages above.")
            self._send()
            self._spin(lambda: bool(self._answered), 0.5)
        self._spin(lambda: False, 0.5)  # answers to the others

    def ask(self) -> float:
        """Seconds from publishing one image to its answer.

        Raises:
            CaerError: none comes.
        """
        end = time.monotonic() + _ANSWER_S
        while time.monotonic() < end:
            start = perf_counter()
            if self._answers(self._send()):
                return perf_counter() - start
            self.lost += 1
        raise CaerError("The node answers no more.", "See its messages above.")

    def flood(self, frames: int, interval: float) -> float:
        """Answers a second while an image goes out every `interval` seconds.

        Args:
            frames: answers to wait for; the first one starts the clock.

        Raises:
            CaerError: too few come.
        """
        self._answered.clear()
        end = time.monotonic() + _ANSWER_S + 4 * frames * interval
        due, start, before = perf_counter(), 0.0, 0
        while len(self._answered) - before < frames or not before:
            if time.monotonic() > end:
                raise CaerError("The node answers too little.", "Is the machine busy?")
            if perf_counter() >= due:
                self._send()
                due += interval
            self._executor.spin_once(timeout_sec=max(0.0, due - perf_counter()))
            if self._answered and not before:
                start, before = perf_counter(), len(self._answered)
        rate = (len(self._answered) - before) / (perf_counter() - start)
        self._spin(lambda: False, 3 * interval)  # what is under way
        return rate

    def inside(self) -> tuple[float, float]:
        """p50 and p95 of the pipeline inside the node over the last seconds, in milliseconds."""
        self._inside.clear()
        self._spin(lambda: bool(self._inside), 3.0)
        half, most = (self._inside.get(f"total {share} [ms]") for share in ("p50", "p95"))
        return float(half or math.nan), float(most or math.nan)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()

    def _send(self) -> int:
        self._sent += 1
        now = self._node.get_clock().now().nanoseconds
        # The number travels in the stamp's nanoseconds; the seconds are true.
        stamp = Stamp(sec=now // 10**9, nanosec=self._sent)
        message = image_message(Header(stamp=stamp, frame_id="bench"), self._image)
        self._camera.publish(message)
        return self._sent

    def _answers(self, number: int) -> bool:
        return self._spin(lambda: number in self._answered, _LOST_AFTER_S)

    def _spin(self, done: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._executor.spin_once(timeout_sec=min(left, 0.1))
        return True

    def _on_answer(self, message: PersonEmotionArray) -> None:
        self._answered.append(message.header.stamp.nanosec)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.endswith(": latency"):
                self._inside = {pair.key: pair.value for pair in status.values}
