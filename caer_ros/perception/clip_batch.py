"""The inputs of one run of a network of clips: several people's clips, out of several scenes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from caer_ros.perception.clip_buffer import ClipBuffer
from caer_ros.perception.clip_config import ClipConfig
from caer_ros.perception.scene import Scene

# People a run; of more, the rest takes another. Each costs 25 MB (OpenVINO) to 40 MB (ONNX Runtime)
# while it runs, measured; a tenth more time is the price of running the scene's stream twice.
MOST = 8


class Due(NamedTuple):
    """A person (an id) whose clip is due, and the scene that it ends with."""

    scene: Scene
    clips: ClipBuffer
    person: str


class ClipBatch:
    """Holds the buffers, which are made once and filled anew for each run."""

    def __init__(self, clip: ClipConfig) -> None:
        shape = (MOST, clip.frames)
        self._faces = np.zeros((*shape, clip.face_size, clip.face_size, 3), np.uint8)
        self._contexts = np.zeros((*shape, clip.context_size, clip.context_size, 3), np.uint8)
        self._scene = np.zeros(MOST, np.int64)

    def fill(self, due: Sequence[Due]) -> tuple[dict[str, np.ndarray], list[Scene]]:
        """Gather the clips of at most MOST people; those of one scene stand side by side.

        Returns:
            The network's inputs, views of the buffers: face uint8 [people, frames, size, size, 3]
            in the order of `due`, context uint8 [scenes, frames, size, size, 3], scene int64
            [people]; and the scenes in the order of contexts.
        """
        scenes, row = [], 0
        for place, (_, group) in enumerate(groupby(due, key=lambda each: id(each.scene))):
            people = list(group)
            end = row + len(people)
            names = [each.person for each in people]
            people[0].clips.gather(names, self._faces[row:end], self._contexts[place])
            self._scene[row:end] = place
            scenes.append(people[0].scene)
            row = end
        return self.arrays(row, len(scenes)), scenes

    def arrays(self, people: int, scenes: int = 1) -> dict[str, np.ndarray]:
        """The network's inputs as they stand, for so many people and scenes."""
        return {
            "face": self._faces[:people],
            "context": self._contexts[:scenes],
            "scene": self._scene[:people],
        }
