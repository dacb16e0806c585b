"""`caer run` on a bag: the new bag, what is copied into it, and that it is the same each time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from caer_ros.cli.main import main
from caer_ros.core import CaerError, InputError, PersonEmotion
from caer_ros.perception.bags.bag_writer import EmotionBag
from caer_ros.perception.bags.definitions import PEOPLE, emotion_types, message_folder
from caer_ros.perception.bags.type_text import type_text
from caer_ros.perception.frames import Origin

rosbag2 = pytest.importorskip("rosbags.rosbag2")
typesys = pytest.importorskip("rosbags.typesys")
highlevel = pytest.importorskip("rosbags.highlevel")

RAW, TEXT, OWN = "sensor_msgs/msg/Image", "std_msgs/msg/String", "my_robot/msg/Mood"
STORAGES = ("mcap", "sqlite3")
START = 1_700_000_000
# Of the recorder's clock, which runs half a second behind the camera's.
LOG = START * 10**9 + 500_000_000


def own_types() -> object:
    """ROS 2's messages and one that no other machine knows."""
    store = typesys.get_typestore(typesys.Stores.ROS2_KILTED)
    store.register(typesys.get_types_from_msg("float32 level\nstring word", OWN))
    return store


def write_bag(path: Path, storage: str, images: list[np.ndarray], topics: tuple[str, ...]) -> Path:
    """Pictures (BGR) on /front, ten a second, and a message on each of `topics` after each."""
    store = own_types()
    types = store.types
    plugin = getattr(rosbag2.StoragePlugin, storage.upper())
    with rosbag2.Writer(path, version=9, storage_plugin=plugin) as writer:
        front = writer.add_connection("/front", RAW, typestore=store)
        kinds = {"/talk": TEXT, "/mood": OWN, "/emotions": TEXT}
        others = {t: writer.add_connection(t, kinds[t], typestore=store) for t in topics}
        for number, image in enumerate(images):
            stamp = types["builtin_interfaces/msg/Time"](START + number // 10, number % 10 * 10**8)
            header = types["std_msgs/msg/Header"](stamp, "lens")
            height, width = image.shape[:2]
            message = types[RAW](header, height, width, "bgr8", 0, 3 * width, image.ravel())
            log_time = LOG + number * 10**8
            writer.write(front, log_time, store.serialize_cdr(message, RAW))
            for place, topic in enumerate(topics, 1):
                kind = kinds[topic]
                made = types[kind](0.5, "calm") if kind == OWN else types[kind](f"word {number}")
                writer.write(others[topic], log_time + place, store.serialize_cdr(made, kind))
    return path


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A bag's data base, to be changed."""
    with closing(sqlite3.connect(file)) as database, database:
        yield database


def forget_types(ride: Path) -> None:
    """Take out of a bag in sqlite3 what its messages look like, as Humble writes it."""
    with opened(ride / "ride.db3") as database:
        database.execute("DROP TABLE message_definitions")
        database.execute("DROP TABLE schema")
        database.execute("ALTER TABLE topics DROP COLUMN type_description_hash")
    metadata = ride / "metadata.yaml"
    hashes = r"\n\s+type_description_hash:\s+\S+"
    metadata.write_text(re.sub(hashes, "", metadata.read_text()))


def content(path: Path) -> list[tuple[str, str, int, bytes]]:
    """Topic, type, log time and bytes of every message, in order."""
    with rosbag2.Reader(path) as reader:
        return [(c.topic, c.msgtype, t, bytes(data)) for c, t, data in reader.messages()]


def emotions(path: Path) -> list[tuple[int, object]]:
    """Log times and messages on /emotions, understood by nothing but what the bag says of them."""
    with highlevel.AnyReader([path]) as reader:
        chosen = [c for c in reader.connections if c.topic == "/emotions"]
        return [
            (log_time, reader.deserialize(data, connection.msgtype))
            for connection, log_time, data in reader.messages(connections=chosen)
        ]


def origin(number: int = 0) -> Origin:
    return Origin(START, number, "lens", LOG + number)


@pytest.fixture
def ride(tmp_path, astronaut) -> Path:
    """Five frames in which one woman moves slowly, and two other topics."""
    images = [np.ascontiguousarray(astronaut[:400, 4 * n : 4 * n + 400]) for n in range(5)]
    return write_bag(tmp_path / "ride", "mcap", images, ("/talk", "/mood"))


def test_run_writes_a_bag_with_the_emotions_of_every_image(ride, tmp_path, capsys):
    out = tmp_path / "felt"
    assert main(["run", str(ride), "--bag", str(out), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = emotions(out)
    assert [topic for topic, *_ in content(out)] == ["/emotions"] * 5
    assert [log_time for log_time, _ in found] == [LOG + n * 10**8 for n in range(5)]
    for number, (row, (_, message)) in enumerate(zip(rows, found, strict=True)):
        stamp = {"sec": START, "nanosec": number * 10**8}
        assert row["stamp"] == stamp
        assert row["time"] == pytest.approx(START + number / 10)
        assert (message.header.stamp.sec, message.header.stamp.nanosec) == tuple(stamp.values())
        assert row["frame_id"] == message.header.frame_id == "lens"
        (told,), (person,) = row["people"], message.people
        assert told["track_id"] == person.track_id
        assert told["face"]["x1"] == pytest.approx(person.face_box.x_min, abs=1e-3)
        assert (person.has_face_box, person.has_person_box) == (True, False)
        (estimate,) = person.estimates
        assert told["estimates"][0]["top_label"] == estimate.top_label
        assert estimate.probabilities == pytest.approx(
            list(told["estimates"][0]["probabilities"].values()), abs=1e-5
        )
        assert np.isnan(estimate.valence)
        assert told["estimates"][0]["lag"] == pytest.approx(estimate.lag, abs=1e-5)
        assert "timings_ms" not in row
    assert [row["people"][0]["track_id"] for row in rows] == ["", "p1", "p1", "p1", "p1"]
    assert found[4][1].people[0].estimates[0].lag > found[2][1].people[0].estimates[0].lag > 0


def test_people_are_called_by_their_ids(ride, capsys):
    assert main(["run", str(ride), "--track-min-hits", "1", "--smoothing", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all(line.startswith(f"/front#{n}: person p1 at (") for n, line in enumerate(lines))
    assert main(["run", str(ride), "--tracking", "never", "--frames", "1"]) == 0
    assert capsys.readouterr().out.startswith("/front#0: person 1 at (")


def test_pictures_of_a_folder_are_followed_only_on_demand(photos, capsys):
    call = ["run", str(photos), "--json", "--track-min-hits", "1"]
    for more, expected in (([], [""] * 2), (["--tracking", "always"], ["p1"])):
        assert main([*call, *more]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [row["people"][0]["track_id"] for row in rows][: len(expected)] == expected


@pytest.mark.parametrize("storage", STORAGES)
def test_everything_else_is_copied_on_demand(tmp_path, storage, capsys):
    grey = [np.full((64, 64, 3), 90, np.uint8)] * 3
    ride = write_bag(tmp_path / "ride", storage, grey, ("/talk", "/mood", "/emotions"))
    out = tmp_path / "felt"
    assert main(["run", str(ride), "--bag", str(out), "--copy"]) == 0
    assert "/emotions of " in capsys.readouterr().err
    assert (out / ("felt.mcap" if storage == "mcap" else "felt.db3")).is_file()
    rows = content(out)
    kept = [row for row in content(ride) if row[0] != "/emotions"]
    assert [row for row in rows if row[0] != "/emotions"] == kept
    mine = [row for row in rows if row[0] == "/emotions"]
    assert [(kind, log_time) for _, kind, log_time, _ in mine] == [
        (PEOPLE, LOG + n * 10**8) for n in range(3)
    ]
    with highlevel.AnyReader([out]) as reader:
        moods = [c for c in reader.connections if c.topic == "/mood"]
        for connection, _, data in reader.messages(connections=moods):
            assert reader.deserialize(data, connection.msgtype).word == "calm"


def test_quality_of_service_is_copied_and_humble_reads_the_metadata(tmp_path):
    interfaces = pytest.importorskip("rosbags.interfaces")
    far = interfaces.QosTime(9223372036, 854775807)
    qos = interfaces.Qos(
        interfaces.QosHistory.KEEP_LAST,
        7,
        interfaces.QosReliability.BEST_EFFORT,
        interfaces.QosDurability.TRANSIENT_LOCAL,
        far,
        far,
        interfaces.QosLiveliness.AUTOMATIC,
        far,
        False,
    )
    store = own_types()
    with rosbag2.Writer(tmp_path / "ride", version=9) as writer:
        # Two publishers of one topic have a connection each.
        for profiles in ([qos], []):
            made = writer.add_connection(
                "/talk", TEXT, typestore=store, offered_qos_profiles=profiles
            )
            writer.write(made, 5, store.serialize_cdr(store.types[TEXT]("hello"), TEXT))
    from caer_ros.perception.bags.bag import Bag

    bag = Bag.open(tmp_path / "ride")
    with EmotionBag(tmp_path / "felt", bag.storage) as out:
        assert out.take_topics(bag) == []
        for message in bag.messages(bag.connections):
            out.copy(message)
    bag.close()
    with rosbag2.Reader(tmp_path / "felt") as reader:
        talk = [c for c in reader.connections if c.topic == "/talk"]
        assert [c.ext.offered_qos_profiles for c in talk] == [[qos], []]
        assert sum(c.msgcount for c in talk) == 2
    # Humble fails on version 9's words for what it knows as numbers.
    assert "version: 8" in (tmp_path / "felt" / "metadata.yaml").read_text()


def test_a_topic_that_nobody_can_explain_is_left_out_and_named(tmp_path, capsys):
    grey = [np.full((64, 64, 3), 90, np.uint8)]
    ride = write_bag(tmp_path / "ride", "sqlite3", grey, ("/talk", "/mood"))
    forget_types(ride)
    assert main(["run", str(ride), "--bag", str(tmp_path / "felt"), "--copy"]) == 0
    assert "/mood is not copied: nothing tells what my_robot/msg/Mood looks like" in (
        capsys.readouterr().err
    )
    assert {topic for topic, *_ in content(tmp_path / "felt")} == {"/front", "/talk", "/emotions"}
    emotions(tmp_path / "felt")


def write_elsewhere(path: Path, storage: str, store: object) -> Path:
    """A picture on /front, and people on /other/emotions in the words of `store`."""
    plugin = getattr(rosbag2.StoragePlugin, storage.upper())
    with rosbag2.Writer(path, version=9, storage_plugin=plugin) as writer:
        types = store.types
        header = types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](START, 0), "x")
        grey = np.full(64 * 64 * 3, 90, np.uint8)
        people = [[]] * (len(store.fielddefs[PEOPLE][1]) - 1)
        for topic, kind, message in (
            ("/front", RAW, types[RAW](header, 64, 64, "bgr8", 0, 192, grey)),
            ("/other/emotions", PEOPLE, types[PEOPLE](header, *people)),
        ):
            made = writer.add_connection(topic, kind, typestore=store)
            writer.write(made, LOG, store.serialize_cdr(message, kind))
    return path


@pytest.mark.parametrize("storage", STORAGES)
def test_emotions_of_this_version_on_another_topic_are_copied(storage, tmp_path, capsys):
    ride = write_elsewhere(tmp_path / "ride", storage, emotion_types())
    assert main(["run", str(ride), "--bag", str(tmp_path / "felt"), "--copy"]) == 0
    assert "not copied" not in capsys.readouterr().err
    with highlevel.AnyReader([tmp_path / "felt"]) as reader:
        said = {c.topic: reader.deserialize(d, c.msgtype) for c, _, d in reader.messages()}
    assert said["/other/emotions"].header.frame_id == "x"


@pytest.mark.parametrize("storage", STORAGES)
def test_emotions_of_another_version_are_left_out(storage, tmp_path, capsys):
    # They would stand under the definition of /emotions.
    older = typesys.get_typestore(typesys.Stores.ROS2_KILTED)
    older.register(typesys.get_types_from_msg("std_msgs/Header header", PEOPLE))
    ride = write_elsewhere(tmp_path / "ride", storage, older)
    assert main(["run", str(ride), "--bag", str(tmp_path / "felt"), "--copy"]) == 0
    assert f"/other/emotions is not copied: its {PEOPLE} is not this version's" in (
        capsys.readouterr().err
    )
    assert {topic for topic, *_ in content(tmp_path / "felt")} == {"/front", "/emotions"}


def test_emotions_of_a_version_that_nobody_knows_are_left_out(tmp_path, capsys):
    ride = write_elsewhere(tmp_path / "ride", "sqlite3", emotion_types())
    forget_types(ride)
    assert main(["run", str(ride), "--bag", str(tmp_path / "felt"), "--copy"]) == 0
    assert f"/other/emotions is not copied: nothing tells what {PEOPLE}" in capsys.readouterr().err
    assert {topic for topic, *_ in content(tmp_path / "felt")} == {"/front", "/emotions"}


def test_definitions_in_the_other_language_have_the_same_hash():
    from rosbags.interfaces import Connection, MessageDefinition, MessageDefinitionFormat

    text = "\n".join(
        [
            "=" * 80,
            f"IDL: {OWN}",
            "module my_robot { module msg { struct Mood { float level; string word; }; }; };",
        ]
    )
    store = own_types()

    def connection(kind: object, data: str) -> Connection:
        return Connection(1, "/mood", OWN, MessageDefinition(kind, data), "", 0, None, None)

    idl = connection(MessageDefinitionFormat.IDL, text)
    plain = typesys.get_typestore(typesys.Stores.EMPTY)
    assert type_text(idl, plain).digest == store.hash_rihs01(OWN)
    assert type_text(connection(MessageDefinitionFormat.IDL, "wrong"), plain) is None
    assert type_text(connection(MessageDefinitionFormat.MSG, "odd[[ x"), plain) is None
    assert type_text(connection(MessageDefinitionFormat.NONE, ""), plain) is None


def test_the_same_bag_makes_the_same_bytes(tmp_path, astronaut):
    images = [np.ascontiguousarray(astronaut[:400, 4 * n : 4 * n + 400]) for n in range(4)]
    calls = []
    for storage in STORAGES:
        ride = write_bag(tmp_path / storage, storage, images, ("/talk", "/mood"))
        call = ["run", str(ride), "--json", "--bag", f"{storage}_felt", "--copy"]
        calls.append([*call, "--overlay", f"{storage}.mp4"])
    script = f"from caer_ros.cli.main import main\nfor call in {calls}: assert main(call) == 0"
    sums = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        folder = tmp_path / f"run{seed}"
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=True,
            timeout=300,
        )
        (folder / "lines").write_bytes(done.stdout)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        sums.append([(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in files])
    assert len(sums[0]) == 7
    assert sums[0] == sums[1]


def test_an_overlay_has_one_frame_an_image_at_the_camera_rate(ride, tmp_path):
    import cv2

    assert main(["run", str(ride), "--overlay", str(tmp_path / "o.mp4")]) == 0
    video = cv2.VideoCapture(str(tmp_path / "o.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert video.get(cv2.CAP_PROP_FPS) == 10


def test_an_image_that_can_not_be_read_is_left_out_and_ends_in_exit_code_1(tmp_path, capsys):
    grey = [np.full((64, 64, 3), 90, np.uint8)] * 4
    ride = write_bag(tmp_path / "ride", "sqlite3", grey, ())
    with opened(ride / "ride.db3") as database:
        database.execute("UPDATE messages SET data = substr(data, 1, 300) WHERE id = 2")
    assert main(["run", str(ride), "--bag", str(tmp_path / "felt")]) == 1
    captured = capsys.readouterr()
    assert "left out" in captured.err
    assert "Images that could not be read: 1" in captured.err
    assert len(captured.out.splitlines()) == 3
    assert len(content(tmp_path / "felt")) == 3


def test_a_run_that_fails_leaves_nothing_behind(tmp_path, monkeypatch, capsys):
    grey = [np.full((64, 64, 3), 90, np.uint8)] * 3
    ride = write_bag(tmp_path / "ride", "mcap", grey, ())
    from caer_ros.perception import Pipeline

    real, calls = Pipeline.process, []

    def fail(*args: object, **kwargs: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise CaerError("The network gave up.")
        return real(*args, **kwargs)

    monkeypatch.setattr(Pipeline, "process", fail)
    call = ["run", str(ride), "--bag", str(tmp_path / "felt"), "--copy"]
    assert main([*call, "--overlay", str(tmp_path / "o.mp4")]) == 1
    assert "gave up" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["ride"]


def test_a_full_disk_is_one_error_and_nothing_is_left(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def write() -> None:
        with EmotionBag(tmp_path / "felt", "mcap") as bag:
            monkeypatch.setattr(bag._writer, "write", full)
            bag.write(origin(), [PersonEmotion()])

    with pytest.raises(CaerError, match="room on the disk"):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["PHOTO", "--bag", "OUT"], "is no bag, which --bag is for"),
        (["PHOTO", "--topic", "/x"], "is no bag, which --topic is for"),
        (["RIDE", "--copy"], "Name it with --bag"),
        (["RIDE", "--bag", "THERE"], "exists already"),
        (["RIDE", "--topic", "/talk"], "no images on /talk"),
        (["RIDE", "--smoothing", "-1"], "smoothing_s is -1"),
        (["RIDE", "--frames", "0"], "--frames is 0"),
    ],
)
def test_a_wrong_call_is_one_line(ride, photos, tmp_path, arguments, complaint, capsys):
    (tmp_path / "there").mkdir()
    names = {
        "PHOTO": photos / "astronaut.png",
        "RIDE": ride,
        "OUT": tmp_path / "out",
        "THERE": tmp_path / "there",
    }
    assert main(["run", *(str(names.get(a, a)) for a in arguments)]) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert captured.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ride", "there"]


def test_a_bag_of_ros_1_is_not_copied(tmp_path):
    from types import SimpleNamespace

    with (
        pytest.raises(InputError, match="rosbags-convert"),
        EmotionBag(tmp_path / "felt", "mcap") as bag,
    ):
        bag.take_topics(SimpleNamespace(ros=1, path="old.bag"))
    assert list(tmp_path.iterdir()) == []


def test_definitions_are_found_where_the_workspace_is_sourced(tmp_path, monkeypatch):
    from caer_ros.perception.bags import definitions

    share = tmp_path / "install" / "share" / "caer_msgs" / "msg"
    shutil.copytree(message_folder(), share)
    monkeypatch.setattr(definitions, "__file__", str(tmp_path / "a/b/c/d/definitions.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "empty"))
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path / 'other'}:{tmp_path / 'install'}")
    assert message_folder() == share
    monkeypatch.setenv("AMENT_PREFIX_PATH", "")
    with pytest.raises(CaerError, match="caer_msgs are not installed"):
        message_folder()
