"""The clips that models are compared on: videos of a folder, or scenes drawn for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from caer_ros.core import Box, InputError
from caer_ros.datasets.scenes import SceneStream
from caer_ros.datasets.scenes.spec import CLIP, FPS
from caer_ros.evaluation.motion.footage import Footage, footage_of


class Clips(Protocol):
    """Labelled clips, such as `clip_answers.Videos`; `labels` int64 [N]."""

    labels: np.ndarray

    def __len__(self) -> int: ...

    def frames(
        self, index: int, rate: float, least: int
    ) -> Sequence[tuple[np.ndarray, Sequence[Box]]]:
        """uint8 BGR frames, `rate` a second and at least `least`, each with its faces, the person's
        first."""
        ...


class DrawnClips:
    """The first `count` scenes of a stream as clips; see Clips.

    Args:
        stream: of scenes.
        count: clips.

    Raises:
        InputError: there is no clip.
    """

    def __init__(self, stream: SceneStream, count: int) -> None:
        if count < 1:
            raise InputError(
                f"The {stream.split} split has {count} scenes.", "Ask for at least one."
            )
        self._stream = stream
        self.labels = np.array([stream.spec(k).label_index for k in range(count)], np.int64)

    def __len__(self) -> int:
        return len(self.labels)

    def frames(
        self, index: int, rate: float, least: int
    ) -> list[tuple[np.ndarray, tuple[Box, ...]]]:
        """See Clips.

        Raises:
            InputError: scenes are not drawn at this rate.
        """
        if rate != FPS:
            raise InputError(
                f"The clip model takes {rate:g} frames a second, and scenes have {FPS:g}.",
                "Give a folder of videos.",
            )
        clip = self._stream.clip(index, max(least, CLIP))
        return [(scene.image, scene.faces) for scene in clip.scenes]


def spread(labels: np.ndarray, most: int) -> list[int]:
    """Places of up to `most` clips, in turns one of each label, evenly spread over the label's."""
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    share = -(-most // len(groups))
    picked = [
        group[np.linspace(0, len(group) - 1, min(share, len(group))).round().astype(int)]
        for group in groups
    ]
    turns = [int(g[k]) for k in range(share) for g in picked if k < len(g)]
    return turns[:most]


def open_footage(clips: Clips, index: int, rate: float, frames: int) -> Footage:
    """The first `frames` of a clip; shorter ones are played again from their start.

    Raises:
        InputError: it can not be read, or nobody's face is in it.
    """
    return footage_of(clips.frames(index, rate, frames)[:frames])
