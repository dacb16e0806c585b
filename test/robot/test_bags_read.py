"""Images out of bags: which topic, which stamp, and what is said of a bag that is not whole."""

from __future__ import annotations

import builtins
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.perception.bags.bag import is_bag
from caer_ros.perception.bags.bag_source import BagSource
from caer_ros.perception.sources import open_moving, open_source

rosbag2 = pytest.importorskip("rosbags.rosbag2")
typesys = pytest.importorskip("rosbags.typesys")

RAW, PACKED, TEXT = (
    "sensor_msgs/msg/Image",
    "sensor_msgs/msg/CompressedImage",
    "std_msgs/msg/String",
)
STORAGES = ("mcap", "sqlite3")
# A driver's stamps: not those of the recorder, not even, one that goes back.
STAMPS = (1000, 1100, 1200, 1150, 1300, 1400)


def draw(number: int) -> np.ndarray:
    """uint8 BGR [24, 32, 3] that tells its number."""
    picture = np.full((24, 32, 3), 200, np.uint8)
    picture[..., 0] = 40 * number
    picture[number] = 255
    return picture


def write_bag(path: Path, storage: str, topics: dict[str, str], count: int = 6) -> Path:
    """A bag with `count` messages on each topic; stamps in milliseconds are STAMPS."""
    store = typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)
    types = store.types
    plugin = getattr(rosbag2.StoragePlugin, storage.upper())
    with rosbag2.Writer(path, version=9, storage_plugin=plugin) as writer:
        made = {t: writer.add_connection(t, kind, typestore=store) for t, kind in topics.items()}
        for number in range(count):
            stamp = types["builtin_interfaces/msg/Time"](1, STAMPS[number] % 1000 * 10**6)
            stamp.sec = STAMPS[number] // 1000
            header = types["std_msgs/msg/Header"](stamp, "lens")
            rgb = draw(number)[..., ::-1]
            padded = np.zeros((24, 100), np.uint8)  # rows of 96 bytes and 4 more
            padded[:, :96] = rgb.reshape(24, 96)
            png = cv2.imencode(".png", draw(number))[1].ravel()
            messages = {
                RAW: types[RAW](header, 24, 32, "rgb8", 0, 100, padded.ravel()),
                PACKED: types[PACKED](header, "png", png),
                TEXT: types[TEXT](f"word {number}"),
            }
            for place, (topic, kind) in enumerate(topics.items()):
                data = store.serialize_cdr(messages[kind], kind)
                writer.write(made[topic], 10**18 + number * 10**8 + place, data)
    return path


def file_of(bag: Path) -> Path:
    return next(path for path in bag.iterdir() if path.suffix in (".mcap", ".db3"))


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A bag's data base, to be changed."""
    with closing(sqlite3.connect(file)) as database, database:
        yield database


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("kind", [RAW, PACKED])
def test_images_come_with_the_stamps_of_their_headers(tmp_path, storage, kind):
    bag = write_bag(tmp_path / "ride", storage, {"/front": kind, "/talk": TEXT})
    source = open_source(str(bag))
    assert (source.kind, source.count, source.fps) == ("bag", 6, 10.0)
    frames = list(source)
    assert [frame.name for frame in frames] == [f"/front#{n}" for n in range(6)]
    assert [frame.time for frame in frames] == pytest.approx([ms / 1000 for ms in STAMPS])
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.image, draw(number))
        origin = frame.origin
        assert (origin.sec, origin.nanosec) == (1, STAMPS[number] % 1000 * 10**6)
        assert (origin.frame_id, origin.log_time) == ("lens", 10**18 + number * 10**8)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_file_alone_is_read_like_its_folder(tmp_path, storage):
    file = file_of(write_bag(tmp_path / "ride", storage, {"/front": RAW}))
    alone = shutil.copy(file, tmp_path)
    assert len(list(open_source(str(alone)))) == 6
    assert len(list(open_source(str(file)))) == 6


def test_a_bag_in_several_files_is_read_as_a_whole(tmp_path):
    bag = write_bag(tmp_path / "ride", "mcap", {"/front": RAW}, count=3)
    write_bag(tmp_path / "more", "mcap", {"/front": RAW}, count=2)
    (tmp_path / "more" / "more.mcap").rename(bag / "more.mcap")
    metadata = bag / "metadata.yaml"
    listed = metadata.read_text().replace("  - ride.mcap", "  - ride.mcap\n  - more.mcap")
    assert "more.mcap" in listed
    metadata.write_text(listed)
    assert len(list(open_source(str(bag)))) == 5
    assert len(list(open_source(str(bag / "more.mcap")))) == 5


