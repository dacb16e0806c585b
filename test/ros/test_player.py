"""The camera made of files."""

from __future__ import annotations

import signal
import time

from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

MODULE = "caer_ros.ros.image_player"


def test_it_plays_a_photograph_that_moves(stage, photos):
    frames: list[Image] = []
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    stage.probe.node.create_subscription(Image, "/front/image", frames.append, qos)
    player = stage.start(
        MODULE,
        {"source": photos / "astronaut.png", "image_topic": "front/image", "rate_hz": 20.0},
    )
    assert stage.probe.until(lambda: len(frames) >= 30, 20.0), player.output
    first, last = frames[9], frames[29]
    assert first.header.frame_id == "camera"
    assert first.encoding == "bgr8"
    assert len(first.data) == first.step * first.height
    assert first.data != last.data
    stamps = [f.header.stamp.sec + f.header.stamp.nanosec / 1e9 for f in (first, last)]
    assert 0.85 < stamps[1] - stamps[0] < 1.4  # 20 frames at 20 a second
    begin = time.monotonic()
    player.signal(signal.SIGTERM)
    assert player.wait(5.0) == 0
    assert time.monotonic() - begin < 2.0


def test_it_ends_after_its_time(stage, photos):
    player = stage.start(MODULE, {"source": photos, "seconds": 0.5, "qos": "reliable"})
    assert player.wait(15.0) == 0, player.output


def test_what_can_not_be_played_is_told_in_one_line(stage):
    player = stage.start(MODULE, {"source": "no_such_file.mp4"})
    assert player.wait(15.0) == 2
    assert "no_such_file.mp4 does not exist" in player.output
    assert "Traceback" not in player.output
