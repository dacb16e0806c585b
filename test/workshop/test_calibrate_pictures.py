"""Pictures to calibrate on: from folders, videos and bags, the most different of them."""

from __future__ import annotations

import builtins
from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.datasets.people import People
from caer_ros.deploy.pictures.bag import bag_frames
from caer_ros.deploy.pictures.diversity import descriptors, digest, pick
from caer_ros.deploy.pictures.frames import split_frames
from caer_ros.deploy.pictures.open_data import DataOptions, some
from caer_ros.deploy.pictures.samples import PeopleSamples, batches


def draw(number: int, size: int = 64) -> np.ndarray:
    """uint8 RGB [size, size, 3]: red says the number, a bar moves with it."""
    picture = np.full((size, size, 3), 90, np.uint8)
    picture[..., 0] = number
    picture[:, number % size] = 255
    return picture


def write(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rgb[..., ::-1])


def number_of(rgb: np.ndarray) -> int:
    return round(float(np.median(rgb[..., 0])))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(20):
        write(tmp_path / "pictures" / f"{number:02d}.png", draw(number))
    return tmp_path / "pictures"


def people(count: int) -> PeopleSamples:
    faces = np.stack([np.full((96, 96, 3), 10 * i, np.uint8) for i in range(count)])
    contexts = np.stack([draw(i, 224) for i in range(count)])
    return PeopleSamples(People(faces, contexts, np.arange(count), np.arange(count)))


def test_folder_is_split_into_blocks_that_do_not_meet(folder: Path) -> None:
    split = split_frames(folder, number_of, [], 100)
    assert split.held_out == [4, 5, 10, 11, 16, 17]
    assert sorted(split.seen + split.held_out) == list(range(20))


def test_folder_is_thinned_evenly(folder: Path) -> None:
    split = split_frames(folder, number_of, [], 10)
    assert sorted(split.seen + split.held_out) == [0, 2, 4, 6, 8, 10, 12, 14, 16, 19]


def test_named_sources_are_held_out(folder: Path) -> None:
    write(folder / "kitchen" / "one.png", draw(99))
    split = split_frames(folder, number_of, ["kitchen", "07"], 100)
    assert sorted(split.held_out) == [7, 99]
    assert len(split.seen) == 19


def test_unreadable_picture_is_left_out_and_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "00.png").write_bytes(b"no picture")
    (folder / "01.png").write_bytes(b"")
    split = split_frames(folder, number_of, [], 100)
    assert split.bad == 2
    assert sorted(split.seen + split.held_out) == list(range(2, 20))
    said = capsys.readouterr().err
    assert "00.png" in said
    assert "01.png" in said


def test_nothing_readable_or_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        split_frames(tmp_path / "no", number_of, [], 10)
    with pytest.raises(InputError, match="holds no picture"):
        split_frames(tmp_path, number_of, [], 10)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="None of the 1 pictures"):
        split_frames(tmp_path, number_of, [], 10)
    with pytest.raises(InputError, match="nothing to calibrate on"):
        DataOptions([])


def test_video_of_unknown_length_is_thinned(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 64))
    for number in range(50):
        film.write(draw(4 * number)[..., ::-1])
    film.release()
    split = split_frames(path, number_of, [], 10)
    seen = sorted(split.seen + split.held_out)
    assert len(seen) == 10
    assert len(split.held_out) == 3
    assert max(np.diff(seen)) <= 40
    assert not split_frames(path, number_of, ["film"], 10).seen


def test_bag_without_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metadata.yaml").write_text("")
    real = builtins.__import__

    def refuse(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("rosbags"):
            raise ImportError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InputError, match="pip install rosbags"):
        split_frames(tmp_path, number_of, [], 10)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    rosbag2 = pytest.importorskip("rosbags.rosbag2")
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    types = store.types
    stamp = types["builtin_interfaces/msg/Time"](sec=0, nanosec=0)
    header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera")
    path = tmp_path / "bag"
    with rosbag2.Writer(path, version=9) as writer:
        raw, packed = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
        plain = writer.add_connection("/camera", raw, typestore=store)
        small = writer.add_connection("/packed", packed, typestore=store)
        for number in range(6):
            rgb = draw(10 * number)
            padded = np.zeros((64, 200), np.uint8)  # rows of 192 bytes and 8 more
            padded[:, :192] = rgb[..., ::-1].reshape(64, 192)
            image = types[raw](header, 64, 64, "bgr8", 0, 200, padded.ravel())
            writer.write(plain, number, store.serialize_cdr(image, raw))
            data = cv2.imencode(".png", rgb[..., ::-1])[1].ravel()
            writer.write(
                small, number, store.serialize_cdr(types[packed](header, "png", data), packed)
            )
    return path


@pytest.mark.parametrize("topic", ["/camera", "/packed"])
def test_bag_is_read(bag: Path, topic: str) -> None:
    frames = list(bag_frames(bag, topic))
    assert [number_of(frame) for frame in frames] == [0, 10, 20, 30, 40, 50]
    np.testing.assert_array_equal(frames[3], draw(30))


def test_bag_with_two_cameras_wants_a_topic(bag: Path) -> None:
    with pytest.raises(InputError, match="/camera, /packed"):
        list(bag_frames(bag))
    with pytest.raises(InputError, match="no images on /front"):
        list(bag_frames(bag, "/front"))


def test_pick_takes_one_of_each_kind_first() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(5, 8)) * 10
    rows = np.concatenate([c + rng.normal(size=(40, 8)) * 0.1 for c in centres])
    chosen = pick(rows, 5)
    assert {row // 40 for row in chosen} == set(range(5))
    assert chosen == pick(rows, 5)
    assert pick(rows, 9)[:5] == chosen
    assert sorted(pick(rows, 500)) == list(range(200))


def test_equal_samples_come_last() -> None:
    rows = np.array([[0.0], [0.0], [0.0], [3.0], [9.0]])
    assert set(pick(rows, 3)) == {0, 3, 4}
    assert pick(np.zeros((0, 3)), 4) == []


def test_samples_are_fed_as_the_network_reads_them() -> None:
    samples = people(10)
    assert [len(rows) for rows in batches(samples, range(10))] == [8, 2]
    feed = samples.feed([3, 7])
    assert feed["scene"].tolist() == [0, 1]
    assert (feed["face"][1] == 70).all()
    np.testing.assert_array_equal(feed["context"][0], draw(3, 224))
    fewer = some(samples, [7, 2])
    assert (fewer.feed([0])["face"] == 70).all()
    assert digest(fewer, 1) == digest(samples, 2) != digest(samples, 3)
    assert descriptors(samples).shape[0] == 10
