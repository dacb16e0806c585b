"""Snapshots: what is in them, that they are whole or not there, and that nobody waits for them."""

from __future__ import annotations

import json
import resource
import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message
from std_msgs.msg import Header

from caer_msgs.msg import PersonEmotionArray
from caer_ros.core import CAER7, Box, CaerError, EmotionEstimate, InputError, PersonEmotion
from caer_ros.perception import Result
from caer_ros.ros.output import Shown
from caer_ros.ros.snapshot import Snapshots

FILES = {
    "image.png",
    "overlay.png",
    "message.json",
    "message.cdr",
    "attention.npy",
    "state.json",
}


def shown(encoding: str = "rgb8", side: int = 64) -> Shown:
    """A random frame with one happy person."""
    rng = np.random.default_rng(0)
    channels = () if encoding == "mono8" else (3,)
    image = rng.integers(0, 256, (side, 2 * side, *channels), np.uint8)
    probabilities = np.full(7, 0.1, np.float32)
    probabilities[3] = 0.4
    person = PersonEmotion(
        face=Box(10, 10, 40, 40),
        estimates=(EmotionEstimate("test", CAER7, probabilities),),
        track_id="a7",
    )
    attention = rng.random((4, 8)).astype(np.float32)
    result = Result((person,), {"total": 0.01}, attention, ("one was left out",))
    header = Header(stamp=Time(sec=12, nanosec=34), frame_id="optical")
    return Shown(header, image, encoding, result)


@pytest.fixture
def snapshots(tmp_path: Path):
    made = Snapshots(str(tmp_path / "shots"), lambda: {"parameters": {"model": "7"}}, patience=5)
    yield made
    made.close()


def serve(snapshots: Snapshots, frame: Shown, camera: str = "") -> Path:
    future = snapshots.request(camera)
    assert snapshots.wanted(camera)
    snapshots.offer(frame, camera)
    assert not snapshots.wanted(camera)
    return future.result(10)


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "mono8"])
def test_everything_is_in_it(snapshots, encoding):
    frame = shown(encoding)
    path = serve(snapshots, frame)
    assert {file.name for file in path.iterdir()} == FILES
    image = cv2.imread(str(path / "image.png"))
    same = {"rgb8": image[..., ::-1], "bgr8": image, "mono8": image[..., 0]}
    assert np.array_equal(same[encoding], frame.image)
    assert cv2.imread(str(path / "overlay.png")).shape == image.shape
    assert np.array_equal(np.load(path / "attention.npy"), frame.result.attention)

    message = json.loads((path / "message.json").read_text())
    assert message["stamp"] == {"sec": 12, "nanosec": 34}
    assert message["frame_id"] == "optical"
    assert message["people"][0]["track_id"] == "a7"
    assert message["warnings"] == ["one was left out"]
    sent = deserialize_message((path / "message.cdr").read_bytes(), PersonEmotionArray)
    assert sent.header == frame.header
    assert sent.people[0].estimates[0].top_label == "Happy"
    state = json.loads((path / "state.json").read_text())
    assert state["parameters"] == {"model": "7"}
    assert state["versions"]["numpy"] == np.__version__


def test_it_is_a_copy_of_the_frame(tmp_path):
    """The worker goes on with the next frame, in the same memory, before a file is written."""
    overwritten = threading.Event()

    def state() -> dict[str, str]:
        assert overwritten.wait(10)
        return {}

    snapshots = Snapshots(str(tmp_path), state)
    frame = shown("bgr8")
    before = frame.image.copy()
    future = snapshots.request()
    snapshots.offer(frame)
    frame.image[:] = 0
    overwritten.set()
    image = cv2.imread(str(future.result(10) / "image.png"))
    assert np.array_equal(image, before)


def test_nothing_happens_unasked(snapshots, tmp_path):
    snapshots.offer(shown())
    assert not snapshots.wanted()
    assert list(tmp_path.iterdir()) == []


def test_writing_is_not_done_by_who_offers(tmp_path):
    seen: Future[str] = Future()

    def state() -> dict[str, str]:
        seen.set_result(threading.current_thread().name)
        return {}

    snapshots = Snapshots(str(tmp_path), state)
    serve(snapshots, shown())
    assert seen.result(1) == "caer_snapshot"


def test_cameras_are_told_apart(snapshots):
    left, anyone = snapshots.request("left/image"), snapshots.request()
    assert snapshots.wanted("left/image")
    assert snapshots.wanted("right")
    snapshots.offer(shown(), "right")
    assert anyone.result(10).name.endswith("_right")
    assert not left.done()
    snapshots.offer(shown(), "left/image")
    assert left.result(10).name.endswith("_left_image")
    assert json.loads((left.result() / "message.json").read_text())["frame"] == "left/image"


def test_two_in_one_second_are_two(snapshots):
    paths = {serve(snapshots, shown(side=16)) for _ in range(3)}
    assert len(paths) == 3
    assert all(len(list(path.iterdir())) == len(FILES) for path in paths)


def test_two_requests_for_one_frame_share_it(snapshots):
    futures = [snapshots.request(), snapshots.request()]
    snapshots.offer(shown())
    assert futures[0].result(10) == futures[1].result(10)


def test_off_without_a_folder(snapshots, tmp_path):
    snapshots.folder = ""
    with pytest.raises(InputError, match="snapshot_folder"):
        snapshots.request().result(0)
    assert not snapshots.wanted()
    assert list(tmp_path.iterdir()) == []


def test_no_frame_is_a_clear_failure(tmp_path):
    snapshots = Snapshots(str(tmp_path), dict, patience=0.05)
    with pytest.raises(CaerError, match=r"No frame of camera 'left'.*diagnostics"):
        snapshots.request("left").result(10)
    assert not snapshots.wanted("left")
    snapshots.offer(shown(), "left")
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_the_node_answers_everybody(snapshots):
    future = snapshots.request()
    snapshots.close()
    with pytest.raises(CaerError, match="ended"):
        future.result(0)


def test_the_end_of_the_node_waits_for_what_is_being_written(snapshots, tmp_path, monkeypatch):
    monkeypatch.setattr("caer_ros.ros.snapshot._LAST_WAIT_S", 30.0)  # this machine may be busy
    future = snapshots.request()
    snapshots.offer(shown(side=400))
    snapshots.close()
    assert future.done()
    assert [path.name[0] for path in (tmp_path / "shots").iterdir()] != ["."]


def test_an_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    snapshots = Snapshots(str(tmp_path / "file" / "below"), dict)
    future = snapshots.request()
    snapshots.offer(shown())
    with pytest.raises(CaerError, match=r"Not a directory.*snapshot_folder"):
        future.result(10)


@pytest.fixture
def small_disk():
    """No file of this process can grow beyond 16 KB, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_leaves_nothing_half_written(snapshots, tmp_path):
    future = snapshots.request()
    snapshots.offer(shown(side=200))
    with pytest.raises(CaerError, match="can not be written"):
        future.result(10)
    assert list((tmp_path / "shots").iterdir()) == []


def test_a_state_that_fails_is_answered_too(tmp_path):
    def state() -> dict[str, str]:
        raise RuntimeError("no state")

    snapshots = Snapshots(str(tmp_path), state)
    future = snapshots.request()
    snapshots.offer(shown())
    with pytest.raises(RuntimeError, match="no state"):
        future.result(10)


def test_maps_that_were_not_made_are_left_out(snapshots):
    frame = shown()
    path = serve(snapshots, replace(frame, result=replace(frame.result, attention=None)))
    assert {file.name for file in path.iterdir()} == FILES - {"attention.npy"}
