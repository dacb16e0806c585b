"""Real nodes in real processes, each test in a ROS domain of its own, on this machine only."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time as Stamp  # noqa: E402
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from lifecycle_msgs.srv import ChangeState, GetState  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.qos import QoSProfile, ReliabilityPolicy  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from caer_msgs.msg import PersonEmotionArray  # noqa: E402
from caer_ros.ros import fastdds  # noqa: E402
from caer_ros.ros.messages import image_message  # noqa: E402

os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ.update(fastdds.profile_environment(os.environ))

# Domains 102 and up have ports in Linux's ephemeral range; two runs at once should not meet.
_DOMAINS = itertools.cycle(range(2 + os.getpid() % 50, 102))

# Small and always installed: fast tests that do not depend on what else a machine has.
FAST = {"backend": "onnxruntime", "detector_size": 320, "threads": 2}


class NodeProcess:
    """One node of this package in a process; its output is kept."""

    def __init__(
        self, module: str, domain: int, parameters: dict[str, object], *extra: str
    ) -> None:
        command = [sys.executable, "-m", module, "--ros-args", *extra]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={str(value).lower() if value is not None else ''}"]
        environment = {
            **os.environ,
            "ROS_DOMAIN_ID": str(domain),
            "PYTHONFAULTHANDLER": "1",  # for autopsy
        }
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "".join(self._lines)

    def alive(self) -> bool:
        return self._process.poll() is None

    def memory_mb(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 2**20

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float) -> int:
        """Exit code; the process must end within `timeout` seconds."""
        code = self._process.wait(timeout)
        self._reader.join(2)
        return code

    def kill(self) -> None:
        if self.alive():
            self._process.kill()
            self._process.wait()

    def autopsy(self) -> str:
        """Kill a process that hangs; its output, with where each of its threads was."""
        self.signal(signal.SIGABRT)
        self.wait(10.0)
        return self.output

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line)


class Probe:
    """A node of the test's own: a camera, and somebody who listens to everything."""

    def __init__(self, domain: int, reliability: ReliabilityPolicy) -> None:
        self.domain = domain
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node("probe", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.arrays: list[PersonEmotionArray] = []
        self.overlays: list[Image] = []
        self.parts: dict[str, DiagnosticStatus] = {}
        self.reports = 0
        qos = QoSProfile(depth=5, reliability=reliability)
        self.camera = self.node.create_publisher(Image, "/camera/image_raw", qos)
        self.node.create_subscription(PersonEmotionArray, "/emotions", self.arrays.append, 10)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnostics, 10)

    def watch_overlay(self) -> None:
        topic = "/emotion_node/debug/overlay"
        self.node.create_subscription(Image, topic, self.overlays.append, 1)

    def until(self, condition: Callable[[], bool], timeout: float = 15.0) -> bool:
        """Spin until `condition`; False when that took longer than `timeout` seconds."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                return False
            self._executor.spin_once(timeout_sec=0.02)
        return True

    def spin(self, seconds: float) -> None:
        self.until(lambda: False, seconds)

    def state(self) -> str:
        """The emotion node's life cycle state, empty where it does not answer."""
        reply = self.call(GetState, "/emotion_node/get_state", GetState.Request())
        return reply.current_state.label if reply else ""

    def change(self, transition: str) -> bool:
        """Ask for a transition by its label; did it succeed?"""
        request = ChangeState.Request()
        request.transition.label = transition
        reply = self.call(ChangeState, "/emotion_node/change_state", request)
        return bool(reply and reply.success)

    def call(self, kind, name: str, request, timeout: float = 15.0):
        """One service call; None where nobody answers."""
        client = self.node.create_client(kind, name)
        try:
            if not self.until(client.service_is_ready, timeout):
                return None
            future = client.call_async(request)
            return future.result() if self.until(future.done, timeout) else None
        finally:
            self.node.destroy_client(client)

    def send(self, image: np.ndarray | Image, sec: int = 7, frame_id: str = "cam") -> Header:
        """Publish one image (BGR array or message) and return its header."""
        header = Header(stamp=Stamp(sec=sec, nanosec=sec * 11), frame_id=frame_id)
        message = image if isinstance(image, Image) else image_message(header, image)
        message.header = header
        self.camera.publish(message)
        return header

    def ask(self, image: np.ndarray | Image, timeout: float = 10.0) -> PersonEmotionArray | None:
        """The answer to one image; None where none comes."""
        before = len(self.arrays)
        sec = 1000 + before
        self.send(image, sec=sec)
        answered = self.until(
            lambda: any(a.header.stamp.sec == sec for a in self.arrays[before:]), timeout
        )
        return self.arrays[-1] if answered else None

    def fresh_diagnostics(self, reports: int = 2) -> dict[str, DiagnosticStatus]:
        """Diagnostics made after this call, by part of the name after the colon."""
        goal = self.reports + reports
        assert self.until(lambda: self.reports >= goal, 8.0), "no diagnostics"
        return self.parts

    def values(self, part: str) -> dict[str, str]:
        """Fresh values of one part of the diagnostics."""
        return {pair.key: pair.value for pair in self.fresh_diagnostics()[part].values}

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _diagnostics(self, message: DiagnosticArray) -> None:
        self.reports += 1
        self.parts = {status.name.split(": ")[-1]: status for status in message.status}


class Stage:
    """Makes probes and nodes that share a domain, and sees that every node ends well."""

    def __init__(self, reliability: ReliabilityPolicy = ReliabilityPolicy.BEST_EFFORT) -> None:
        self.domain = next(_DOMAINS)
        self.probe = Probe(self.domain, reliability)
        self._nodes: list[NodeProcess] = []

    def node(self, **parameters: object) -> NodeProcess:
        """An emotion node in a process of its own."""
        return self.start("caer_ros.ros.emotion_node", {**FAST, **parameters})

    def active_node(self, **parameters: object) -> NodeProcess:
        """An emotion node that hears the probe's camera."""
        process = self.node(**parameters)
        heard = self.probe.until(
            lambda: (
                self.probe.camera.get_subscription_count() == 1
                and self.probe.node.count_publishers("/emotions") == 1
            ),
            90.0,
        )
        assert heard, process.output
        assert self.probe.state() == "active", process.output
        return process

    def start(self, module: str, parameters: dict[str, object], *extra: str) -> NodeProcess:
        """A node of this package in a process of its own; `extra` are more ROS arguments."""
        process = NodeProcess(module, self.domain, parameters, *extra)
        self._nodes.append(process)
        return process

    def close(self) -> None:
        """End everything; a node that was still alive must end cleanly."""
        alive = [node for node in self._nodes if node.alive()]
        for node in alive:
            node.signal(signal.SIGINT)
        try:
            codes = [node.wait(15.0) for node in alive]
        finally:
            for node in self._nodes:
                node.kill()
            self.probe.close()
        for node, code in zip(alive, codes, strict=True):
            assert code == 0, node.output
            assert "Traceback" not in node.output, node.output


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


@pytest.fixture
def reliable_stage() -> Iterator[Stage]:
    """With a camera that publishes reliably."""
    made = Stage(ReliabilityPolicy.RELIABLE)
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(photos: Path) -> Iterator[Stage]:
    """An active node that the tests of one file share; each leaves it alive."""
    made = Stage()
    made.process = made.active_node()  # type: ignore[attr-defined]
    yield made
    made.close()


@pytest.fixture(scope="module")
def stages() -> Iterator[Callable[[], Stage]]:
    """Makes stages that the tests of one file share."""
    made: list[Stage] = []

    def make() -> Stage:
        made.append(Stage())
        return made[-1]

    yield make
    for each in made:
        each.close()
