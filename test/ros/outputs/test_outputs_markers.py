"""Markers over real DDS: where people are in space, from CameraInfo alone and with depth."""

from __future__ import annotations

import array

import numpy as np
import pytest
from builtin_interfaces.msg import Time as Stamp
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from caer_ros.core import Box, InputError, PersonEmotion
from caer_ros.perception import Result
from caer_ros.ros.outputs import markers as markers_module
from caer_ros.ros.outputs.depth_input import depth_at, depth_view
from caer_ros.ros.outputs.positions import Rays, median_depth, position

TOPIC = "/emotion_node/markers"
INFO = CameraInfo(width=640, height=480, k=[500.0, 0.0, 320.0, 0.0, 400.0, 240.0, 0.0, 0.0, 1.0])


@pytest.fixture
def markers(desk):
    desk.info = INFO
    return desk.open().hear(MarkerArray, TOPIC)


def at(message: MarkerArray) -> int:
    """Second of the stamp."""
    return message.markers[0].header.stamp.sec if message.markers else 0


def ask(desk, heard, result):
    """As Desk.ask, for a message whose markers have the header."""
    header, message = desk.ask(heard, result)
    return header, message.markers


def depth_image(values: np.ndarray, stamp: Stamp, encoding: str, pad: int = 0, big=False) -> Image:
    kind = np.dtype({"16UC1": np.uint16, "32FC1": np.float32}[encoding])
    kind = kind.newbyteorder(">" if big else "<")
    rows = [row.astype(kind).tobytes() + b"\xff" * pad for row in values]
    message = Image(header=Header(stamp=stamp), encoding=encoding, is_bigendian=int(big))
    message.height, message.width = values.shape
    message.step = len(rows[0])
    message.data = array.array("B", b"".join(rows))
    return message


def test_a_person_is_a_ball_and_a_caption_in_the_cameras_frame(desk, markers, results):
    _, found = ask(desk, markers, results["face"])
    ball, text = found
    assert {m.header.frame_id for m in found} == {"optical"}
    assert {m.header.stamp.sec for m in found} != {0}
    assert (ball.ns, ball.type, ball.action) == ("people", Marker.SPHERE, Marker.ADD)
    assert (text.ns, text.type, text.text) == ("captions", Marker.TEXT_VIEW_FACING, "p1 Happy 70%")
    assert ball.id == text.id
    place = ball.pose.position
    z = 400 * 0.23 / 100  # a face of 100 pixels
    assert place.z == pytest.approx(z)
    assert place.x == pytest.approx((140 - 320) / 500 * z)
    assert place.y == pytest.approx((110 - 240) / 400 * z)
    assert text.pose.position.y < place.y, "above: y points down"
    assert ball.lifetime.sec == text.lifetime.sec == 1
    assert ball.pose.orientation.w == 1.0
    assert (ball.color.r, ball.color.b) == pytest.approx((250 / 255, 60 / 255), abs=1e-6)


def test_those_who_left_are_deleted_and_ids_stay(desk, markers, results):
    one, two = (
        PersonEmotion(face=Box(x, 50, x + 60, 120), track_id=name)
        for x, name in ((100, "p1"), (300, "p2"))
    )
    _, both = ask(desk, markers, Result((one, two), {}))
    of = {m.text.split()[0]: m.id for m in both if m.text}
    _, alone = ask(desk, markers, Result((two,), {}))
    kept = [m for m in alone if m.action == Marker.ADD]
    assert {m.id for m in kept} == {of["p2"]}
    # Frames go on until one is heard, so that the deletion may be in an earlier one.
    _, nobody = ask(desk, markers, Result((one, two), {}))
    last = desk.show(results["nobody"]).stamp.sec
    assert desk.until(lambda: any(at(message) == last for message in markers))
    gone = [(m.ns, m.id) for m in markers[-1].markers if m.action == Marker.DELETE]
    assert sorted(gone) == sorted((ns, i) for ns in ("people", "captions") for i in of.values())
    assert {m.id for m in nobody} == set(of.values())


def test_a_crowd_has_sixty_pairs_with_ids_of_their_own(desk, markers, results):
    _, found = ask(desk, markers, results["crowd"])
    assert len({(m.ns, m.id) for m in found if m.action == Marker.ADD}) == 120


@pytest.mark.parametrize(
    ("name", "text"), [("without id", "Happy 70%"), ("nan lambda", "p5 Happy 70%")]
)
def test_captions_of_less(desk, markers, results, name, text):
    _, found = ask(desk, markers, results[name])
    assert [m.text for m in found if m.ns == "captions"] == [text]


def test_a_body_without_face_and_depth_has_no_marker(desk, markers, results):
    _, found = ask(desk, markers, results["body"])
    assert found == []


