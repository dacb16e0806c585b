"""A new bag with the emotions of another one's people, and on request all it held besides."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from caer_ros.core import CaerError, InputError, PersonEmotion
from caer_ros.perception.bags.bag import Bag, RawMessage
from caer_ros.perception.bags.definitions import PEOPLE, emotion_types
from caer_ros.perception.bags.library import load_rosbags
from caer_ros.perception.bags.people_message import people_bytes
from caer_ros.perception.bags.type_text import TypeText, type_text
from caer_ros.perception.frames import Origin

EMOTIONS_TOPIC = "/emotions"
# The newest that Humble reads, too: it fails on the quality of service as version 9 writes it.
_METADATA_VERSION = 8


class EmotionBag:
    """A rosbag2 folder that appears under its name when it is whole; a context manager.

    The same messages make the same bytes, with the same name and version of rosbags: nothing of
    the machine or the time of writing goes in.

    Args:
        path: of the folder, which must not exist.
        storage: `mcap` or `sqlite3`.

    Raises:
        InputError: `path` exists or can not be written, or rosbags is not installed.
        CaerError: the definitions of caer_msgs are not installed.
    """

    def __init__(self, path: Path, storage: str) -> None:
        if path.exists():
            raise InputError(f"{path} exists already.", "Name another folder, or remove it.")
        rosbag2 = load_rosbags().rosbag2
        plugin = getattr(rosbag2.StoragePlugin, storage.upper())
        self._path = path
        self._types = emotion_types()
        self._copies: dict[int, Any] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._scratch = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        except OSError as error:
            raise InputError(
                f"{path} can not be written: {error.strerror}.", "Name another."
            ) from error
        try:
            # The files are called after their folder.
            self._writer = rosbag2.Writer(
                self._scratch / path.name, version=_METADATA_VERSION, storage_plugin=plugin
            )
            self._writer.open()
            self._emotions = self._writer.add_connection(
                EMOTIONS_TOPIC, PEOPLE, typestore=self._types
            )
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise

    def take_topics(self, bag: Bag) -> list[str]:
        """Get ready for `copy` of the bag's messages, but for those on /emotions and those of
        which the new bag could not say what they look like.

        Returns:
            One line for each topic that can not be copied.

        Raises:
            InputError: it is a bag of ROS 1.
        """
        if bag.ros == 1:
            raise InputError(
                f"{bag.path} is a bag of ROS 1, whose messages ROS 2 can not read.",
                "Leave out --copy, or convert it first with rosbags-convert.",
            )
        left_out = []
        made: dict[tuple[str, str, str], Any] = {}
        for connection in bag.connections:
            if connection.topic == EMOTIONS_TOPIC:
                left_out.append(f"{EMOTIONS_TOPIC} of {bag.path} is not copied but made anew.")
                continue
            # One topic may have several publishers, each with a connection of its own.
            key = (connection.topic, connection.msgtype, repr(connection.ext))
            if key not in made:
                text = type_text(connection, self._types)
                if text is None or self._contradicts(connection, text):
                    why = (
                        f"nothing tells what {connection.msgtype} looks like"
                        if text is None
                        else f"its {connection.msgtype} is not this version's, and a bag has room"
                        " for one"
                    )
                    left_out.append(f"{connection.topic} is not copied: {why}.")
                    continue
                made[key] = self._writer.add_connection(
                    connection.topic,
                    connection.msgtype,
                    msgdef=text.text,
                    rihs01=text.digest,
                    serialization_format=connection.ext.serialization_format,
                    offered_qos_profiles=connection.ext.offered_qos_profiles,
                )
            self._copies[connection.id] = made[key]
        return left_out

    def _contradicts(self, connection: Any, text: TypeText) -> bool:
        """Whether it is the type of /emotions, but not the same: bags keep one definition a name,
        by which such messages would be misread."""
        return connection.msgtype == PEOPLE and text.digest != self._emotions.digest

    def copy(self, message: RawMessage) -> None:
        """Append a message of the bag whose topics were taken, as it is, if its topic is copied.

        Raises:
            CaerError: the disk is full, or the like.
        """
        connection = self._copies.get(message.connection.id)
        if connection is not None:
            self._try(lambda: self._writer.write(connection, message.log_time, message.data))

    def write(self, origin: Origin, people: Sequence[PersonEmotion]) -> None:
        """Append what was found in a frame, at the log time of its image.

        Raises:
            CaerError: the disk is full, or the like.
        """
        data = people_bytes(self._types, origin, people)
        self._try(lambda: self._writer.write(self._emotions, origin.log_time, data))

    def close(self) -> None:
        """Finish the files and give the folder its name.

        Raises:
            CaerError: the disk is full, or the folder has come into being meanwhile.
        """
        try:
            self._try(self._writer.close)
            self._try(lambda: (self._scratch / self._path.name).rename(self._path))
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (OSError, sqlite3.Error) as error:
            raise CaerError(
                f"{self._path} can not be written: {error}.", "Is there enough room on the disk?"
            ) from error

    def __enter__(self) -> EmotionBag:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
            return
        with suppress(Exception):  # a full disk would only complain a second time
            self._writer.__exit__(kind, error, trace)
        shutil.rmtree(self._scratch, ignore_errors=True)
