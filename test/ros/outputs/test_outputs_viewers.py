"""RViz's and Foxglove's files parse, and name only topics that the node has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from sensor_msgs.msg import CompressedImage, Image

from caer_ros.ros import share
from caer_ros.ros.outputs.optional import messages_of

OUTSIDE = {"/emotions", "/diagnostics", "/camera/image_raw"}


@pytest.fixture
def published(desk) -> dict[str, list[str]]:
    """What the outputs publish, with the types' names, by topic."""
    desk.open()
    last = "/emotion_node/annotations" if messages_of("foxglove_msgs") else "/emotion_node/markers"
    assert desk.until(lambda: desk.viewer.count_publishers(last) == 1)
    return dict(desk.viewer.get_topic_names_and_types())


def texts(value: object) -> set[str]:
    """All texts in lists and mappings, keys too."""
    if isinstance(value, dict):
        return set().union(*(texts(part) for pair in value.items() for part in pair), set())
    if isinstance(value, list):
        return set().union(*(texts(part) for part in value), set())
    return {value} if isinstance(value, str) else set()


def test_rviz_shows_overlay_markers_and_frames(root: Path, published):
    config = yaml.safe_load((root / "rviz" / "emotion.rviz").read_text())
    displays = {d["Class"]: d for d in config["Visualization Manager"]["Displays"]}
    topic = {kind: d["Topic"]["Value"] for kind, d in displays.items() if "Topic" in d}
    assert "rviz_default_plugins/TF" in displays
    assert published[topic["rviz_default_plugins/Image"]] == ["sensor_msgs/msg/Image"]
    markers = published[topic["rviz_default_plugins/MarkerArray"]]
    assert markers == ["visualization_msgs/msg/MarkerArray"]
    assert len(topic) == 2


def test_foxglove_shows_topics_that_exist(root: Path, published):
    layout = json.loads((root / "foxglove" / "emotion_layout.json").read_text())
    named = {text for text in texts(layout["configById"]) if text.startswith("/")}
    assert named <= OUTSIDE | set(published), named - OUTSIDE - set(published)
    assert {
        "/emotion_node/debug/overlay/compressed",
        "/emotion_node/annotations",
        "/emotions",
        "/diagnostics",
    } <= named


def test_foxglove_panels_are_all_placed(root: Path):
    layout = json.loads((root / "foxglove" / "emotion_layout.json").read_text())

    def panels(place) -> list[str]:
        if isinstance(place, str):
            return [place]
        return panels(place["first"]) + panels(place["second"])

    placed = panels(layout["layout"])
    assert sorted(placed) == sorted(layout["configById"])
    kinds = {name.split("!")[0] for name in placed}
    assert kinds == {"Image", "3D", "RawMessages", "DiagnosticSummary"}


def test_both_are_installed(root: Path):
    setup = (root / "setup.py").read_text()
    assert '*shared("rviz")' in setup
    assert '*shared("foxglove")' in setup
    assert share.share_path("foxglove/emotion_layout.json").is_file()


def test_a_running_node_has_them_all(stage, astronaut):
    """The whole node in a process of its own: header, boxes and pictures of the same frame."""
    vision_msgs = pytest.importorskip("vision_msgs.msg")
    stage.active_node(blur_faces=True)
    detections: list = []
    jpegs: list = []
    overlays: list = []
    for kind, topic, heard in (
        (vision_msgs.Detection2DArray, "detections", detections),
        (CompressedImage, "debug/overlay/compressed", jpegs),
        (Image, "debug/overlay", overlays),
    ):
        stage.probe.node.create_subscription(kind, f"/emotion_node/{topic}", heard.append, 10)
    sent = {}
    for sec in range(50, 90):
        sent[sec] = stage.probe.send(astronaut, sec=sec)
        if stage.probe.until(lambda: bool(detections and jpegs and overlays), 0.5):
            break
    assert detections
    assert jpegs
    assert overlays
    for message in (detections[0], jpegs[0], overlays[0]):
        assert message.header == sent[message.header.stamp.sec]
    (found,) = detections[0].detections
    assert found.bbox.center.position.x == pytest.approx(226, abs=25)
    assert len(found.results) == 7