def test_messages_compressed_by_the_recorder_are_read(tmp_path):
    whole = write_bag(tmp_path / "ride", "sqlite3", {"/front": RAW})
    with rosbag2.Reader(whole) as reader:
        writer = rosbag2.Writer(tmp_path / "small", version=9)
        writer.set_compression(rosbag2.CompressionMode.MESSAGE, rosbag2.CompressionFormat.ZSTD)
        with writer:
            store = typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)
            made = writer.add_connection("/front", RAW, typestore=store)
            for _, log_time, data in reader.messages():
                writer.write(made, log_time, bytes(data))
    frames = list(open_source(str(tmp_path / "small")))
    np.testing.assert_array_equal(frames[4].image, draw(4))


def test_humble_writes_no_definitions_into_sqlite(tmp_path):
    bag = write_bag(tmp_path / "ride", "sqlite3", {"/front": RAW, "/talk": TEXT})
    with opened(file_of(bag)) as database:
        database.execute("DROP TABLE message_definitions")
        database.execute("DROP TABLE schema")
        database.execute("ALTER TABLE topics DROP COLUMN type_description_hash")
    assert len(list(open_source(str(bag)))) == 6


def test_a_bag_of_ros_1_is_read(tmp_path):
    from rosbags.rosbag1 import Writer

    store = typesys.get_typestore(typesys.Stores.ROS1_NOETIC)
    types = store.types
    with Writer(tmp_path / "old.bag") as writer:
        made = writer.add_connection("/front", RAW, typestore=store)
        stamp = types["builtin_interfaces/msg/Time"](7, 8)
        header = types["std_msgs/msg/Header"](seq=3, stamp=stamp, frame_id="lens")
        image = types[RAW](header, 24, 32, "bgr8", 0, 96, draw(2).ravel())
        writer.write(made, 9, store.serialize_ros1(image, RAW))
    (frame,) = open_source(str(tmp_path / "old.bag"))
    np.testing.assert_array_equal(frame.image, draw(2))
    assert (frame.origin.sec, frame.origin.nanosec, frame.origin.log_time) == (7, 8, 9)


def test_one_of_several_topics_must_be_named(tmp_path):
    bag = write_bag(tmp_path / "ride", "mcap", {"/b": RAW, "/a": PACKED, "/talk": TEXT})
    with pytest.raises(InputError, match=r"images on /a, /b\. Choose one with --topic"):
        open_source(str(bag))
    with pytest.raises(InputError, match=r"no images on /talk \(it has /a, /b\)"):
        open_source(str(bag), "/talk")
    assert len(list(open_source(str(bag), "/a"))) == 6


def test_a_bag_without_images_says_so(tmp_path):
    with pytest.raises(InputError, match="talk has no images"):
        open_source(str(write_bag(tmp_path / "talk", "mcap", {"/talk": TEXT})))
    # A camera that was announced, but sent nothing.
    with pytest.raises(InputError, match="silent has no images"):
        open_source(str(write_bag(tmp_path / "silent", "sqlite3", {"/front": RAW}, count=0)))


@pytest.mark.parametrize("storage", STORAGES)
def test_a_recording_that_was_not_ended_says_what_to_do(tmp_path, storage):
    bag = write_bag(tmp_path / "ride", storage, {"/front": RAW})
    (bag / "metadata.yaml").unlink()
    assert is_bag(bag)
    with pytest.raises(InputError, match=r"no metadata\.yaml.*ros2 bag reindex"):
        open_source(str(bag))
    assert len(list(open_source(str(file_of(bag))))) == 6


def test_an_mcap_file_that_is_cut_short_says_what_to_do(tmp_path):
    file = file_of(write_bag(tmp_path / "ride", "mcap", {"/front": RAW}))
    file.write_bytes(file.read_bytes()[:-300])
    for path in (file, file.parent):
        with pytest.raises(InputError, match=r"ride\.mcap is cut short.*mcap recover"):
            open_source(str(path))


def test_an_sqlite_file_without_its_log_says_what_to_do(tmp_path):
    file = file_of(write_bag(tmp_path / "ride", "sqlite3", {"/front": RAW}))
    file.with_name("ride.db3-wal").write_bytes(b"what was not yet written")
    with pytest.raises(InputError, match=r"lacks what is in ride\.db3-wal.*wal_checkpoint"):
        open_source(str(file))


