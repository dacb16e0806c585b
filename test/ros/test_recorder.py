"""Recording: only with consent, in the layout that training reads, bounded, never in the way."""

from __future__ import annotations

import json
import resource
import struct
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from caer_ros.core import Box, CaerError, InputError, PersonEmotion
from caer_ros.perception import Result
from caer_ros.ros import clip_recording
from caer_ros.ros.motion_jpeg import MotionJpegFile
from caer_ros.ros.output import Shown
from caer_ros.ros.recorder import Recorder, RecordSettings

FACE = Box(10, 8, 40, 48, 0.9)


def frame(stamp: float, grey: int = 100, size: tuple[int, int] = (64, 48), ids=("p1",)) -> Shown:
    """A grey frame with a face a person."""
    people = tuple(PersonEmotion(face=FACE, track_id=name) for name in ids)
    image = np.full((size[1], size[0], 3), grey, np.uint8)
    header = Header(stamp=Time(sec=int(stamp), nanosec=round(stamp % 1 * 1e9)), frame_id="cam")
    return Shown(header, image, "rgb8", Result(people, {}))


def play(recorder: Recorder, stamps, camera: str = "") -> None:
    for number, stamp in enumerate(stamps):
        # As slow as a real camera for the writer, which may drop otherwise.
        wait_for_writer(recorder)
        recorder.offer(frame(stamp, grey=(number * 20) % 240), camera)


def wait_for_writer(recorder: Recorder) -> None:
    clip = recorder._clip
    while clip is not None and clip._thread.is_alive() and not clip._queue.empty():
        threading.Event().wait(0.001)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def recorder(tmp_path: Path, said: list[str]):
    made = Recorder(RecordSettings(True, str(tmp_path / "clips"), 100), said.append)
    yield made
    made.close()


def facts_of(path: Path) -> dict:
    return json.loads(path.with_suffix(".json").read_text())


