"""The demo's own node: listens to the emotion node as any other program of a robot would."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.time import Time
from sensor_msgs.msg import Image

from caer_msgs.msg import EmotionEstimate, PersonEmotion, PersonEmotionArray
from caer_ros.core import named_labels
from caer_ros.ros import qos
from caer_ros.ros.demo_record import Recorder, Summary
from caer_ros.ros.messages import image_view

_PRINT_PERIOD_S = 0.2  # five frames a second can still be read


class Watcher:
    """Prints people as they arrive, records overlays into the folder `out`."""

    def __init__(self, out: Path) -> None:
        self.summary = Summary()
        self.recorder = Recorder(out)
        self._state: dict[str, str] = {}
        self._printed = -math.inf
        self._node = rclpy.create_node("demo_watcher")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        subscribe = self._node.create_subscription
        subscribe(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        subscribe(PersonEmotionArray, "/emotions", self._on_emotions, qos.EMOTIONS)
        subscribe(Image, "/emotion_node/debug/overlay", self._on_overlay, qos.OVERLAY)

    def wait_until_active(self, seconds: float, given_up: Callable[[], bool]) -> bool:
        """True when the emotion node is active; False after `seconds`, or when it can not be."""
        self._spin(seconds, lambda: given_up() or self._active() or bool(self.trouble()))
        return self._active()

    def wait_for_people(self, seconds: float, given_up: Callable[[], bool]) -> None:
        """Until the first message on /emotions, `seconds` at most."""
        self._spin(seconds, lambda: given_up() or self.summary.frames > 0)

    def watch(self, seconds: float, given_up: Callable[[], bool]) -> None:
        """Print and record for so long."""
        self._spin(seconds, given_up)

    def trouble(self) -> str:
        """Why the node is not configured, as its diagnostics say; empty where it says nothing."""
        message = self._state.get("message", "")
        return message if message.startswith("not configured: ") else ""

    def input_says(self) -> str:
        """What the node's diagnostics say of its input."""
        return self._state.get("input", "nothing yet")

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *exc: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        self.recorder.close()

    def _spin(self, seconds: float, done: Callable[[], bool]) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and rclpy.ok() and not done():
            self._executor.spin_once(timeout_sec=0.1)

    def _active(self) -> bool:
        return self._state.get("state") == "active"

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == "emotion_node: model":
                self._state["message"] = status.message
                self._state |= {pair.key: pair.value for pair in status.values}
            elif status.name == "emotion_node: input":
                self._state["input"] = status.message

    def _on_emotions(self, message: PersonEmotionArray) -> None:
        now = time.monotonic()
        latency = self._node.get_clock().now() - Time.from_msg(message.header.stamp)
        self.summary.add(len(message.people), now, latency.nanoseconds / 1e9)
        if now - self._printed >= _PRINT_PERIOD_S:
            self._printed = now
            moment = f"{now - self.summary.first:5.1f} s"
            for line in describe(message.people):
                print(f"{moment}  {line}", flush=True)

    def _on_overlay(self, message: Image) -> None:
        stamp = Time.from_msg(message.header.stamp).nanoseconds / 1e9
        self.recorder.add(np.asarray(image_view(message)), stamp)


def describe(people: list[PersonEmotion]) -> list[str]:
    """One line a person; one line too when nobody is there."""
    if not people:
        return ["nobody"]
    return [f"person {number}: {_describe(person)}" for number, person in enumerate(people, 1)]


def _describe(person: PersonEmotion) -> str:
    box = person.face_box if person.has_face_box else person.person_box
    place = (
        f"at ({box.x_min:.0f}, {box.y_min:.0f}) "
        f"{box.x_max - box.x_min:.0f}x{box.y_max - box.y_min:.0f}"
    )
    texts = []
    for estimate in person.estimates:
        text = ", ".join(
            f"{estimate.labels[i]} {estimate.probabilities[i]:.0%}" for i in _order(estimate)
        )
        if not math.isnan(estimate.lambda_face):
            text += f"  [face {estimate.lambda_face:.0%}, scene {estimate.lambda_context:.0%}]"
        texts.append(text or "no emotion reaches its threshold")
    return "  ".join([*texts, place])


def _order(estimate: EmotionEstimate) -> np.ndarray:
    """Indices of the two likeliest labels; with thresholds, of all that reach theirs."""
    probabilities = np.array(estimate.probabilities)
    if len(estimate.thresholds):
        return named_labels(probabilities, np.array(estimate.thresholds))
    return np.argsort(probabilities)[::-1][:2]
