"""A lock between processes that the kernel releases, however its holder ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from caer_ros.core import EngineBuildError

_POLL_S = 0.2


class LockFile:
    """An open lock file; what its holder says in it, those who wait read."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def say(self, text: str) -> None:
        """Tell those who wait how far it is."""
        data = f"process {os.getpid()}: {text}\n".encode()
        os.pwrite(self._handle, data, 0)
        os.ftruncate(self._handle, len(data))

    def hear(self) -> str:
        """What the holder said last."""
        return os.pread(self._handle, 1000, 0).decode(errors="replace").strip()


@contextmanager
def held(path: Path, waiting: Callable[[str, float], None]) -> Iterator[LockFile]:
    """Hold the lock `path`, waiting for it as long as it takes.

    The file stays behind: removing it would let two processes lock two files of one name.

    Args:
        waiting: told some times a second what the holder said last and how many seconds the wait
            has lasted; what it raises ends the wait.

    Raises:
        OSError: the file can not be made.
        EngineBuildError: the file system has no locks.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        lock = LockFile(handle)
        start = time.monotonic()
        while not _try(handle):
            waiting(lock.hear(), time.monotonic() - start)
            time.sleep(_POLL_S)
        yield lock
    finally:
        os.close(handle)  # releases it too


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise EngineBuildError(
            f"The folder of engines is on a file system without locks: {error.strerror}.",
            "Set CAER_HOME to a folder on a local disk.",
        ) from error
    return True
