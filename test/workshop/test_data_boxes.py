"""Faces are detected once, kept, and picked up again after a kill."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from caer_ros.cli.main import main
from caer_ros.core import Box, InputError
from caer_ros.datasets.clips import sample_frames
from caer_ros.datasets.face_boxes import detect_all, read_boxes, with_boxes
from caer_ros.datasets.layouts import read_dataset

SETTINGS = {"detector": "fake 1"}


class FakeDetector:
    """Finds as many faces as the picture is bright; stops like a kill after `limit` pictures."""

    threshold = 0.5
    min_face = 1.0

    def __init__(self, limit=10**9):
        self.calls = 0
        self.limit = limit

    def detect(self, image, encoding):
        if self.calls == self.limit:
            raise KeyboardInterrupt
        self.calls += 1
        height, width = image.shape[:2]
        faces = [Box(i, i, i + 9, i + 9, 0.9 - 0.1 * i) for i in range(int(image[0, 0, 0]) // 100)]
        return [face.clipped(width, height) for face in faces]

    def close(self):
        pass


def picture(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((24, 32, 3), value, np.uint8))


@pytest.fixture
def stills(tmp_path):
    root = tmp_path / "set"
    for number, value in enumerate((0, 120, 220, 0, 120, 220)):
        picture(root / "train" / "Sad" / f"{number}.png", value)
    return root


def test_subject_is_the_surest_face_all_are_kept_and_none_is_known(stills, tmp_path):
    cache = tmp_path / "faces.jsonl"
    data = read_dataset(stills)
    boxes = detect_all(data, FakeDetector(), SETTINGS, cache)
    assert boxes == read_boxes(cache)
    nobody, _, two = (boxes[f"train/Sad/{n}.png"] for n in range(3))
    assert nobody.frames == {0: ()}
    assert nobody.subject() is None
    assert two.frames[0] == (Box(0, 0, 9, 9, 0.9), Box(1, 1, 10, 10, 0.8))
    assert two.subject() == two.frames[0][0]
    assert (two.width, two.height) == (32, 24)
    assert [s.box is None for s in with_boxes(data, boxes)] == [True, False, False] * 2


def test_a_killed_run_goes_on_and_gives_the_same(stills, tmp_path):
    data = read_dataset(stills)
    whole = detect_all(data, FakeDetector(), SETTINGS, tmp_path / "whole.jsonl")
    cache = tmp_path / "cut.jsonl"
    with pytest.raises(KeyboardInterrupt):
        detect_all(data, FakeDetector(limit=4), SETTINGS, cache)
    cache.write_bytes(cache.read_bytes()[:-5])  # the last row was being written
    second = FakeDetector()
    assert detect_all(data, second, SETTINGS, cache) == whole
    assert second.calls == 3
    third = FakeDetector()
    assert detect_all(data, third, SETTINGS, cache) == whole
    assert third.calls == 0


def test_a_changed_file_is_detected_anew_and_other_settings_are_refused(stills, tmp_path):
    cache = tmp_path / "faces.jsonl"
    data = read_dataset(stills)
    detect_all(data, FakeDetector(), SETTINGS, cache)
    rng = np.random.default_rng(0)
    noise = rng.integers(200, 256, (24, 32, 3), dtype=np.uint8)
    cv2.imwrite(str(stills / "train/Sad/0.png"), noise)
    again = FakeDetector()
    assert len(detect_all(data, again, SETTINGS, cache)["train/Sad/0.png"].frames[0]) == 2
    assert again.calls == 1
    with pytest.raises(InputError, match="detector fake 1 instead of fake 2"):
        detect_all(data, FakeDetector(), {"detector": "fake 2"}, cache)


def test_an_unreadable_picture_ends_it_unless_bad_ones_are_skipped(stills, tmp_path):
    (stills / "train/Sad/3.png").write_bytes(b"no picture")
    data = read_dataset(stills)
    with pytest.raises(InputError, match=r"3\.png is not a readable image"):
        detect_all(data, FakeDetector(), SETTINGS, tmp_path / "a.jsonl")
    bad = []
    boxes = detect_all(
        data, FakeDetector(), SETTINGS, tmp_path / "b.jsonl", lambda path, error: bad.append(path)
    )
    assert [path.name for path in bad] == ["3.png"]
    assert len(boxes) == 5


@pytest.mark.parametrize("fps", [8, 10, 25, 30])
def test_a_video_is_looked_at_where_clips_sample_it(tmp_path, fps):
    path = tmp_path / "train" / "Fear" / "1.avi"
    path.parent.mkdir(parents=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (32, 24))
    for _ in range(40):
        writer.write(np.full((24, 32, 3), 130, np.uint8))
    writer.release()
    (faces,) = detect_all(
        read_dataset(tmp_path), FakeDetector(), SETTINGS, tmp_path / "c.jsonl"
    ).values()
    assert list(faces.frames) == sorted(set(sample_frames(40, fps).tolist()))
    assert faces.found == len(faces.frames)


def test_the_command_with_a_real_detector(photos, tmp_path, capsys):
    root = tmp_path / "set"
    for split, name in (("train", "astronaut.png"), ("test", "grace_hopper.jpg")):
        (root / split / "Happy").mkdir(parents=True)
        (root / split / "Happy" / name).write_bytes((photos / name).read_bytes())
    picture(root / "train" / "Happy" / "blank.png", 90)
    call = ["data", "boxes", str(root), "--backend", "onnxruntime", "--lists", str(root)]
    assert main(call) == 0
    assert "3 files, 3 frames: 2 faces, 1 frames without a face" in capsys.readouterr().out
    rows = [json.loads(line) for line in (root / "faces.jsonl").read_text().splitlines()[1:]]
    box = Box(*next(r for r in rows if r["file"].endswith("astronaut.png"))["frames"][0][1][0])
    assert box.iou(Box(175, 60, 275, 185)) > 0.5
    assert cv2.imread(str(root / "faces.png")) is not None
    # The lists are found and read as the boxes of the set.
    assert [s.box is None for s in read_dataset(root).samples] == [False, True, False]
    # A second call must not replace lists that somebody may have checked by hand.
    assert main(call) == 2
    assert "train.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--detector", "nothere"], "No model 'nothere'"),
        (["--detector-threshold", "0"], "out of range"),
        (["--detector-size", "3"], "too small"),
    ],
)
def test_wrong_options_end_with_code_2(stills, options, complaint, capsys):
    assert main(["data", "boxes", str(stills), *options]) == 2
    assert complaint in capsys.readouterr().err
