"""A real node that changes its models while images come, and its services."""

from __future__ import annotations

import numpy as np
import pytest
from builtin_interfaces.msg import Time as Stamp
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from caer_msgs.srv import Record, SetModel, Snapshot
from caer_ros.ros.messages import image_message


@pytest.fixture
def running(stage):
    stage.active_node(tracking="never")
    return stage.probe


def parameter(probe, name: str) -> str:
    request = GetParameters.Request(names=[name])
    return probe.call(GetParameters, "/emotion_node/get_parameters", request).values[0].string_value


def set_text(probe, name: str, value: str):
    kind = ParameterType.PARAMETER_STRING
    change = Parameter(name=name, value=ParameterValue(type=kind, string_value=value))
    request = SetParameters.Request(parameters=[change])
    return probe.call(SetParameters, "/emotion_node/set_parameters", request).results[0]


def set_model(probe, **wanted: str):
    request = SetModel.Request(**wanted)
    return probe.call(SetModel, "/emotion_node/set_model", request, timeout=60.0)


def probabilities(answer) -> np.ndarray:
    return np.array(answer.people[0].estimates[0].probabilities)


def answered(probe) -> set:
    return {(each.header.frame_id, each.header.stamp.nanosec) for each in probe.arrays}


def test_another_precision_comes_and_goes_while_images_flow(running, astronaut):
    exact = probabilities(running.ask(astronaut))
    reply = set_model(running, precision="int8")
    assert reply.success, reply.message
    assert "precision: int8" in reply.message
    rough = probabilities(running.ask(astronaut))
    # Of so clear a smile all precisions are certain, but not in the same digits.
    assert 0 < np.abs(rough - exact).max() < 0.1
    assert parameter(running, "precision") == "int8"
    assert running.values("model")["precision"] == "int8"

    assert set_text(running, "precision", "fp32").successful
    assert running.until(lambda: running.values("model")["precision"] == "fp32", 60.0)
    assert np.array_equal(probabilities(running.ask(astronaut)), exact)
    counts = running.values("frames")
    assert (counts["in"], counts["out"], counts["dropped"], counts["failed"]) == (
        "3",
        "3",
        "0",
        "0",
    )


def test_a_model_that_does_not_exist_changes_nothing(running, astronaut):
    reply = set_model(running, model="no_such_model")
    assert not reply.success
    assert "no_such_model" in reply.message
    assert parameter(running, "model") == "caer_net_s"
    assert len(running.ask(astronaut).people) == 1
    assert "no_such_model" in running.fresh_diagnostics()["model"].message
    # As a parameter: taken at first, and set back when it can not be loaded.
    assert set_text(running, "model", "no_such_model").successful
    assert running.until(lambda: parameter(running, "model") == "caer_net_s", 20.0)
    assert len(running.ask(astronaut).people) == 1


def test_services_of_a_node_that_is_not_configured_say_so(stage):
    stage.node(autostart=False)
    reply = set_model(stage.probe, model="caer_net_s")
    assert not reply.success
    assert "not configured" in reply.message


def test_a_snapshot_is_kept_only_where_a_folder_is_named(running, astronaut, tmp_path):
    def ask(camera=""):
        return running.call(Snapshot, "/emotion_node/snapshot", Snapshot.Request(camera=camera))

    refused = ask()
    assert not refused.success
    assert "snapshot_folder" in refused.message
    assert set_text(running, "snapshot_folder", str(tmp_path)).successful
    client = running.node.create_client(Snapshot, "/emotion_node/snapshot")
    assert running.until(client.service_is_ready)
    future = client.call_async(Snapshot.Request())
    running.spin(0.3)
    assert running.ask(astronaut) is not None
    assert running.until(future.done)
    reply = future.result()
    assert reply.success, reply.message
    (folder,) = tmp_path.iterdir()
    assert reply.path == str(folder)
    assert {"image.png", "message.json", "overlay.png", "state.json", "attention.npy"} <= {
        path.name for path in folder.iterdir()
    }
    late = ask()
    assert not late.success
    assert "No frame" in late.message


def test_nothing_is_recorded_without_consent(running, tmp_path):
    reply = running.call(Record, "/emotion_node/record", Record.Request(start=True, label="Happy"))
    assert not reply.success
    assert "consent" in reply.message
    stop = running.call(Record, "/emotion_node/record", Record.Request(start=False))
    assert not stop.success


def test_two_cameras_of_one_node(stage, astronaut, crowd):
    node = stage.node(image_topics="[/front/image_raw, /rear/image_raw]", track_min_hits=1)
    probe = stage.probe
    cameras = {
        name: probe.node.create_publisher(Image, f"/{name}/image_raw", 5)
        for name in ("front", "rear")
    }
    assert probe.until(
        lambda: all(each.get_subscription_count() for each in cameras.values()), 30.0
    ), node.output
    pictures = {"front": astronaut, "rear": crowd[:640, :960]}
    both: list = []
    # The first images may be lost while node and cameras find each other.
    for number in range(1, 30):
        for name, publisher in cameras.items():
            header = Header(stamp=Stamp(sec=100, nanosec=number * 10**7), frame_id=name)
            publisher.publish(image_message(header, pictures[name]))
        both.append([(name, number * 10**7) for name in cameras])
        probe.until(lambda: set(both[-1]) <= answered(probe), 3.0)
        if sum(set(pair) <= answered(probe) for pair in both) == 3:
            break
    last = {each.header.frame_id: each for each in probe.arrays}
    assert {name: len(each.people) for name, each in last.items()} == {"front": 1, "rear": 6}
    ids = [person.track_id for each in last.values() for person in each.people]
    assert len(set(ids)) == 7
    assert "" not in ids
    parts = probe.fresh_diagnostics()
    assert {"input front", "input rear", "frames front", "frames rear"} <= parts.keys()
    counts = {pair.key: pair.value for pair in parts["frames rear"].values}
    assert int(counts["in"]) == int(counts["out"]) + int(counts["dropped"]) >= 3
