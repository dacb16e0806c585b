"""Detections for vision_msgs' users and annotations for Foxglove's, over real DDS."""

from __future__ import annotations

import pytest

vision_msgs = pytest.importorskip("vision_msgs.msg")
foxglove_msgs = pytest.importorskip("foxglove_msgs.msg")

from caer_ros.core import InputError  # noqa: E402
from caer_ros.ros.outputs import OutputSettings, make_outputs, registry  # noqa: E402


@pytest.fixture
def detections(desk):
    return desk.open().hear(vision_msgs.Detection2DArray, "/emotion_node/detections")


@pytest.fixture
def annotations(desk):
    return desk.open().hear(foxglove_msgs.ImageAnnotations, "/emotion_node/annotations")


def labels(detection) -> list[str]:
    return [result.hypothesis.class_id for result in detection.results]


def test_a_face_is_a_detection_with_its_centre_and_every_label(desk, detections, results):
    header, message = desk.ask(detections, results["face"])
    assert message.header == header
    (found,) = message.detections
    assert (found.header, found.id) == (header, "p1")
    box = found.bbox
    assert (box.center.position.x, box.center.position.y) == (140.0, 110.0)
    assert (box.size_x, box.size_y, box.center.theta) == (80.0, 100.0, 0.0)
    assert labels(found)[0] == "Happy"
    assert len(found.results) == 7
    assert found.results[0].hypothesis.score == pytest.approx(0.7)
    assert sum(r.hypothesis.score for r in found.results) == pytest.approx(1.0)


def test_the_body_counts_where_there_is_one_and_each_label_comes_once(desk, detections, results):
    _, message = desk.ask(detections, results["both"])
    (found,) = message.detections
    assert (found.bbox.center.position.x, found.bbox.center.position.y) == (140.0, 220.0)
    assert (found.bbox.size_x, found.bbox.size_y) == (160.0, 360.0)
    assert len(labels(found)) == len(set(labels(found)))
    assert {"Happy", "Peace", "Anger"} <= set(labels(found))
    score = {r.hypothesis.class_id: r.hypothesis.score for r in found.results}
    assert score["Anger"] == pytest.approx(0.05), "of a label that both have, the first counts"
    assert list(score.values()) == sorted(score.values(), reverse=True)


def test_of_thresholds_only_names_are_hypotheses_the_largest_margin_first(
    desk, detections, results
):
    _, message = desk.ask(detections, results["named"])
    (found,) = message.detections
    assert labels(found) == ["Peace", "Anger"]
    assert [r.hypothesis.score for r in found.results] == pytest.approx([0.6, 0.8])
    _, message = desk.ask(detections, results["unnamed"])
    assert [labels(found) for found in message.detections] == [[]]
    _, message = desk.ask(detections, results["both named"])
    (found,) = message.detections
    # Of Anger, which both have, the first counts.
    assert labels(found)[0] == "Happy"
    assert labels(found)[-1] == "Peace"
    assert len(found.results) == 8


def test_people_without_id_or_estimate_are_detections_too(desk, detections, results):
    _, message = desk.ask(detections, results["without id"])
    assert [found.id for found in message.detections] == [""]
    _, message = desk.ask(detections, results["without estimate"])
    assert [(found.id, labels(found)) for found in message.detections] == [("p4", [])]


def test_nobody_is_an_empty_message_and_a_crowd_is_sixty(desk, detections, results):
    header, message = desk.ask(detections, results["nobody"])
    assert (message.header, message.detections) == (header, [])
    _, message = desk.ask(detections, results["crowd"])
    assert [found.id for found in message.detections] == [f"p{i}" for i in range(60)]


def test_annotations_are_boxes_and_a_caption_with_the_images_stamp(desk, annotations, results):
    _, message = desk.ask(annotations, results["both"])
    assert len(message.points) == 2
    assert {(p.points[0].x, p.points[0].y) for p in message.points} == {(60.0, 40.0), (100.0, 60.0)}
    assert all(p.type == p.LINE_LOOP and len(p.points) == 4 for p in message.points)
    (text,) = message.texts
    assert text.text == "p3 Happy 70%"
    assert (text.position.x, text.position.y) == (100.0, 60.0)
    stamps = {item.timestamp.sec for item in (*message.points, *message.texts)}
    assert len(stamps) == 1
    assert min(stamps) >= 1000
    color = message.points[0].outline_color
    assert (color.r, color.b) == pytest.approx((250 / 255, 60 / 255))


@pytest.mark.parametrize(
    ("name", "boxes", "texts"),
    [
        ("nobody", 0, []),
        ("without estimate", 1, ["p4"]),
        ("without id", 1, ["Happy 70%"]),
        ("nan lambda", 1, ["p5 Happy 70%"]),
        ("named", 1, ["p6 Peace 60%, Anger 80%"]),
        ("unnamed", 1, ["p7"]),
    ],
)
def test_annotations_of_less(desk, annotations, results, name, boxes, texts):
    _, message = desk.ask(annotations, results[name])
    assert len(message.points) == boxes
    assert [text.text for text in message.texts] == texts


def test_a_crowd_has_an_annotation_each(desk, annotations, results):
    _, message = desk.ask(annotations, results["crowd"])
    assert len(message.points) == len(message.texts) == 60
    assert all(text.position.y >= text.font_size for text in message.texts), "inside the image"


def test_nothing_is_made_without_a_subscriber(desk, results):
    heard = desk.open().hear(vision_msgs.Detection2DArray, "/emotion_node/detections")
    desk.ask(heard, results["both"])
    assert set(desk.built) == {"Detections"}


def test_without_the_messages_the_rest_goes_on_and_the_log_says_so_once(desk, monkeypatch, capfd):
    monkeypatch.setattr(registry, "messages_of", lambda package: None)
    desk.open("front", "rear")
    names = {type(output).__name__ for output in desk.outputs["front"]}
    assert names == {"OverlayImages", "AttentionImage", "Markers"}
    text = "".join(capfd.readouterr())
    assert text.count("Not installed, so not published") == 1
    assert all(package in text for package in ("vision_msgs", "foxglove_msgs", "hri_msgs"))
    with pytest.raises(InputError, match="hri_msgs is not installed"):
        make_outputs(desk.node, "other", OutputSettings(hri="always"), lambda: None)


def test_settings_are_the_parameters_of_the_same_names():
    values = {"blur_faces": True, "hri": "never", "model": "x"}
    assert OutputSettings.of(values) == OutputSettings(blur_faces=True, hri="never")
