"""`make demo`'s program, as a process: prints people, leaves a video and a contact sheet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "caer_ros.ros.demo", *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_shows_people_and_leaves_pictures(photos, tmp_path):
    demo = start("--source", photos, "--seconds", 3, "--out", tmp_path / "out")
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, output
    assert "person 1: " in output
    assert "Camera stamp to answer received: p50" in output
    assert "Traceback" not in output
    assert str(tmp_path / "out" / "overlay.mp4") in output
    video = cv2.VideoCapture(str(tmp_path / "out" / "overlay.mp4"))
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    assert 30 <= len(frames) <= 75  # three seconds at 15 a second, and some slack
    assert frames[0].shape == (480, 640, 3)
    assert np.std(frames[0]) > 10
    sheet = cv2.imread(str(tmp_path / "out" / "contact_sheet.png"))
    assert sheet.shape[1] > 1000
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "contact_sheet.png",
        "overlay.mp4",
    ]


def test_nobody_in_the_pictures_is_a_failure_that_is_explained(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((240, 320, 3), 120, np.uint8))
    demo = start("--source", tmp_path / "grey.png", "--seconds", 1, "--out", tmp_path / "out")
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1, output
    assert "nobody was seen" in output
    assert "images a second on /camera/image_raw" in output


def test_a_missing_model_is_a_failure_that_is_explained(tmp_path):
    demo = start("--model", "no_such_model", "--out", tmp_path / "out")
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1, output
    assert "No model 'no_such_model' is installed" in output
    assert not (tmp_path / "out" / "overlay.mp4").exists()


def test_a_source_that_is_not_there_is_told(photos, tmp_path):
    demo = start("--source", "no_such.mp4", "--out", tmp_path / "out")
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 2, output
    assert "no_such.mp4 does not exist" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("after", [1.5, 5.0])
def test_ctrl_c_ends_it_and_its_children(photos, tmp_path, after):
    """`after` seconds: while it starts, and while it plays."""
    marker = str(tmp_path / "out")
    demo = start("--source", photos, "--seconds", 60, "--out", marker, CAER_TEST_MARK=marker)
    time.sleep(after)
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate(timeout=10)
    assert demo.returncode == 0, output
    assert "Traceback" not in output
    assert processes_with(marker) == []


def processes_with(mark: str) -> list[str]:
    """Command lines of living processes that inherited the environment variable's value."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if f"CAER_TEST_MARK={mark}\0".encode() in file.read():
                        with open(f"/proc/{entry}/cmdline", "rb") as line:
                            found.append(line.read().replace(b"\0", b" ").decode())
            except OSError:
                continue  # it ended while we looked, or is somebody else's
    return found
