"""Cuts a video into shots, and long shots into pieces (CAER-Net section 4.1, Fig. 5)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
from tqdm import tqdm

from caer_ros.datasets.media import iterate_video

# The library, too, looks at frames of about this width; colours need no more.
_WIDTH = 256


@dataclass(frozen=True, order=True)
class Span:
    """Frames `start` to `end - 1` of a video."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def find_shots(path: Path, fps: float) -> list[Span]:
    """The shots of a video in order, by PySceneDetect's adaptive detector with its defaults.

    It compares each frame's change of colour with that of its neighbours, so that a fast pan is no
    cut. A shot has at least 15 frames.

    Raises:
        InputError: the video can not be read.
    """
    from scenedetect import AdaptiveDetector, FrameTimecode

    # Fed by hand: the library's own reader numbers frames by their time stamps, which in videos
    # that do not start at 0 or lose frames is not the place at which they are read.
    detector = AdaptiveDetector()
    cuts: list[int] = []
    number = 0
    for frame in tqdm(iterate_video(path), f"shots {path.stem}", unit="frame", disable=None):
        height = max(1, round(frame.shape[0] * _WIDTH / frame.shape[1]))
        small = cv2.resize(frame, (_WIDTH, height), interpolation=cv2.INTER_AREA)
        found = detector.process_frame(FrameTimecode(number, fps), small)
        cuts += [int(cut.frame_num) for cut in found]
        number += 1
    found = detector.post_process(FrameTimecode(number - 1, fps))
    cuts += [int(cut.frame_num) for cut in found]
    return [Span(start, end) for start, end in pairwise([0, *cuts, number])]


def cut_pieces(shot: Span, fps: float, least: float, most: float) -> list[Span]:
    """Equal pieces of a shot, each of `least` to `most` seconds; none of a shot that is shorter.

    Raises:
        ValueError: unless 0 < 2 least <= most: else some shots could not be cut.
    """
    if not 0 < 2 * least <= most:
        raise ValueError(f"least {least} s must be positive and at most half of most {most} s")
    if shot.length < least * fps:
        return []
    parts = max(1, -int(-shot.length // (most * fps)))
    edges = [shot.start + shot.length * i // parts for i in range(parts + 1)]
    return [Span(a, b) for a, b in pairwise(edges)]
