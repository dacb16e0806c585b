"""REP 155 over real DDS: who is tracked, where, and how they look."""

from __future__ import annotations

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile

hri_msgs = pytest.importorskip("hri_msgs.msg")

from caer_ros.core import CAER7, EMOTIC26, HECO8, Box, EmotionEstimate, PersonEmotion  # noqa: E402
from caer_ros.perception import Result  # noqa: E402
from caer_ros.ros.outputs import expressions, humans  # noqa: E402

FACES, BODIES = "/humans/faces/tracked", "/humans/bodies/tracked"


@pytest.fixture
def faces(desk):
    return desk.open().hear(hri_msgs.IdsList, FACES)


def follow(desk, faces, result, kind, topic):
    """The first message on the topic of somebody's id."""
    desk.ask(faces, result)
    heard = desk.hear(kind, topic)
    assert desk.until(lambda: desk.show(result) and bool(heard)), topic
    return heard[0]


def test_faces_and_bodies_are_listed_by_id(desk, faces, results):
    bodies = desk.hear(hri_msgs.IdsList, BODIES)
    header, message = desk.ask(faces, results["both"])
    assert (message.header, message.ids) == (header, ["p3"])
    _, message = desk.ask(bodies, results["both"])
    assert message.ids == ["bp3"]
    _, message = desk.ask(bodies, results["body"])
    assert message.ids == ["bp2"]
    _, message = desk.ask(faces, results["body"])
    assert message.ids == []


@pytest.mark.parametrize("name", ["nobody", "without id"])
def test_people_without_an_id_are_left_out(desk, faces, results, name):
    header, message = desk.ask(faces, results[name])
    assert (message.header, message.ids) == (header, [])


def test_a_face_has_its_place_in_shares_of_the_image(desk, faces, results):
    roi = follow(
        desk, faces, results["face"], hri_msgs.NormalizedRegionOfInterest2D, "/humans/faces/p1/roi"
    )
    corners = (roi.xmin, roi.ymin, roi.xmax, roi.ymax)
    assert corners == pytest.approx((100 / 640, 60 / 480, 180 / 640, 160 / 480))
    assert roi.c == pytest.approx(0.9)
    assert roi.header.frame_id == "optical"
    assert roi.header.stamp.sec >= 1000


def test_a_face_has_its_expression(desk, faces, results):
    found = follow(desk, faces, results["both"], hri_msgs.Expression, "/humans/faces/p3/expression")
    assert found.expression == hri_msgs.Expression.HAPPY
    assert found.confidence == pytest.approx(0.7)
    assert (found.valence, found.arousal) == (0.5, -0.25), "of the model that has them"


def test_places_stay_in_the_image_and_nothing_is_said_of_those_outside(desk, faces, results):
    half = PersonEmotion(face=Box(-50, -40, 50, 60), track_id="p7")
    gone = PersonEmotion(face=Box(700, 10, 760, 90), track_id="p8")
    result = Result((half, gone), {})
    roi = follow(desk, faces, result, hri_msgs.NormalizedRegionOfInterest2D, "/humans/faces/p7/roi")
    assert (roi.xmin, roi.ymin) == (0.0, 0.0)
    outside = desk.hear(hri_msgs.NormalizedRegionOfInterest2D, "/humans/faces/p8/roi")
    _, message = desk.ask(faces, result)
    assert message.ids == ["p7", "p8"]
    assert outside == []


def test_topics_of_people_who_are_gone_go_after_a_while(desk, faces, results, monkeypatch):
    def exists() -> bool:
        return desk.viewer.count_publishers("/humans/faces/p1/expression") == 1

    desk.ask(faces, results["face"])
    assert desk.until(exists)
    desk.ask(faces, results["nobody"])
    desk.spin(0.3)
    assert exists(), "kept for a while: who is back soon loses no message"
    monkeypatch.setattr(humans, "_KEEP_S", 0.05)
    desk.spin(0.1)
    desk.ask(faces, results["nobody"])
    assert desk.until(lambda: not exists())


