"""Writes spans of a video as clips of their own: motion JPEG in .avi, whole or not at all.

It copies no sound: annotation sheets name the source video and its time, where the sound is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from caer_ros.core import CaerError
from caer_ros.datasets.media import VideoFacts, iterate_video
from caer_ros.datasets.shots import Span

SUFFIX = ".avi"
_RATE_TOLERANCE = 0.005


def clip_size(facts: VideoFacts, height: int) -> tuple[int, int]:
    """Width and height of a source's clips: at most `height` rows, even sides for the encoder."""
    scale = min(1.0, height / facts.height)
    return 2 * round(facts.width * scale / 2), 2 * round(facts.height * scale / 2)


def clip_rate(fps: float) -> float:
    """Frames a second of the clips of a source of `fps`.

    OpenCV's own encoder loses half as much as FFmpeg at its default, but knows whole rates only:
    23.976 becomes 24; 12.5 stays, through FFmpeg.
    """
    whole = float(round(fps))
    return whole if abs(whole - fps) < _RATE_TOLERANCE * fps else fps


def write_clips(
    source: Path, facts: VideoFacts, clips: Mapping[str, Span], folder: Path, height: int
) -> None:
    """Write `folder`/NAME.avi for every clip that is not there yet; spans must not overlap.

    Args:
        height: rows of the clip, where the source has more.

    Raises:
        InputError: the source can not be read.
        CaerError: OpenCV can not write there.
    """
    missing = sorted(
        (span, folder / f"{name}{SUFFIX}")
        for name, span in clips.items()
        if not (folder / f"{name}{SUFFIX}").is_file()
    )
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    size = clip_size(facts, height)
    writer: _Clip | None = None
    try:
        for index, frame in enumerate(iterate_video(source)):
            if writer is None and missing and index == missing[0][0].start:
                writer = _Clip(missing[0][1], facts.fps, size)
            if writer is not None:
                writer.write(frame)
                if index == missing[0][0].end - 1:
                    writer.finish()
                    writer = None
                    missing.pop(0)
        if writer is not None:  # the video ended before the shot's last frame, by rounding
            writer.finish()
            writer = None
    finally:
        if writer is not None:
            writer.discard()


class _Clip:
    """One clip under way, under a temporary name."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        self._path = path
        self._scratch = path.with_name(f".{path.stem}.part{SUFFIX}")
        self._size = size
        code = cv2.VideoWriter.fourcc(*"MJPG")
        rate = clip_rate(fps)
        backend = cv2.CAP_OPENCV_MJPEG if rate == round(rate) else cv2.CAP_ANY
        self._writer = cv2.VideoWriter(str(self._scratch), backend, code, rate, size)
        if not self._writer.isOpened():
            raise CaerError(f"OpenCV can not write {path}.", "Check the folder and the disk.")

    def write(self, frame: np.ndarray) -> None:
        if (frame.shape[1], frame.shape[0]) != self._size:
            frame = cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA)
        self._writer.write(frame)

    def finish(self) -> None:
        self._writer.release()
        os.replace(self._scratch, self._path)

    def discard(self) -> None:
        self._writer.release()
        self._scratch.unlink(missing_ok=True)
