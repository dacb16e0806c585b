"""Every field of /emotions, through DDS from another process; and images both ways."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from builtin_interfaces.msg import Time as Stamp
from std_msgs.msg import Header

from caer_ros.core import CAER7, EMOTIC26, Box, EmotionEstimate, PersonEmotion
from caer_ros.ros.demo_watcher import describe
from caer_ros.ros.messages import image_message, image_view, people_message

HEADER = Header(stamp=Stamp(sec=5, nanosec=6), frame_id="front")

# Of the last emotion none was chosen.
THRESHOLDS = np.append(np.linspace(0.25, 0.75, 25), math.nan).astype(np.float32)


def people() -> tuple[PersonEmotion, ...]:
    caer = EmotionEstimate(
        "caer_net_s", CAER7, np.arange(1, 8, dtype=np.float32) / 28, False, 0.25, 0.75
    )
    benet = EmotionEstimate(
        "benet",
        EMOTIC26,
        np.linspace(0, 1, 26, dtype=np.float32),
        True,
        valence=-0.5,
        arousal=0.25,
        dominance=1.0,
        thresholds=THRESHOLDS,
    )
    return (
        PersonEmotion(Box(-3.5, 2, 40, 60.25, 0.9), Box(0, 1, 100, 200, 0.5), (caer, benet), "p7"),
        PersonEmotion(),
    )


def test_every_field_arrives_in_another_process(stage):
    """This file, run as a program, is the other process; see the end."""
    sender = subprocess.Popen(
        [sys.executable, __file__], env={**os.environ, "ROS_DOMAIN_ID": str(stage.domain)}
    )
    try:
        assert stage.probe.until(lambda: bool(stage.probe.arrays), 20.0)
    finally:
        sender.terminate()
        sender.wait(5)
    message = stage.probe.arrays[0]
    assert message.header == HEADER
    first, second = message.people
    assert first.track_id == "p7"
    assert first.has_face_box
    assert first.has_person_box
    face, body = first.face_box, first.person_box
    assert (face.x_min, face.y_min, face.x_max, face.y_max) == (-3.5, 2.0, 40.0, 60.25)
    assert face.score == pytest.approx(0.9)
    assert (body.x_min, body.y_min, body.x_max, body.y_max) == (0.0, 1.0, 100.0, 200.0)
    caer, benet = first.estimates
    assert (caer.model, benet.model) == ("caer_net_s", "benet")
    assert (caer.multi_label, benet.multi_label) == (False, True)
    assert (tuple(caer.labels), tuple(benet.labels)) == (CAER7, EMOTIC26)
    assert np.allclose(caer.probabilities, np.arange(1, 8) / 28)
    assert (caer.top_label, benet.top_label) == ("Surprise", "Yearning")
    assert (caer.confidence, benet.confidence) == (pytest.approx(0.25), 1.0)
    assert (caer.lambda_face, caer.lambda_context) == (0.25, 0.75)
    assert len(caer.thresholds) == 0
    np.testing.assert_array_equal(benet.thresholds, THRESHOLDS)
    assert math.isnan(benet.lambda_face)
    assert math.isnan(benet.lambda_context)
    assert (benet.valence, benet.arousal, benet.dominance) == (-0.5, 0.25, 1.0)
    assert math.isnan(caer.valence)
    assert second.track_id == ""
    assert not second.has_face_box
    assert not second.has_person_box
    assert second.estimates == []


def test_a_body_without_a_face_as_benet_gives_it():
    benet = people()[0].estimates[1]
    person = PersonEmotion(body=Box(1, 2, 30, 40, 0.5), estimates=(benet,))
    (message,) = people_message(HEADER, [person]).people
    assert message.has_person_box
    assert not message.has_face_box
    box = message.person_box
    assert (box.x_min, box.y_min, box.x_max, box.y_max, box.score) == (1.0, 2.0, 30.0, 40.0, 0.5)
    (estimate,) = message.estimates
    assert estimate.multi_label
    assert len(estimate.probabilities) == 26
    assert (estimate.valence, estimate.arousal, estimate.dominance) == (-0.5, 0.25, 1.0)


def test_who_listens_can_name_what_holds():
    benet = people()[0].estimates[1]
    limits = (THRESHOLDS, np.full(26, math.nan, np.float32), None)
    shown = [replace(benet, thresholds=each) for each in limits]
    found = [PersonEmotion(body=Box(1, 2, 30, 40), estimates=(each,)) for each in shown]
    lines = describe(people_message(HEADER, found).people)
    # i / 25 reaches 0.25 + i / 48 from i = 13.04 on, and grows faster.
    named = [EMOTIC26[i] for i in range(24, 13, -1)]
    assert re.findall(r"[A-Z][\w/]+", lines[0]) == named
    assert lines[1].startswith("person 2: no emotion reaches its threshold  at (1, 2)")
    assert lines[2].startswith("person 3: Yearning 100%, Sympathy 96%  at (1, 2)")


def test_an_image_survives_the_way_out_and_in_without_a_copy():
    pixels = np.random.default_rng(1).integers(0, 256, (17, 23, 3), np.uint8)
    message = image_message(HEADER, pixels[:, ::-1][:, ::-1])
    assert (message.height, message.width, message.step, message.encoding) == (17, 23, 69, "bgr8")
    view = image_view(message)
    assert np.array_equal(view, pixels)
    assert np.shares_memory(view, np.frombuffer(message.data, np.uint8))


def _send() -> None:
    import rclpy

    from caer_msgs.msg import PersonEmotionArray

    rclpy.init()
    node = rclpy.create_node("sender")
    publisher = node.create_publisher(PersonEmotionArray, "/emotions", 10)
    node.create_timer(0.1, lambda: publisher.publish(people_message(HEADER, people())))
    rclpy.spin(node)


if __name__ == "__main__":
    _send()
