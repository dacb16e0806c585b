"""Writing engines: whole or not at all, and one clear error where the disk is full or locked."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from caer_ros.core import EngineBuildError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_whole(path: Path, data: bytes) -> None:
    """Write under the hidden name `.NAME.part`, then rename.

    Only to be called with the folder's lock held: the partial file is then nobody else's, and one
    that a killed process left behind can be swept away.

    Raises:
        EngineBuildError: the disk is full, or the folder can not be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except OSError as error:
        remove(part)
        raise unwritable(path.parent, error, len(data)) from error
    except BaseException:
        remove(part)
        raise


def sweep_parts(folder: Path) -> None:
    """Remove what a process that was killed left half written."""
    for part in folder.glob(".*.part"):
        remove(part)


def must_be_writable(folder: Path) -> None:
    """Make the folder if need be, and write into it once.

    Raises:
        EngineBuildError: that can not be done.
    """
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
    except OSError as error:
        raise unwritable(folder, error, 1) from error
    finally:
        remove(probe)


def unwritable(folder: Path, error: OSError, size: int) -> EngineBuildError:
    """What to tell the user when `size` bytes could not be written to `folder`."""
    if error.errno in _FULL:
        return EngineBuildError(
            f"The disk is full: {size / 2**20:.1f} MiB of a TensorRT engine do not fit into"
            f" {folder}.",
            "Free some space, or set CAER_HOME to a folder on another disk.",
        )
    return EngineBuildError(
        f"TensorRT engines can not be written to {folder}: {error.strerror}.",
        "Make it writable, or set CAER_HOME to a folder that is.",
    )


def remove(path: Path) -> None:
    """Remove a file, if it is there and can be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
