"""Faults of engine, camera, disk and listeners: the node is alive after each, and says what was."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from caer_msgs.msg import PersonEmotionArray
from caer_msgs.srv import Snapshot
from caer_ros.ros.messages import image_message

FAST = {"backend": "onnxruntime", "detector_size": 640, "threads": 2, "max_people": 64}
GREY = np.full((240, 320, 3), 120, np.uint8)


class Faults:
    """A node whose engines fail on demand."""

    def __init__(self, stage, order: Path, folder: Path) -> None:
        self.probe = stage.probe
        self.order_file = order
        self.folder = folder
        self.process = stage.start(
            "faulty_node",
            {**FAST, "watchdog_s": 3.0, "stale_after_s": 1.0, "snapshot_folder": folder},
        )
        heard = self.probe.until(lambda: self.probe.camera.get_subscription_count() == 1, 40.0)
        assert heard, self.process.output

    def order(self, fault: str, bundle: str = "caer_net_s") -> None:
        scratch = self.order_file.with_suffix(".new")
        scratch.write_text(f"{fault} {bundle}")
        scratch.rename(self.order_file)

    def frames(self) -> dict[str, int]:
        """Counts of the frames, from fresh diagnostics."""
        values = self.probe.values("frames")
        return {key: int(values[key]) for key in ("in", "out", "dropped", "failed", "waiting")}

    def says(self, part: str, level: bytes, text: str, timeout: float = 15.0) -> bool:
        """Whether diagnostics say so within `timeout` seconds."""

        def said() -> bool:
            status = self.probe.parts.get(part)
            return status is not None and status.level == level and text in status.message

        return self.probe.until(said, timeout)


@pytest.fixture(scope="module")
def node(stages, photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=":")
        patch.setenv("CAER_FAULT", str(folder / "order"))
        return Faults(stages(), folder / "order", folder / "snapshots")


@pytest.fixture(autouse=True)
def alive_afterwards(request, astronaut):
    """After each fault the node answers, there is no traceback, and the frames are all counted."""
    yield
    if "node" not in request.fixturenames:
        return
    node = request.getfixturevalue("node")
    answer = node.probe.ask(astronaut)
    assert answer is not None, node.process.output
    assert len(answer.people) == 1
    assert "Traceback" not in node.process.output, node.process.output
    frames = node.frames()
    assert frames["in"] == sum(frames[key] for key in ("out", "dropped", "failed", "waiting"))


@pytest.mark.parametrize(
    ("fault", "bundle", "complaint"),
    [
        ("nan", "caer_net_s", "NaN"),
        ("raise", "caer_net_s", "ordered to fail"),
        ("raise", "centerface", "ordered to fail"),
    ],
)
def test_an_engine_that_fails_loses_one_frame(node, astronaut, fault, bundle, complaint):
    before = node.frames()["failed"]
    node.order(fault, bundle)
    answers = len(node.probe.arrays)
    node.probe.send(astronaut, sec=11)
    assert node.says("frames", DiagnosticStatus.WARN, complaint), node.process.output
    assert node.frames()["failed"] == before + 1
    assert len(node.probe.arrays) == answers  # nothing was published of it


def test_an_engine_that_hangs_is_given_up(node, astronaut):
    node.order("hang")
    node.probe.send(astronaut, sec=12)
    assert node.says("model", DiagnosticStatus.ERROR, "was given up", 20.0), node.process.output
    answer = node.probe.ask(astronaut, 20.0)
    assert answer is not None, node.process.output
    assert node.says("model", DiagnosticStatus.WARN, "hung before (1 times)"), node.process.output
    assert "did not answer" in node.process.output


def test_stamps_that_jump_back_and_size_that_changes(node, astronaut, hopper):
    small = cv2.resize(astronaut, (256, 256))
    tall = np.vstack([astronaut, astronaut])
    for sec, image in ((500, astronaut), (3, small), (2, tall), (400, hopper), (400, astronaut)):
        before = len(node.probe.arrays)
        node.probe.send(image, sec=sec)
        assert node.probe.until(lambda n=before: len(node.probe.arrays) > n), node.process.output
        answer = node.probe.arrays[-1]
        assert answer.header.stamp.sec == sec
        assert len(answer.people) >= 1
        for person in answer.people:
            assert 0 <= person.face_box.x_min < person.face_box.x_max <= image.shape[1] + 8


def test_a_camera_that_stops_and_starts_again(node, astronaut):
    probe = node.probe
    assert probe.ask(astronaut) is not None
    probe.node.destroy_publisher(probe.camera)
    assert node.says("input", DiagnosticStatus.WARN, "nobody publishes"), node.process.output
    assert node.says("input", DiagnosticStatus.ERROR, "nobody publishes"), node.process.output
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    probe.camera = probe.node.create_publisher(Image, "/camera/image_raw", qos)
    assert probe.until(lambda: probe.camera.get_subscription_count() == 1)
    assert probe.ask(astronaut) is not None
    assert node.says("input", DiagnosticStatus.OK, "images a second")


def test_a_subscriber_that_never_reads(node, astronaut):
    """Its queue fills; others and the node go on."""
    probe = node.probe
    qos = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
    context = Context()
    rclpy.init(context=context, domain_id=probe.domain)
    sleeper = rclpy.create_node("sleeper", context=context)
    sleeper.create_subscription(PersonEmotionArray, "/emotions", lambda message: None, qos)
    sleeper.create_subscription(Image, "/emotion_node/debug/overlay", lambda message: None, 10)
    try:
        assert probe.until(lambda: probe.node.count_subscribers("/emotions") == 2)
        before = node.frames()["out"]
        answers = len(probe.arrays)
        for sec in range(40):
            probe.send(cv2.resize(astronaut, (1280, 720)), sec=100 + sec)
            probe.spin(0.03)
        assert probe.until(lambda: node.frames()["waiting"] == 0)
        assert len(probe.arrays) - answers == node.frames()["out"] - before > 0
    finally:
        sleeper.destroy_node()
        rclpy.shutdown(context=context)


def test_sixty_people(node, astronaut, hopper):
    faces = [astronaut[20:240, 110:330], hopper[60:330, 130:400]]
    cells = [cv2.resize(face, (96, 96)) for face in faces]
    crowd = np.vstack([np.hstack([cells[(r + c) % 2] for c in range(10)]) for r in range(6)])
    answer = node.probe.ask(crowd, 30.0)
    assert answer is not None, node.process.output
    assert len(answer.people) == 60
    assert all(len(person.estimates) == 1 for person in answer.people)


def test_a_full_disk_fails_the_snapshot_and_leaves_nothing(node, astronaut):
    node.order("full-disk")
    assert node.probe.ask(astronaut) is not None
    reply = snapshot(node, astronaut)
    assert not reply.success
    assert "can not be written" in reply.message
    assert not node.folder.is_dir() or list(node.folder.iterdir()) == []
    node.order("free-disk")
    assert node.probe.ask(astronaut) is not None
    assert snapshot(node, astronaut).success


def test_parameters_that_change_while_frames_flow(node, astronaut):
    """Thresholds on every frame: none is lost for it, and the last one holds."""
    probe = node.probe
    client = probe.node.create_client(SetParameters, "/emotion_node/set_parameters")
    assert probe.until(client.service_is_ready)
    futures = []
    for number, least in zip(range(20), itertools.cycle((400.0, 16.0)), strict=False):
        probe.send(astronaut, sec=number + 1)
        value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=least)
        request = SetParameters.Request(parameters=[Parameter(name="min_face", value=value)])
        futures.append(client.call_async(request))
        probe.spin(0.03)
    assert probe.until(lambda: all(future.done() for future in futures))
    assert all(future.result().results[0].successful for future in futures)
    answer = probe.ask(astronaut)
    assert answer is not None
    assert len(answer.people) == 1
    probe.node.destroy_client(client)


def snapshot(node, image: np.ndarray) -> Snapshot.Response:
    """Ask for one while frames flow."""
    client = node.probe.node.create_client(Snapshot, "/emotion_node/snapshot")
    assert node.probe.until(client.service_is_ready)
    future = client.call_async(Snapshot.Request())
    for sec in range(100):
        if future.done():
            break
        node.probe.send(image, sec=sec + 1)
        node.probe.until(future.done, 0.2)
    assert future.done(), node.process.output
    node.probe.node.destroy_client(client)
    return future.result()


def test_two_nodes_in_two_namespaces_do_not_meet(stage, astronaut, hopper):
    """Each has its camera, topics and services; the answer of one is not the other's."""
    probe = stage.probe
    answers: dict[str, list[PersonEmotionArray]] = {"left": [], "right": []}
    cameras = {}
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    nodes = []
    for name, got in answers.items():
        nodes.append(
            stage.start(
                "caer_ros.ros.emotion_node",
                {**FAST, "detector_size": 320},
                "-r",
                f"__ns:=/{name}",
            )
        )
        cameras[name] = probe.node.create_publisher(Image, f"/{name}/camera/image_raw", qos)
        probe.node.create_subscription(PersonEmotionArray, f"/{name}/emotions", got.append, 10)
    for name, camera in cameras.items():
        heard = probe.until(lambda c=camera: c.get_subscription_count() == 1, 40.0)
        assert heard, nodes[0].output + nodes[1].output
        assert probe.until(lambda n=name: probe.node.count_publishers(f"/{n}/emotions") == 1)
    for _ in range(50):
        for name, image in (("left", astronaut), ("right", GREY)):
            cameras[name].publish(as_message(image, name))
        if probe.until(lambda: all(answers.values()), 0.2):
            break
    assert all(answers.values()), nodes[0].output + nodes[1].output
    assert {len(answer.people) for answer in answers["left"]} == {1}
    assert {len(answer.people) for answer in answers["right"]} == {0}
    for name, got in answers.items():
        assert {answer.header.frame_id for answer in got} == {name}
    services = {name for name, _ in probe.node.get_service_names_and_types()}
    for name in answers:
        assert f"/{name}/emotion_node/change_state" in services
    assert probe.arrays == []


def as_message(image: np.ndarray, frame_id: str) -> Image:
    return image_message(Header(frame_id=frame_id), image)