def test_an_sqlite_file_that_is_cut_short_is_one_line(tmp_path):
    file = file_of(write_bag(tmp_path / "ride", "sqlite3", {"/front": RAW}))
    file.write_bytes(file.read_bytes()[:-9000])
    with pytest.raises(
        InputError, match=r"ride(\.db3)? is (damaged|no bag that can be read)"
    ) as told:
        list(open_source(str(file)))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["a.mcap", "a.db3", "a.bag", "a.db3.zstd"])
@pytest.mark.parametrize("content", [b"", b"no bag at all, but long enough to be looked at" * 9])
def test_what_is_no_bag_is_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_source(str(tmp_path / name))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "a: [", "rosbag2_bagfile_information: {version: 99}"])
def test_a_damaged_list_of_contents_is_one_line(tmp_path, content):
    bag = write_bag(tmp_path / "ride", "mcap", {"/front": RAW})
    (bag / "metadata.yaml").write_text(content)
    with pytest.raises(InputError, match="ride is no bag that can be read") as caught:
        open_source(str(bag))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    bag = write_bag(tmp_path / "ride", "mcap", {"/front": RAW})
    file_of(bag).unlink()
    with pytest.raises(InputError, match=r"ride\.mcap"):
        open_source(str(bag))


@pytest.mark.parametrize("storage", STORAGES)
def test_random_damage_never_ends_in_anything_but_an_input_error(tmp_path, storage):
    file = file_of(write_bag(tmp_path / "ride", storage, {"/front": RAW, "/talk": TEXT}))
    whole = file.read_bytes()
    rng = np.random.default_rng(5)
    told = []
    for _ in range(40):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged[: rng.integers(1, len(whole))] if rng.random() < 0.3 else damaged)
        try:
            source = open_source(str(file))
            source.skipped = lambda error: None
            assert all(frame.image.shape[2] == 3 for frame in source)
        except InputError as error:
            told.append(str(error))
    assert told
    assert not any("\n" in line for line in told)


def test_one_bad_image_is_left_out_where_somebody_notes_it(tmp_path):
    bag = write_bag(tmp_path / "ride", "sqlite3", {"/front": RAW})
    with opened(file_of(bag)) as database:
        database.execute("UPDATE messages SET data = substr(data, 1, 200) WHERE id = 3")
    with pytest.raises(InputError, match="a message on /front is damaged"):
        list(BagSource.open(bag))
    source = BagSource.open(bag)
    errors: list[InputError] = []
    source.skipped = errors.append
    assert [frame.name for frame in source] == [f"/front#{n}" for n in (0, 1, 3, 4, 5)]
    assert len(errors) == 1


def test_an_encoding_that_nobody_reads_ends_at_the_first_image(tmp_path):
    bag = write_bag(tmp_path / "ride", "sqlite3", {"/front": RAW})
    with opened(file_of(bag)) as database:
        for key, data in database.execute("SELECT id, data FROM messages").fetchall():
            database.execute(
                "UPDATE messages SET data = ? WHERE id = ?", (data.replace(b"rgb8", b"rgbX"), key)
            )
    source = BagSource.open(bag)
    source.skipped = lambda error: pytest.fail("the first image must not be skipped")
    with pytest.raises(InputError, match=r"/front#0: Image encoding 'rgbX' is not supported"):
        list(source)


def test_every_message_is_passed_on_before_its_frame(tmp_path):
    bag = write_bag(tmp_path / "ride", "mcap", {"/talk": TEXT, "/front": RAW})
    source = BagSource.open(bag)
    seen: list[str] = []
    source.passed_on = lambda message: seen.append(message.connection.topic)
    for frame in source:
        seen.append(frame.name)
    assert seen[:5] == ["/talk", "/front", "/front#0", "/talk", "/front"]
    assert len(seen) == 18


def test_the_player_plays_a_bag(tmp_path):
    bag = write_bag(tmp_path / "ride", "mcap", {"/front": RAW})
    assert len(list(open_moving(str(bag)))) == 6


def test_a_folder_of_pictures_is_no_bag(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), draw(1))
    assert not is_bag(tmp_path)
    assert open_source(str(tmp_path)).kind == "folder"


def test_without_rosbags_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    real = builtins.__import__

    def refuse(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("rosbags"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    (tmp_path / "a.mcap").touch()
    with pytest.raises(InputError, match="pip install rosbags"):
        open_source(str(tmp_path / "a.mcap"))