def pictures_of(path: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(10.0)
    frames = []
    while True:
        more, picture = video.read()
        if not more:
            return frames
        frames.append(picture)


def test_a_clip_is_ten_pictures_a_second_whatever_the_camera_does(recorder):
    recorder.start("Happy")
    play(recorder, [100 + k / 30 for k in range(61)])
    path = recorder.stop()
    facts = facts_of(path)
    assert len(pictures_of(path)) == len(facts["stamps"]) == 21
    assert facts["stamps"][:3] == pytest.approx([100, 100.1, 100.2])
    assert (facts["label"], facts["rate"], facts["dropped"], facts["cuts"]) == ("Happy", 10, 0, [])
    assert (facts["width"], facts["height"]) == (64, 48)


def test_pictures_keep_their_time_when_frames_are_missing(recorder):
    recorder.start("sad")
    play(recorder, [5.0, 5.1, 5.4, 5.5])
    path = recorder.stop()
    assert facts_of(path)["stamps"] == pytest.approx([5.0, 5.1, 5.1, 5.1, 5.4, 5.5])
    greys = [picture.mean() for picture in pictures_of(path)]
    assert greys == pytest.approx([0, 20, 20, 20, 40, 60], abs=1)


@pytest.mark.parametrize("jump", [9.0, -9.0])
def test_time_that_jumps_is_a_cut_and_no_standstill(recorder, jump):
    recorder.start("Fear")
    play(recorder, [50.0, 50.1, 50.1 + jump, 50.2 + jump])
    facts = facts_of(recorder.stop())
    assert facts["stamps"] == pytest.approx([50.0, 50.1, 50.1 + jump, 50.2 + jump])
    assert facts["cuts"] == [2]


def test_training_reads_it_back(recorder, tmp_path):
    """With the readers of the workshop: the data set, and clips cut by the recorded faces."""
    pytest.importorskip("scipy")
    layouts = pytest.importorskip("caer_ros.datasets.layouts")
    from caer_ros.datasets.clip_source import ClipSource
    from caer_ros.datasets.cuts import Cut
    from caer_ros.datasets.face_boxes import FileFaces, parse_frames

    for label in ("Happy", "ANGER"):
        recorder.start(label)
        play(recorder, [k / 10 for k in range(20)])
        recorder.stop()
    data = layouts.read_dataset(tmp_path / "clips")
    assert data.kind == "video"
    assert sorted(sample.label for sample in data.split("train")) == [0, 3]
    boxes = {}
    for sample in data.samples:
        facts, size = facts_of(sample.path), sample.path.stat().st_size
        boxes[data.relative(sample)] = FileFaces(
            size, facts["width"], facts["height"], parse_frames(facts["frames"])
        )
        assert boxes[data.relative(sample)].subject(7) == FACE
    source = ClipSource(data.root, data.split("train"), Cut(32, 32), boxes)
    views = source.views(0)
    assert len(views) == 2  # 20 samples: windows 0 to 15 and 4 to 19
    assert views[0].face.shape[0] == 16
    assert source.present.all()


def test_faces_and_ids_are_kept_frame_by_frame(recorder):
    recorder.start("Happy")
    recorder.offer(frame(1.0, ids=("a", "b")))
    wait_for_writer(recorder)
    recorder.offer(frame(1.1, ids=()))
    facts = facts_of(recorder.stop())
    assert facts["ids"] == [["a", "b"], []]
    assert facts["frames"][0] == [0, [[10, 8, 40, 48, 0.9]] * 2]
    assert facts["frames"][1] == [1, []]


def test_nothing_without_consent(tmp_path, said):
    recorder = Recorder(RecordSettings(False, str(tmp_path / "clips"), 100), said.append)
    with pytest.raises(InputError, match="record_consent"):
        recorder.start("Happy")
    recorder.offer(frame(1.0))
    assert not recorder.active
    assert list(tmp_path.iterdir()) == []


def test_consent_that_is_taken_back_deletes_the_clip_under_way(recorder, tmp_path, said):
    recorder.start("Happy")
    play(recorder, [1.0, 1.1])
    kept = recorder.stop()
    recorder.start("Happy")
    play(recorder, [2.0, 2.1])
    recorder.apply(RecordSettings(False, str(tmp_path / "clips"), 100))
    assert not recorder.active
    assert "deleted" in said[0]
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {kept, kept.with_suffix(".json")}
    with pytest.raises(InputError, match="Nothing is recorded"):
        recorder.stop()


@pytest.mark.parametrize(
    ("change", "match"),
    [({"folder": ""}, "record_folder"), ({"limit_mb": 0}, "record_limit_mb")],
)
def test_what_is_missing_is_named(tmp_path, change, match):
    given = {"consent": True, "folder": str(tmp_path / "clips"), "limit_mb": 1} | change
    with pytest.raises(InputError, match=match):
        Recorder(RecordSettings(**given), print).start("Happy")


@pytest.mark.parametrize("label", ["", "Joy", "../Happy", "Doubt/Confusion"])
def test_unknown_labels_are_refused(recorder, label, tmp_path):
    with pytest.raises(InputError, match="Anger, Disgust"):
        recorder.start(label)
    assert list(tmp_path.iterdir()) == []


def test_one_clip_at_a_time_and_a_stop_needs_a_start(recorder):
    with pytest.raises(InputError, match="Nothing"):
        recorder.stop()
    recorder.start("Happy")
    with pytest.raises(InputError, match="Stop that clip first"):
        recorder.start("Sad")


def test_a_clip_without_an_image_leaves_nothing(recorder, tmp_path):
    recorder.start("Happy")
    with pytest.raises(CaerError, match="No image arrived"):
        recorder.stop()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_only_the_asked_camera_is_recorded(recorder):
    recorder.start("Happy", "left")
    play(recorder, [1.0, 1.1], "right")
    play(recorder, [3.0, 3.1], "left")
    assert facts_of(recorder.stop())["stamps"] == pytest.approx([3.0, 3.1])
    recorder.start("Happy")  # the first that comes, and then no other
    play(recorder, [5.0], "right")
    play(recorder, [5.1], "left")
    assert facts_of(recorder.stop())["stamps"] == pytest.approx([5.0])


def test_the_limit_ends_a_clip_and_keeps_it(tmp_path, said):
    recorder = Recorder(RecordSettings(True, str(tmp_path), 1), said.append)
    path = recorder.start("Happy")
    rng = np.random.default_rng(0)
    noisy = frame(0.0, size=(640, 480))
    noisy.image[:] = rng.integers(0, 256, noisy.image.shape, np.uint8)
    clip = recorder._clip
    for k in range(40):
        noisy.header.stamp = Time(sec=k // 10, nanosec=k % 10 * 100_000_000)
        recorder.offer(noisy)
        wait_for_writer(recorder)
    clip._thread.join(10)
    assert "record_limit_mb" in said[0]
    assert 500_000 < path.stat().st_size <= 1_000_000
    assert recorder.stop() == path
    assert len(pictures_of(path)) == len(facts_of(path)["stamps"]) >= 2
    recorder.apply(RecordSettings(True, str(tmp_path), 0))
    with pytest.raises(InputError, match="already"):
        recorder.start("Happy")


def test_images_of_another_size_end_the_clip(recorder, said):
    recorder.start("Happy")
    play(recorder, [1.0, 1.1])
    recorder.offer(frame(1.2, size=(80, 48)))
    path = recorder.stop()
    assert len(pictures_of(path)) == 2
    assert "size changed" in said[0]


def test_a_slow_disk_costs_frames_and_not_time(recorder, monkeypatch):
    """The queue is bounded: what does not fit is dropped and counted."""
    go_on = threading.Event()
    encode = cv2.imencode

    def slow(*args):
        go_on.wait(10)
        return encode(*args)

    monkeypatch.setattr(clip_recording.cv2, "imencode", slow)
    recorder.start("Happy")
    for k in range(40):
        recorder.offer(frame(k / 10))
    go_on.set()
    facts = facts_of(recorder.stop())
    pictures = len(set(facts["stamps"]))
    assert pictures + facts["dropped"] == 40
    assert 8 <= pictures <= 9  # the queue's, and the one in the writer's hand


def test_an_unwritable_folder_is_told_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CaerError, match="can not be written"):
        Recorder(RecordSettings(True, str(tmp_path / "file"), 10), print).start("Happy")


@pytest.fixture
def small_disk():
    """No file of this process can grow beyond 64 KB, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_told_and_leaves_nothing(recorder, said, tmp_path):
    recorder.start("Happy")
    noisy = frame(0.0, size=(640, 480))
    noisy.image[:] = np.random.default_rng(0).integers(0, 256, noisy.image.shape, np.uint8)
    recorder.offer(noisy)
    with pytest.raises(CaerError, match="can not be written"):
        recorder.stop()
    assert "can not be written" in said[0]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_whatever_goes_wrong_in_the_writer_is_told(recorder, said, monkeypatch):
    def broken(*args):
        raise ValueError("surprise")

    monkeypatch.setattr(clip_recording.cv2, "imencode", broken)
    recorder.start("Happy")
    recorder.offer(frame(1.0))
    with pytest.raises(CaerError, match="surprise"):
        recorder.stop()
    assert "surprise" in said[0]


def test_the_file_is_one_that_opencv_reads_picture_by_picture(tmp_path):
    path = tmp_path / "a.avi"
    file = MotionJpegFile(path, 12.5)
    for grey in (0, 50, 100, 150):
        file.append(cv2.imencode(".jpg", np.full((24, 32, 3), grey, np.uint8))[1].tobytes())
    assert not path.exists()
    file.finish(32, 24)
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(12.5)
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 4
    greys = []
    while (got := video.read())[0]:
        assert got[1].shape == (24, 32, 3)
        greys.append(got[1].mean())
    assert greys == pytest.approx([0, 50, 100, 150], abs=2)


def chunks(data: bytes, start: int, end: int) -> list[tuple[bytes, int, int]]:
    """Name, begin and end of the content of each RIFF chunk from `start` to `end`."""
    found = []
    while start < end:
        name, size = struct.unpack("<4sI", data[start : start + 8])
        found.append((name, start + 8, start + 8 + size))
        start += 8 + size + size % 2
    assert start == end
    return found


def test_the_files_structure_is_exact(tmp_path):
    """Readers stricter than OpenCV need padding to even places, sizes and index to be right."""
    pictures = [b"a" * 7, b"b" * 10, b"c" * 1]
    file = MotionJpegFile(tmp_path / "a.avi", 10.0)
    for picture in pictures:
        file.append(picture)
    file.finish(32, 24)
    data = (tmp_path / "a.avi").read_bytes()
    ((riff, begin, end),) = chunks(data, 0, len(data))
    assert (riff, data[begin : begin + 4], end) == (b"RIFF", b"AVI ", len(data))
    (_, head, _), (_, movi, movi_end), (index, rows, rows_end) = chunks(data, begin + 4, end)
    assert (data[head : head + 4], data[movi : movi + 4], index) == (b"hdrl", b"movi", b"idx1")
    inside = chunks(data, movi + 4, movi_end)
    assert [data[a:b] for _, a, b in inside] == pictures
    places = [struct.unpack("<4sIII", data[k : k + 16]) for k in range(rows, rows_end, 16)]
    expected = [(b"00dc", 0x10, a - 8 - movi, b - a) for _, a, b in inside]
    assert places == expected