@pytest.mark.parametrize("info", [None, CameraInfo(width=640, height=480)])
def test_without_calibration_there_is_one_line_in_the_log(desk, results, capfd, info, monkeypatch):
    monkeypatch.setattr(markers_module, "_PATIENCE_S", 0.2)
    desk.info = info
    heard = desk.open().hear(MarkerArray, TOPIC)
    assert desk.until(lambda: desk.outputs[""][0].wanted())
    desk.show(results["face"])
    assert "No markers" not in "".join(capfd.readouterr()), "the first may be on its way"
    for _ in range(3):
        desk.spin(0.15)
        desk.show(results["face"])
    assert heard == []
    assert "".join(capfd.readouterr()).count("No markers") == 1
    desk.info = INFO
    desk.ask(heard, results["face"])


def test_the_depth_image_says_how_far_a_person_is(desk, results):
    desk.info = INFO
    desk.open(depth_topic="/depth")
    heard = desk.hear(MarkerArray, TOPIC)
    camera = desk.viewer.create_publisher(Image, "/depth", 10)
    assert desk.node.count_subscribers("/depth") == 0, "nobody looks yet"
    desk.ask(heard, results["body"])
    assert desk.until(lambda: camera.get_subscription_count() == 1)
    depth = np.zeros((240, 320), np.uint16)
    depth[20:200, 30:110] = 2500
    header = desk.show(results["nobody"])
    stamp = Stamp(sec=header.stamp.sec + 1, nanosec=90_000_007)
    camera.publish(depth_image(depth, stamp, "16UC1"))
    assert desk.until(lambda: bool(desk.outputs[""][0]._depth._images))
    near = desk.show(results["body"])
    assert near.stamp.sec == stamp.sec, "0.09 s before the depth image"
    far = desk.show(results["body"])
    assert far.stamp.sec == stamp.sec + 1
    assert desk.until(lambda: {stamp.sec, stamp.sec + 1} <= {at(message) for message in heard})
    here, gone = heard[-2:]
    ball = here.markers[0]
    assert ball.pose.position.z == pytest.approx(2.5)
    assert ball.pose.position.x == pytest.approx((140 - 320) / 500 * 2.5)
    assert all(m.action == Marker.DELETE for m in gone.markers), "0.9 s is too far"
    for subscription in list(desk.viewer.subscriptions):
        desk.viewer.destroy_subscription(subscription)
    assert desk.until(lambda: camera.get_subscription_count() == 0), "nobody looks any more"


def test_a_depth_topic_that_is_none_is_refused(desk):
    with pytest.raises(InputError, match="no name of a topic"):
        desk.open(depth_topic="no topic!")
    desk.open(depth_topic="{camera}/depth")  # nothing is left over of the first try
    desk.spin(0.3)
    assert desk.node.count_publishers(TOPIC) == 1
    assert desk.node.count_publishers("/emotion_node/debug/overlay") == 1


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
@pytest.mark.parametrize("pad", [0, 6])
@pytest.mark.parametrize("big", [False, True])
def test_depth_in_every_form(encoding, pad, big):
    metres = np.full((48, 64), 3.0)
    metres[10:30, 20:40] = 1.5
    values = metres * (1000 if encoding == "16UC1" else 1)
    image = depth_image(values, Stamp(), encoding, pad, big)
    assert depth_at(image, Box(200, 100, 400, 300), 640, 480) == pytest.approx(1.5)
    image.data = image.data[:-1]
    assert depth_view(image) is None, "cut short"


@pytest.mark.parametrize("encoding", ["rgb8", "", "8UC1"])
def test_what_is_no_depth_is_not_read(encoding):
    image = Image(height=2, width=2, step=8, encoding=encoding, data=array.array("B", bytes(16)))
    assert depth_at(image, Box(0, 0, 2, 2), 2, 2) is None


def test_what_was_not_measured_does_not_count():
    depth = np.full((40, 40), np.nan, np.float32)
    box = Box(0, 0, 40, 40)
    assert median_depth(depth, box, 40, 40) is None
    depth[:, :20] = 2.0
    depth[:5, :5] = np.inf
    assert median_depth(depth, box, 40, 40) == 2.0
    assert median_depth(depth, Box(-90, -90, -50, -50), 40, 40) is None
    assert median_depth(depth, Box(3, 9, 3.2, 9.2), 40, 40) == 2.0, "smaller than a pixel"


def test_rays_follow_the_images_size():
    large = Rays.of(INFO, 1280, 960)
    assert large == Rays(1000.0, 800.0, 640.0, 480.0)
    assert large.point(640, 480, 2.0) == (0.0, 0.0, 2.0)
    broken = CameraInfo(width=640, height=480, k=[float("nan")] * 9)
    assert Rays.of(broken, 640, 480) is None


def test_depth_wins_over_the_faces_size():
    rays = Rays(500.0, 500.0, 320.0, 240.0)
    face = Box(310, 230, 330, 250)
    assert position(rays, face, None, None)[2] == pytest.approx(500 * 0.23 / 20)
    assert position(rays, face, None, 1.25) == pytest.approx((0.0, 0.0, 1.25))
    assert position(rays, None, None, 1.0) is None
