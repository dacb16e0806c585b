"""Bags and real ROS messages: what rclpy wrote is read, and what is written rclpy reads."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from builtin_interfaces.msg import Time as Stamp
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

import caer_msgs.msg
from caer_ros.core import CAER7, EMOTIC26, Box, EmotionEstimate, PersonEmotion
from caer_ros.perception.bags.bag_writer import EmotionBag
from caer_ros.perception.bags.definitions import PEOPLE, emotion_types
from caer_ros.perception.frames import Origin
from caer_ros.perception.sources import open_source
from caer_ros.ros.messages import image_message, people_message

rosbag2 = pytest.importorskip("rosbags.rosbag2")
typesys = pytest.importorskip("rosbags.typesys")

HEADER = Header(stamp=Stamp(sec=5, nanosec=6), frame_id="front")


def people() -> tuple[PersonEmotion, ...]:
    face = EmotionEstimate(
        "caer_net_s", CAER7, np.arange(1, 8, dtype=np.float32) / 28, False, 0.25, 0.75, lag=0.375
    )
    body = EmotionEstimate(
        "benet",
        EMOTIC26,
        np.linspace(0, 1, 26, dtype=np.float32),
        True,
        valence=-0.5,
        arousal=0.25,
        dominance=1.0,
        thresholds=np.append(np.linspace(0.25, 0.75, 25), np.nan).astype(np.float32),
    )
    return (
        PersonEmotion(Box(-3.5, 2, 40, 60.25, 0.9), Box(0, 1, 100, 200, 0.5), (face, body), "p7"),
        PersonEmotion(),
    )


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_the_real_message_reads_emotions_out_of_a_bag(tmp_path: Path, storage: str) -> None:
    with EmotionBag(tmp_path / "felt", storage) as bag:
        bag.write(Origin(5, 6, "front", 77), people())
        bag.write(Origin(5, 7, "front", 78), ())
    with rosbag2.Reader(tmp_path / "felt") as reader:
        found = [
            (connection.msgtype, log_time, bytes(data))
            for connection, log_time, data in reader.messages()
        ]
    assert [(kind, log_time) for kind, log_time, _ in found] == [(PEOPLE, 77), (PEOPLE, 78)]
    full, empty = (
        deserialize_message(data, caer_msgs.msg.PersonEmotionArray) for _, _, data in found
    )
    sent = serialize_message(people_message(HEADER, people()))
    # As text, because NaN differs from itself.
    assert str(full) == str(deserialize_message(sent, caer_msgs.msg.PersonEmotionArray))
    assert full.header == HEADER
    assert full.people[0].estimates[0].lag == 0.375
    assert list(full.people[0].estimates[1].labels) == list(EMOTIC26)
    assert full.people[0].estimates[1].thresholds[24] == 0.75
    assert (empty.header.stamp.nanosec, list(empty.people)) == (7, [])


def test_the_type_has_the_hash_that_ros_gives_it() -> None:
    share = Path(sys.prefix) / "share" / "caer_msgs" / "msg" / "PersonEmotionArray.json"
    if not share.is_file():
        pytest.skip("caer_msgs was not built here with its type descriptions")
    hashes = json.loads(share.read_text())["type_hashes"]
    ours = {entry["type_name"]: entry["hash_string"] for entry in hashes}
    assert emotion_types().hash_rihs01(PEOPLE) == ours[PEOPLE]


@pytest.mark.parametrize("kind", [Image, CompressedImage])
def test_images_that_rclpy_serialised_are_read(tmp_path: Path, kind: type) -> None:
    import cv2

    picture = np.zeros((24, 32, 3), np.uint8)
    picture[5:9, 3:20] = (10, 120, 250)
    message = image_message(HEADER, picture)
    if kind is CompressedImage:
        data = cv2.imencode(".png", picture)[1].tobytes()
        message = CompressedImage(header=HEADER, format="png", data=data)
    name = f"sensor_msgs/msg/{kind.__name__}"
    store = typesys.get_typestore(typesys.Stores.ROS2_KILTED)
    with rosbag2.Writer(tmp_path / "ride", version=9) as writer:
        made = writer.add_connection("/camera", name, typestore=store)
        writer.write(made, 99, serialize_message(message))
    (frame,) = open_source(str(tmp_path / "ride"))
    np.testing.assert_array_equal(frame.image, picture)
    assert frame.origin == Origin(5, 6, "front", 99)
    assert frame.time == pytest.approx(5.000000006)
