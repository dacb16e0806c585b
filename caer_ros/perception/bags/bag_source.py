"""The images of a bag as a source of frames, with the stamps of their headers."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from caer_ros.core import InputError
from caer_ros.perception.bags.bag import Bag, RawMessage
from caer_ros.perception.bags.picture import COMPRESSED, RAW, picture
from caer_ros.perception.frames import Frame, Origin, Source
from caer_ros.perception.pixel_reader import PixelReader

_DEFAULT_FPS = 15.0
# Messages whose stamps tell the rate: more would only take time.
_LOOKED_AT = 30


class BagSource(Source):
    """The images of one topic of a bag, in the order of the recording.

    Attributes:
        bag: where they are from.
        topic: of the images.
        skipped: called with the error of an image that can not be read, which is then left out; not
            for the first one. None, as at first: the error is raised.
        passed_on: called with every message of the bag, of whatever topic, just before its frame
            is handed out. None, as at first: only images are read.
    """

    def __init__(self, bag: Bag, chosen: list[Any]) -> None:
        self.bag = bag
        self.topic: str = chosen[0].topic
        self.skipped: Callable[[InputError], None] | None = None
        self.passed_on: Callable[[RawMessage], None] | None = None
        count = sum(connection.msgcount for connection in chosen)
        super().__init__("bag", _rate(bag, chosen), count, self._read(chosen))

    @classmethod
    def open(cls, path: Path, topic: str = "") -> BagSource:
        """Open a bag.

        Args:
            topic: of sensor_msgs/Image or CompressedImage; empty: the only such topic.

        Raises:
            InputError: rosbags is not installed, the bag can not be read, or it has no such topic
                or several.
        """
        bag = Bag.open(path)
        try:
            return cls(bag, _choose(bag, topic))
        except BaseException:
            bag.close()
            raise

    def _read(self, chosen: list[Any]) -> Iterator[Frame]:
        try:
            wanted = self.bag.connections if self.passed_on else chosen
            pixels = PixelReader()
            index = read = 0
            for message in self.bag.messages(wanted):
                if self.passed_on:
                    self.passed_on(message)
                if message.connection not in chosen:
                    continue
                try:
                    yield _frame(self.bag, message, index, pixels)
                    read += 1
                except InputError as error:
                    if not read or self.skipped is None:
                        raise
                    self.skipped(error)
                index += 1
            if not index:
                raise InputError(
                    f"{self.bag.path} has no image on {self.topic}, though it counts {self.count}.",
                    "It is damaged: record or copy it again.",
                )
        finally:
            self.bag.close()


def _frame(bag: Bag, message: RawMessage, index: int, pixels: PixelReader) -> Frame:
    name = f"{message.connection.topic}#{index}"
    content = bag.deserialize(message)
    header = content.header
    try:
        image = picture(content, message.connection.msgtype, pixels)
    except InputError as error:
        raise InputError(f"{bag.path}, {name}: {error}") from error
    stamp = header.stamp
    origin = Origin(stamp.sec, stamp.nanosec, header.frame_id, message.log_time)
    return Frame(image, name, stamp.sec + stamp.nanosec * 1e-9, origin)


def _choose(bag: Bag, topic: str) -> list[Any]:
    pictures = [c for c in bag.connections if c.msgtype in (RAW, COMPRESSED) and c.msgcount]
    there = sorted({c.topic for c in pictures})
    if topic and topic not in there:
        raise InputError(
            f"{bag.path} has no images on {topic} (it has {', '.join(there) or 'none at all'}).",
            "Name another --topic.",
        )
    if not there:
        raise InputError(f"{bag.path} has no images.", "Record a topic of sensor_msgs/Image.")
    if not topic and len(there) > 1:
        raise InputError(
            f"{bag.path} has images on {', '.join(there)}.", "Choose one with --topic."
        )
    return [c for c in pictures if c.topic == (topic or there[0])]


def _rate(bag: Bag, chosen: list[Any]) -> float:
    """Frames a second, by the stamps of the first ones: their median, because a gap is no rate."""
    stamps = []
    for message in islice(bag.messages(chosen), _LOOKED_AT):
        try:
            stamp = bag.deserialize(message).header.stamp
        except InputError:
            continue
        stamps.append(stamp.sec * 10**9 + stamp.nanosec)
    steps = [b - a for a, b in pairwise(stamps) if b > a]
    rate = 1e9 / statistics.median(steps) if steps else _DEFAULT_FPS
    # MPEG-4 counts in at most 1/65535 second, so that more digits can not be written.
    return round(rate, 2) if 0.1 <= rate <= 600 else _DEFAULT_FPS
