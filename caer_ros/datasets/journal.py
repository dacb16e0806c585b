"""A file of JSON lines that long work appends to and picks up again after a kill.

The first line says what the work is; a journal of other work is refused. A row is there wholly or
not at all: a last line cut short by a kill is dropped when the journal is opened again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from caer_ros.core import InputError


class Journal:
    """An open journal: the rows that were there, and a way to append more. A context manager.

    Args:
        path: the file; made with its folder where it does not exist.
        header: what the work is, comparable as JSON.

    Raises:
        InputError: the file is of other work or no journal, or another process is writing it.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream: BinaryIO = path.open("ab+")
        try:
            self._lock()
            self.rows = self._recover(json.loads(json.dumps(header)))
        except BaseException:
            self._stream.close()
            raise

    def append(self, row: dict[str, Any]) -> None:
        """Add a row; it survives a kill of this process from here on."""
        self._stream.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        self._stream.flush()
        self.rows.append(row)

    def close(self) -> None:
        """Bring everything to the disk and let others write."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{self.path} is being written by another process.", "Wait for it, or stop it."
            ) from None

    def _recover(self, header: dict[str, Any]) -> list[dict[str, Any]]:
        self._stream.seek(0)
        data = self._stream.read()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            self._stream.truncate(len(whole))
        if not whole:
            self._stream.write(json.dumps(header).encode() + b"\n")
            self._stream.flush()
            return []
        first, *rows = _parse(self.path, whole)
        if first != header:
            raise InputError(
                f"{self.path} was made with other settings ({_differences(first, header)}).",
                "Repeat those settings, name another file or folder, or delete it.",
            )
        return rows


def read_journal(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Header and whole rows of a journal, without locking it.

    Raises:
        InputError: it can not be read or is no journal.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror}.", "Check the path.") from error
    lines = _parse(path, data[: data.rfind(b"\n") + 1])
    if not lines:
        raise InputError(f"{path} is empty.", "Make it again.")
    return lines[0], lines[1:]


def _parse(path: Path, data: bytes) -> list[dict[str, Any]]:
    return list(_objects(path, data))


def _objects(path: Path, data: bytes) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise InputError(f"{path} line {number} is no JSON object.", "Delete it; start anew.")
        yield value


def _differences(old: dict[str, Any], new: dict[str, Any]) -> str:
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return ", ".join(f"{key} {old.get(key)} instead of {new.get(key)}" for key in keys)
