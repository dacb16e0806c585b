"""Image messages of every kind, read as the worker reads them; cv_bridge where it alone knows."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from types import ModuleType

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

from caer_ros.core import InputError
from caer_ros.perception.pixel_reader import PixelReader
from caer_ros.ros import cv_bridge_reader
from caer_ros.ros.image_messages import read_message

BGR = np.random.default_rng(1).integers(0, 256, (24, 40, 3), np.uint8)


def raw(rows: np.ndarray, encoding: str, big_endian: bool = False) -> Image:
    height, width = rows.shape[:2]
    data = array("B", rows.tobytes())
    return Image(
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=big_endian,
        step=len(data) // height,
        data=data,
    )


def compressed(suffix: str, image: np.ndarray, form: str) -> CompressedImage:
    done, data = cv2.imencode(suffix, image)
    assert done
    return CompressedImage(format=form, data=array("B", data.tobytes()))


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """What was found of cv_bridge is forgotten before and after each test."""
    cv_bridge_reader._bridge.cache_clear()
    yield
    cv_bridge_reader._bridge.cache_clear()


def test_a_raw_image_is_seen_where_it_lies():
    message = raw(BGR, "bgr8")
    image, encoding = read_message(message, PixelReader())
    assert encoding == "bgr8"
    assert np.array_equal(image, BGR)
    assert np.shares_memory(image, np.frombuffer(message.data, np.uint8))


def test_the_byte_order_of_the_message_counts():
    grey = np.arange(24 * 40, dtype=np.uint16).reshape(24, 40) * 60
    for order, big_endian in (("<u2", False), (">u2", True)):
        message = raw(grey.astype(order), "mono16", big_endian)
        image, encoding = read_message(message, PixelReader())
        assert encoding == "mono8"
        assert np.array_equal(image, np.rint(grey / 257))


def test_compressed_images_are_decoded():
    image, encoding = read_message(compressed(".png", BGR, "png"), PixelReader())
    assert encoding == "bgr8"
    assert np.array_equal(image, BGR)
    jpeg = compressed(".jpg", BGR, "bgr8; jpeg compressed bgr8")
    assert read_message(jpeg, PixelReader())[0].shape == (24, 40, 3)
    with pytest.raises(InputError, match="cut short"):
        read_message(CompressedImage(format="jpeg", data=jpeg.data[:-50]), PixelReader())


def test_the_first_image_stays_as_it_is_until_the_same_reader_reads_another():
    grey = np.full((24, 40), 257, np.uint16)
    reader = PixelReader()
    first, _ = read_message(raw(grey, "mono16"), reader)
    read_message(raw(9 * grey, "mono16"), PixelReader())
    assert (first == 1).all()
    read_message(raw(9 * grey, "mono16"), reader)
    assert (first == 9).all()


class Bridge:
    """A cv_bridge that knows one encoding more than we do."""

    answer: object = BGR

    def imgmsg_to_cv2(self, message: Image, desired: str) -> object:
        assert desired == "bgr8"
        if message.encoding != "vendor_10":
            raise TypeError(f"Unrecognized image encoding [{message.encoding}]")
        return self.answer


@pytest.fixture
def bridge(monkeypatch) -> type[Bridge]:
    module = ModuleType("cv_bridge")
    module.CvBridge = Bridge  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv_bridge", module)
    monkeypatch.setattr(Bridge, "answer", BGR)
    return Bridge


def test_what_only_cv_bridge_knows_is_read_by_it(bridge):
    image, encoding = read_message(raw(BGR, "vendor_10"), PixelReader())
    assert encoding == "bgr8"
    assert np.array_equal(image, BGR)


@pytest.mark.parametrize("encoding", ["bgr8", "mono16", "16UC1"])
def test_what_we_know_never_goes_through_cv_bridge(bridge, monkeypatch, encoding):
    monkeypatch.setattr(bridge, "imgmsg_to_cv2", lambda *_: pytest.fail("asked cv_bridge"))
    message = raw(np.zeros((24, 40, 6 if encoding == "bgr8" else 2), np.uint8), encoding)
    if encoding == "16UC1":
        with pytest.raises(InputError, match="depth"):
            read_message(message, PixelReader())
    else:
        assert read_message(message, PixelReader())[0].shape[:2] == (24, 40)


@pytest.mark.parametrize(
    ("answer", "encoding", "complaint"),
    [
        (BGR, "yuv9", "Unrecognized image encoding"),
        (BGR[..., 0], "vendor_10", "which is not bgr8"),
        (BGR.astype(np.float32), "vendor_10", "which is not bgr8"),
        (None, "vendor_10", "which is not bgr8"),
    ],
)
def test_what_cv_bridge_can_not_read_is_an_input_error(
    bridge, monkeypatch, answer, encoding, complaint
):
    monkeypatch.setattr(bridge, "answer", answer)
    with pytest.raises(InputError, match=complaint) as caught:
        read_message(raw(BGR, encoding), PixelReader())
    assert encoding in str(caught.value)


def test_without_cv_bridge_the_encodings_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", None)  # as if it were not installed
    with pytest.raises(InputError, match=r"'yuv9'.*cv_bridge is not installed.*nv12"):
        read_message(raw(BGR, "yuv9"), PixelReader())


def test_a_cv_bridge_that_was_built_for_another_numpy_is_told(monkeypatch):
    class Broken(ModuleType):
        @property
        def CvBridge(self) -> None:
            raise AttributeError("_ARRAY_API not found")

    monkeypatch.setitem(sys.modules, "cv_bridge", Broken("cv_bridge"))
    with pytest.raises(InputError, match="fails to load"):
        read_message(raw(BGR, "yuv9"), PixelReader())
    assert read_message(raw(BGR, "bgr8"), PixelReader())[1] == "bgr8"


def test_a_size_out_of_range_never_reaches_cv_bridge(bridge):
    with pytest.raises(InputError, match="0x0"):
        read_message(Image(encoding="vendor_10"), PixelReader())
