"""`~/snapshot` and `~/record` of a real node: files, refusals, and the node alive after each."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters

from caer_msgs.srv import Record, Snapshot


@pytest.fixture(scope="module")
def node(running, tmp_path_factory):
    """The shared node, and the folder that it may write to."""
    folder = tmp_path_factory.mktemp("kept")
    yield running, folder
    assert running.process.alive(), running.process.output


def set_parameter(stage, name: str, value: str | bool) -> bool:
    if isinstance(value, bool):
        content = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=value)
    else:
        content = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)
    request = SetParameters.Request(parameters=[Parameter(name=name, value=content)])
    answer = stage.probe.call(SetParameters, "/emotion_node/set_parameters", request)
    return answer.results[0].successful


def ask(stage, kind, service: str, image: np.ndarray | None = None, **fields):
    """The answer of a service, while a camera shows `image` ten times a second (or none does)."""
    probe = stage.probe
    client = probe.node.create_client(kind, f"/emotion_node/{service}")
    assert probe.until(client.service_is_ready)
    before = len(probe.arrays)
    future = client.call_async(kind.Request(**fields))
    shown = 0
    while not future.done() and shown < 150:
        if image is not None:
            probe.send(image, sec=100 + shown)
        probe.until(future.done, 0.1)
        shown += 1
    assert future.done(), stage.process.output
    assert image is None or len(probe.arrays) >= before
    probe.node.destroy_client(client)
    return future.result()


def test_a_snapshot_holds_the_frame_and_what_the_node_knows(node, astronaut):
    stage, folder = node
    assert set_parameter(stage, "snapshot_folder", str(folder / "shots"))
    answer = ask(stage, Snapshot, "snapshot", astronaut)
    assert answer.success, answer.message
    path = Path(answer.path)
    assert path.parent == folder / "shots"
    assert np.array_equal(cv2.imread(str(path / "image.png")), astronaut)
    message = json.loads((path / "message.json").read_text())
    assert len(message["people"]) == 1
    assert message["stamp"]["sec"] >= 100
    assert np.load(path / "attention.npy").ndim == 2  # asked for before the frame was processed
    state = json.loads((path / "state.json").read_text())
    assert "astronaut" not in state
    assert "caer_net_s" in json.dumps(state)
    assert str(folder / "shots") in json.dumps(state)


def test_snapshots_are_refused_with_the_reason(node, astronaut):
    stage, folder = node
    assert set_parameter(stage, "snapshot_folder", "")
    answer = ask(stage, Snapshot, "snapshot", astronaut)
    assert not answer.success
    assert "snapshot_folder" in answer.message

    (folder / "file").write_text("")
    assert set_parameter(stage, "snapshot_folder", str(folder / "file" / "below"))
    answer = ask(stage, Snapshot, "snapshot", astronaut)
    assert not answer.success
    assert "can not be written" in answer.message
    assert stage.probe.ask(astronaut) is not None


def test_a_snapshot_without_a_camera_fails_and_the_node_answers_meanwhile(node):
    stage, folder = node
    assert set_parameter(stage, "snapshot_folder", str(folder / "shots"))
    probe = stage.probe
    client = probe.node.create_client(Snapshot, "/emotion_node/snapshot")
    assert probe.until(client.service_is_ready)
    future = client.call_async(Snapshot.Request())
    probe.spin(0.3)
    assert probe.state() == "active"
    assert not future.done()
    assert probe.until(future.done, 15.0)
    assert not future.result().success
    assert "No frame" in future.result().message
    probe.node.destroy_client(client)


def play(stage, image: np.ndarray, seconds: int) -> None:
    for _ in range(seconds):
        assert stage.probe.ask(image) is not None


def test_recording_needs_consent_and_ends_with_it(node, astronaut):
    stage, folder = node
    assert set_parameter(stage, "record_folder", str(folder / "clips"))
    refused = ask(stage, Record, "record", start=True, label="Happy")
    assert not refused.success
    assert "record_consent" in refused.message
    assert not (folder / "clips").exists()

    assert set_parameter(stage, "record_consent", True)
    assert ask(stage, Record, "record", start=True, label="happy").success
    play(stage, astronaut, 3)
    done = ask(stage, Record, "record", start=False)
    assert done.success, done.message
    facts = json.loads(Path(done.path).with_suffix(".json").read_text())
    assert facts["label"] == "Happy"
    assert len(facts["stamps"]) >= 2
    assert len(facts["frames"][0][1]) == 1  # one face

    assert ask(stage, Record, "record", start=True, label="Sad").success
    play(stage, astronaut, 2)
    assert set_parameter(stage, "record_consent", False)
    assert stage.probe.until(lambda: "deleted" in stage.process.output)
    assert not ask(stage, Record, "record", start=False).success
    assert [p.name for p in (folder / "clips" / "train").rglob("*.avi")] == [Path(done.path).name]
    assert stage.probe.ask(astronaut) is not None