def test_when_the_last_listener_leaves_nothing_is_left_behind(desk, faces, results):
    desk.ask(faces, results["face"])
    assert desk.until(lambda: desk.viewer.count_publishers("/humans/faces/p1/roi") == 1)
    for subscription in list(desk.viewer.subscriptions):
        desk.viewer.destroy_subscription(subscription)
    assert desk.until(lambda: not any(o.wanted() for o in desk.outputs[""]))
    assert desk.until(lambda: desk.viewer.count_publishers("/humans/faces/p1/roi") == 0)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    late = desk.hear(hri_msgs.IdsList, FACES, latched)
    assert desk.until(lambda: bool(late))
    assert late[0].ids == [], "the list that waits for late listeners names nobody who is gone"


def test_who_comes_late_gets_the_latest_list(desk, faces, results):
    desk.ask(faces, results["face"])
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    late = desk.hear(hri_msgs.IdsList, FACES, latched)
    assert desk.until(lambda: bool(late))
    assert late[0].ids == ["p1"]


def test_two_cameras_share_one_list(desk, results):
    desk.open("front", "rear")
    heard = desk.hear(hri_msgs.IdsList, FACES)
    desk.ask(heard, results["face"], camera="front")
    _, message = desk.ask(heard, results["both"], camera="rear")
    assert sorted(message.ids) == ["p1", "p3"]
    assert desk.viewer.count_publishers(FACES) == 1
    _, message = desk.ask(heard, results["nobody"], camera="front")
    assert message.ids == ["p3"]


def test_a_crowd_is_listed_whole(desk, faces, results):
    _, message = desk.ask(faces, results["crowd"])
    assert message.ids == [f"p{i}" for i in range(60)]


def test_never_means_never(desk, results):
    desk.open(hri="never")
    assert "HriOutput" not in {type(output).__name__ for output in desk.outputs[""]}
    desk.spin(0.2)
    assert desk.viewer.count_publishers(FACES) == 0


def test_nothing_is_made_without_a_subscriber(desk, faces, results):
    desk.ask(faces, results["both"])
    assert set(desk.built) == {"HriOutput"}


@pytest.mark.parametrize("label", sorted({*CAER7, *EMOTIC26, *HECO8}))
def test_every_word_is_one_of_the_messages(label):
    estimate = EmotionEstimate("m", (label,), np.ones(1, np.float32))
    found = expressions.expression_of(PersonEmotion(estimates=(estimate,)))
    if label in CAER7:
        assert found is not None, "the seven have a word each"
    assert found is None or getattr(hri_msgs.Expression, found.word.upper()) == found.word
    assert found is None or (found.valence, found.arousal) == (0.0, 0.0)


def test_the_seven_have_seven_words():
    words = set()
    for label in CAER7:
        estimate = EmotionEstimate("m", (label,), np.ones(1, np.float32))
        words.add(expressions.expression_of(PersonEmotion(estimates=(estimate,))).word)
    assert words == {"angry", "disgusted", "scared", "happy", "neutral", "sad", "surprised"}


def test_a_top_label_without_a_word_gives_way_to_the_likeliest_with_one(people):
    (person,) = people["body"]
    values = np.array([0.2, 0.9, 0.4], np.float32)
    estimate = EmotionEstimate("m", ("Sadness", "Peace", "Anger"), values, True)
    found = expressions.expression_of(PersonEmotion(estimates=(estimate,)))
    assert (found.word, found.confidence) == ("angry", pytest.approx(0.4))
    assert expressions.expression_of(person).word == "angry"
    assert expressions.expression_of(PersonEmotion()) is None


def test_below_its_threshold_no_label_is_an_expression(people):
    values = np.array([0.6, 0.9, 0.4], np.float32)
    limits = np.array([0.5, 0.1, 0.2], np.float32)
    labels = ("Sadness", "Peace", "Anger")
    estimate = EmotionEstimate("m", labels, values, True, thresholds=limits)
    # Peace has no word, and Anger the larger margin of the other two.
    assert expressions.expression_of(PersonEmotion(estimates=(estimate,))).word == "angry"
    estimate = EmotionEstimate("m", labels, values / 4, True, thresholds=limits)
    assert expressions.expression_of(PersonEmotion(estimates=(estimate,))) is None
