"""Where overlays go: one image, a folder of images, or a video; whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import InputError


class Writer(Protocol):
    """Takes BGR frames. `wanted` is False for the one that throws them away."""

    wanted: bool

    def write(self, image: np.ndarray, name: str) -> None: ...


@contextmanager
def open_writer(path: Path | None, kind: str, fps: float) -> Iterator[Writer]:
    """A writer for a source of the given kind (see Source); None writes nothing.

    Raises:
        InputError: `path` can not be written.
    """
    if path is None:
        yield _Nowhere()
    elif kind == "image":
        yield _Image(path)
    elif kind == "folder":
        yield _Folder(path)
    else:
        with VideoWriter(path, fps) as writer:
            yield writer


class _Nowhere:
    wanted = False

    def write(self, image: np.ndarray, name: str) -> None:
        raise AssertionError("nobody asked for overlays")


class _Image:
    wanted = True

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, image: np.ndarray, name: str) -> None:
        write_image(self._path, image)


class _Folder:
    wanted = True

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_dir():
            raise InputError(f"{path} is a file.", "SOURCE is a folder, so name a folder.")
        self._path = path

    def write(self, image: np.ndarray, name: str) -> None:
        write_image(self._path / f"{Path(name).stem}.png", image)


class VideoWriter:
    """An mp4 file that appears under its name when it is whole.

    Args:
        path: ends in `.mp4`.
        fps: frames a second.
    """

    wanted = True

    def __init__(self, path: Path, fps: float) -> None:
        if path.suffix.lower() != ".mp4":
            raise InputError(f"{path} is no .mp4 file.", "Overlay videos are written as .mp4.")
        self._path = path
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".mp4")
        os.close(handle)
        self._scratch = Path(name)

    def write(self, image: np.ndarray, name: str = "") -> None:
        """Append a BGR frame; the first one decides the video's size."""
        if self._writer is None:
            self._size = (image.shape[1], image.shape[0])
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._scratch), code, self._fps, self._size)
            if not self._writer.isOpened():
                raise InputError(
                    f"OpenCV can not write {self._path}.", "Name another folder, or use --json."
                )
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size)
        self._writer.write(image)

    def close(self) -> None:
        """Finish the file and give it its name; without any frame, leave nothing."""
        if self._writer is None:
            self._scratch.unlink(missing_ok=True)
            return
        self._writer.release()
        self._writer = None
        self._scratch.chmod(0o644)
        self._scratch.replace(self._path)

    def discard(self) -> None:
        """Leave nothing."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        self._scratch.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Ctrl-C is how one ends a camera; any other end is too early.
        if kind is not None and issubclass(kind, Exception):
            self.discard()
        else:
            self.close()


def write_image(path: Path, image: np.ndarray) -> None:
    """Write a BGR image in the format of the name's ending, whole or not at all.

    Raises:
        InputError: OpenCV knows no such format, or the folder can not be written.
    """
    try:
        ok, data = cv2.imencode(path.suffix.lower(), image)
    except cv2.error:
        ok = False
    if not ok:
        raise InputError(f"{path}: no image format ends in '{path.suffix}'.", "Use .png or .jpg.")
    try:
        write_atomically(path, data.tobytes())
    except OSError as error:
        raise InputError(
            f"{path} can not be written: {error.strerror}.", "Name another."
        ) from error
