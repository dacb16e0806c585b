"""The real node sees the same person in every encoding and by both transports."""

from __future__ import annotations

from array import array

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time as Stamp
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

SIDE = 512  # of the photograph


def yuyv(bgr: np.ndarray) -> tuple[bytes, int]:
    """Rows of two bytes a pixel, and their step."""
    yuv = planes(bgr)
    rows = np.stack([yuv[..., 0], np.where(np.arange(SIDE) % 2, yuv[..., 2], yuv[..., 1])], -1)
    return rows.tobytes(), 2 * SIDE


def nv12(bgr: np.ndarray) -> tuple[bytes, int]:
    yuv = planes(bgr)
    return yuv[..., 0].tobytes() + yuv[::2, ::2, 1:].tobytes(), SIDE


def planes(bgr: np.ndarray) -> np.ndarray:
    """ITU-R BT.601 in limited range: uint8 [h, w, 3], Y, U and V."""
    tall = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    half = tall[SIDE:].reshape(2, SIDE // 2, SIDE // 2)
    colour = [plane.repeat(2, 0).repeat(2, 1) for plane in half]
    return np.stack([tall[:SIDE], *colour], -1)


def mosaic(bgr: np.ndarray) -> tuple[bytes, int]:
    """As a camera with the filter rggb sees it."""
    rows = bgr[..., 1].copy()
    rows[::2, ::2], rows[1::2, 1::2] = bgr[::2, ::2, 2], bgr[1::2, 1::2, 0]
    return rows.tobytes(), SIDE


def big_endian(bgr: np.ndarray) -> tuple[bytes, int]:
    return (bgr.astype(">u2") * 257).astype(">u2").tobytes(), 6 * SIDE


def face(array_of_people) -> np.ndarray:
    """Corners of the one face there is."""
    assert array_of_people is not None
    (person,) = array_of_people.people
    box = person.face_box
    return np.array([box.x_min, box.y_min, box.x_max, box.y_max])


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("yuv422_yuy2", yuyv), ("nv12", nv12), ("bayer_rggb8", mosaic), ("bgr16", big_endian)],
)
def test_the_same_face_is_found_in_every_encoding(running, astronaut, encoding, pack):
    expected = face(running.probe.ask(astronaut))
    data, step = pack(astronaut)
    message = Image(
        height=SIDE,
        width=SIDE,
        encoding=encoding,
        is_bigendian=True,  # counts where there are 16 bits
        step=step,
        data=array("B", data),
    )
    assert np.allclose(face(running.probe.ask(message)), expected, atol=6)


def test_compressed_images_are_answered_and_cut_ones_are_counted(stage, astronaut):
    topic = "/camera/image_raw/compressed"
    camera = stage.probe.node.create_publisher(CompressedImage, topic, 5)
    node = stage.node(image_transport="compressed")
    assert stage.probe.until(lambda: camera.get_subscription_count() == 1, 30.0), node.output
    done, jpeg = cv2.imencode(".jpg", astronaut)
    assert done

    def answered(sec: int) -> bool:
        """Is it within 15 s? The first ones may come before the two know each other."""
        header = Header(stamp=Stamp(sec=sec), frame_id="cam")
        message = CompressedImage(header=header, format="jpeg", data=array("B", jpeg.tobytes()))
        for _ in range(15):
            camera.publish(message)
            if stage.probe.until(
                lambda: any(found.header == header for found in stage.probe.arrays), 1.0
            ):
                return True
        return False

    assert answered(1), node.output
    left, top, right, bottom = face(stage.probe.arrays[-1])
    assert left < 226 < right
    assert top < 118 < bottom
    stage.probe.spin(0.5)
    camera.publish(CompressedImage(format="jpeg", data=array("B", jpeg.tobytes()[:-500])))
    assert stage.probe.until(lambda: "cut short" in node.output, 10.0), node.output
    assert answered(2), node.output
    assert stage.probe.values("frames")["failed"] == "1"
