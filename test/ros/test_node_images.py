"""What the node makes of images, good and bad: one process, real DDS, real pictures."""

from __future__ import annotations

from array import array

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import Image

from caer_ros.core import CAER7

GREY = np.full((240, 320, 3), 120, np.uint8)


def message(image: np.ndarray, encoding: str, step: int = 0) -> Image:
    """An image message; rows padded to `step` bytes with 255 where that is given."""
    rows = image.reshape(image.shape[0], -1)
    if step:
        rows = np.pad(rows, ((0, 0), (0, step - rows.shape[1])), constant_values=255)
    return Image(
        height=image.shape[0],
        width=image.shape[1],
        step=rows.shape[1],
        encoding=encoding,
        data=array("B", np.ascontiguousarray(rows).tobytes()),
    )


def changed(**fields: object) -> Image:
    """A good image message with some fields made wrong."""
    made = message(GREY, "bgr8")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def frames(running) -> dict[str, str]:
    """The latest diagnostics of the frames."""
    if "frames" not in running.probe.parts:
        return running.probe.values("frames")
    return {pair.key: pair.value for pair in running.probe.parts["frames"].values}


def test_a_photograph_becomes_a_person_with_the_images_header(running, astronaut):
    header = running.probe.send(astronaut, sec=123, frame_id="front_camera")
    assert running.probe.until(lambda: any(a.header == header for a in running.probe.arrays))
    answer = running.probe.arrays[-1]
    assert answer.header == header
    assert len(answer.people) == 1
    person = answer.people[0]
    assert person.has_face_box
    assert not person.has_person_box
    box = person.face_box
    assert box.x_min < 226 < box.x_max
    assert box.y_min < 118 < box.y_max
    assert 0.5 <= box.score <= 1
    estimate = person.estimates[0]
    assert tuple(estimate.labels) == CAER7
    assert sum(estimate.probabilities) == pytest.approx(1, abs=1e-4)
    assert estimate.confidence == pytest.approx(max(estimate.probabilities))
    assert estimate.top_label == CAER7[int(np.argmax(estimate.probabilities))]
    assert estimate.lambda_face + estimate.lambda_context == pytest.approx(1, abs=1e-4)
    assert np.isnan([estimate.valence, estimate.arousal, estimate.dominance]).all()
    assert not estimate.multi_label


def test_nobody_there_is_an_empty_message(running):
    answer = running.probe.ask(GREY)
    assert answer is not None
    assert answer.people == []


def test_every_encoding_and_padded_rows_see_the_same_person(running, astronaut):
    forms = {
        "bgr8": message(astronaut, "bgr8"),
        "padded bgr8": message(astronaut, "bgr8", 512 * 3 + 64),
        "rgb8": message(cv2.cvtColor(astronaut, cv2.COLOR_BGR2RGB), "rgb8"),
        "bgra8": message(cv2.cvtColor(astronaut, cv2.COLOR_BGR2BGRA), "bgra8"),
        "mono8": message(cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY), "mono8"),
    }
    answers = {name: running.probe.ask(form) for name, form in forms.items()}
    boxes = {}
    for name, answer in answers.items():
        assert answer is not None, name
        assert len(answer.people) == 1, name
        face = answer.people[0].face_box
        boxes[name] = np.array([face.x_min, face.y_min, face.x_max, face.y_max])
    for name in ("padded bgr8", "rgb8", "bgra8"):
        assert np.allclose(boxes[name], boxes["bgr8"], atol=0.5), name
        expected = answers["bgr8"].people[0].estimates[0].probabilities
        got = answers[name].people[0].estimates[0].probabilities
        assert np.allclose(got, expected, atol=1e-3), name
    assert np.allclose(boxes["mono8"], boxes["bgr8"], atol=15)


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (changed(encoding="infrared9"), "infrared9"),
        (changed(encoding=""), "encoding"),
        (changed(data=array("B", bytes(1000))), "1000 bytes"),
        (changed(data=array("B")), "0 bytes"),
        (changed(step=100), "step 100"),
        (Image(encoding="bgr8"), "0x0"),
        (changed(height=2**31), "2147483648"),
    ],
    ids=["wrong encoding", "no encoding", "cut short", "no data", "short step", "0x0", "huge"],
)
def test_a_bad_image_is_counted_and_the_next_one_works(running, bad, complaint):
    before = int(frames(running)["failed"])
    running.probe.send(bad)
    failed_once = running.probe.until(lambda: int(frames(running)["failed"]) == before + 1, 8.0)
    assert failed_once, running.process.output
    assert complaint in frames(running)["last error"]
    assert running.probe.ask(GREY) is not None
    assert running.process.alive()
    assert "Traceback" not in running.process.output


def test_an_overlay_is_drawn_only_for_a_subscriber(running, astronaut):
    assert running.probe.ask(astronaut) is not None
    assert running.probe.values("frames")["overlays drawn"] == "0"
    running.probe.watch_overlay()
    running.probe.spin(1.0)  # discovery
    answer = running.probe.ask(astronaut)
    assert running.probe.until(lambda: bool(running.probe.overlays))
    overlay = running.probe.overlays[-1]
    assert overlay.header == answer.header
    assert (overlay.height, overlay.width, overlay.encoding) == (512, 512, "bgr8")
    drawn = np.frombuffer(overlay.data, np.uint8).reshape(512, 512, 3)
    assert (drawn != astronaut).any()
    assert running.probe.values("frames")["overlays drawn"] == "1"


def test_every_frame_is_answered_dropped_or_failed(running, astronaut):
    start = running.probe.values("frames")
    answers = len(running.probe.arrays)
    for index in range(40):
        running.probe.send(astronaut, sec=index + 1)
        running.probe.spin(0.01)
    running.probe.spin(1.0)
    end = running.probe.values("frames")
    grown = {key: int(end[key]) - int(start[key]) for key in ("in", "out", "dropped", "failed")}
    assert grown["in"] == grown["out"] + grown["dropped"] + grown["failed"]
    assert grown["failed"] == 0
    assert grown["dropped"] > 0
    assert grown["in"] >= 30
    assert len(running.probe.arrays) - answers == grown["out"]
    stamps = [a.header.stamp.sec for a in running.probe.arrays[answers:]]
    assert stamps == sorted(stamps)
    assert stamps[-1] == 40  # the newest frame wins
