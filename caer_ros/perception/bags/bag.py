"""A bag opened for reading: its topics, and their messages as they were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caer_ros.core import InputError
from caer_ros.perception.bags.library import load_rosbags, standard_types

_ENDINGS = (".bag", ".mcap", ".db3", ".mcap.zstd", ".db3.zstd")
_MCAP_MAGIC = b"\x89MCAP0\r\n"


def is_bag(path: Path) -> bool:
    """Whether it is a ROS 1 or ROS 2 bag by its name, or a ROS 2 bag's folder, whole or not."""
    if path.is_dir():
        return (path / "metadata.yaml").is_file() or bool(_files_in(path))
    return path.name.lower().endswith(_ENDINGS)


@dataclass(frozen=True)
class RawMessage:
    """One message: its connection (rosbags'), log time in nanoseconds, and serialised bytes."""

    connection: Any
    log_time: int
    data: bytes


class Bag:
    """An open bag.

    Attributes:
        path: the folder, or the file where it is read alone.
        ros: 1 or 2.
        storage: `mcap` or `sqlite3`; of ROS 1 bags `mcap`, because nothing of ROS 2 writes theirs.
        connections: of rosbags: topic, message type, definition.
    """

    def __init__(self, path: Path, ros: int, storage: str, reader: Any) -> None:
        self.path = path
        self.ros = ros
        self.storage = storage
        self.connections: list[Any] = list(reader.connections)
        self._reader = reader
        self._types = reader if ros == 1 else standard_types()

    @classmethod
    def open(cls, path: Path) -> Bag:
        """Open a bag's folder, or one file; of a bag of several files the whole is read.

        Raises:
            InputError: rosbags is not installed, or the bag is damaged, was not ended properly or
                is no bag.
        """
        rosbags = load_rosbags()
        if (path.parent / "metadata.yaml").is_file():
            path = path.parent
        files = _files_in(path) if path.is_dir() else [path]
        _check_ended(path, files)
        ros = 1 if path.suffix.lower() == ".bag" else 2
        try:
            reader = (
                rosbags.highlevel.AnyReader([path]) if ros == 1 else rosbags.rosbag2.Reader(path)
            )
            reader.open()
        except Exception as error:  # rosbags raises one kind a storage format
            raise InputError(
                f"{path} is no bag that can be read: {_line(error)}.",
                "Where it is damaged or cut short, copy or record it again.",
            ) from error
        sqlite = any(".db3" in file.suffixes for file in files)
        return cls(path, ros, "sqlite3" if sqlite else "mcap", reader)

    def messages(self, connections: Sequence[Any]) -> Iterator[RawMessage]:
        """The messages of some connections, in the order of their log times.

        Raises:
            InputError: the bag is damaged.
        """
        found = self._reader.messages(connections=connections)
        while True:
            try:
                connection, log_time, data = next(found)
            except StopIteration:
                return
            except Exception as error:  # rosbags raises one kind a storage format
                raise InputError(
                    f"{self.path} is damaged: {_line(error)}.", "Record or copy it again."
                ) from error
            yield RawMessage(connection, log_time, data)

    def deserialize(self, message: RawMessage) -> Any:
        """A message of one of ROS's own types, its fields as attributes.

        Raises:
            InputError: its bytes are no such message.
        """
        kind = message.connection.msgtype
        try:
            if self.ros == 1:
                return self._types.deserialize(message.data, kind)
            return self._types.deserialize_cdr(message.data, kind)
        except Exception as error:  # SerdeError, but also what numpy says of bytes that are missing
            raise InputError(
                f"{self.path}: a message on {message.connection.topic} is damaged: {_line(error)}.",
                "Record the bag again.",
            ) from error

    def close(self) -> None:
        """Close the files."""
        self._reader.close()


def _files_in(folder: Path) -> list[Path]:
    # Not .bag: a folder of ROS 1 bags is not one recording.
    endings = _ENDINGS[1:]
    return sorted(p for p in folder.iterdir() if p.name.lower().endswith(endings))


def _check_ended(path: Path, files: list[Path]) -> None:
    """Raise InputError if the recorder did not come to its end."""
    if path.is_dir() and not (path / "metadata.yaml").is_file():
        raise InputError(
            f"{path} has no metadata.yaml: the recording was not ended properly.",
            f"Run `ros2 bag reindex {path}`, or name its file {files[0].name}.",
        )
    for file in files:
        if file.suffix == ".mcap" and file.is_file() and not _ends_as_mcap(file):
            raise InputError(
                f"{file} is cut short: the recording was not ended properly.",
                f"Run `mcap recover {file.name} -o whole.mcap` and name the new file.",
            )
        log = file.with_name(file.name + "-wal")
        if log.is_file() and log.stat().st_size:
            raise InputError(
                f"{file} lacks what is in {log.name}: the recording was not ended properly.",
                f"Run `sqlite3 {file.name} 'pragma wal_checkpoint'` and try again.",
            )


def _ends_as_mcap(file: Path) -> bool:
    with file.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - len(_MCAP_MAGIC)))
        return stream.read() == _MCAP_MAGIC


def _line(error: Exception) -> str:
    """What an error says, in one line without a full stop."""
    return " ".join((str(error) or type(error).__name__).split()).rstrip(".")
