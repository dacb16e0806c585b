"""Opening pictures and videos to the last byte, and taking chosen frames out of videos.

Frames are uint8 [height, width, 3], BGR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from caer_ros.core import InputError

_REMEDY = "It may be damaged: replace or delete it."


@dataclass(frozen=True)
class VideoFacts:
    """What a video's header promises: frames (0 where it does not say), frames a second, pixels."""

    frames: int
    fps: float
    width: int
    height: int


def read_facts(path: Path) -> VideoFacts:
    """The header of a video.

    Raises:
        InputError: OpenCV can not open it, or it has no usable frame rate.
    """
    capture = _open(path)
    try:
        facts = VideoFacts(
            max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0),
            float(capture.get(cv2.CAP_PROP_FPS)),
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )
    finally:
        capture.release()
    if not 0 < facts.fps < 1000:
        raise InputError(f"{path} says it has {facts.fps} frames a second.", _REMEDY)
    return facts


def iterate_video(path: Path) -> Iterator[np.ndarray]:
    """Every frame of a video in order.

    Raises:
        InputError: it can not be opened or holds no frame.
    """
    capture = _open(path)
    try:
        got = False
        while True:
            more, frame = capture.read()
            if not more:
                break
            got = True
            yield frame
    finally:
        capture.release()
    if not got:
        raise InputError(f"{path} holds no readable frame.", _REMEDY)


def read_video_frames(path: Path, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
    """The frames of these indices (never falling; repeats are the same array).

    Decodes from the start: seeking is not exact in every container.

    Raises:
        InputError: the video is damaged or shorter than the last index.
    """
    wanted = [int(index) for index in indices]
    taken: dict[int, np.ndarray] = {}
    needed = set(wanted)
    for index, frame in enumerate(iterate_video(path)):
        if index in needed:
            taken[index] = frame
        if len(taken) == len(needed):
            break
    if len(taken) < len(needed):
        raise InputError(f"{path} ends before frame {max(wanted)}.", _REMEDY)
    return [taken[index] for index in wanted]


def _open(path: Path) -> cv2.VideoCapture:
    if not path.is_file():
        raise InputError(f"{path} does not exist.", "Check the path.")
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise InputError(f"{path} is no video that OpenCV can read.", _REMEDY)
    return capture
