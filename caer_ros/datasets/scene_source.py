"""Synthetic scenes as training and test see them: drawn when asked for, never stored."""

from __future__ import annotations

import numpy as np

from caer_ros.core import Box, InputError
from caer_ros.datasets.cuts import CENTRE, Choice, Cut, choose, cut_context, cut_face
from caer_ros.datasets.examples import Example
from caer_ros.datasets.scenes import Scene, SceneControls, SceneStream


class SceneSource:
    """The first `count` scenes of a stream; see `Source`.

    Args:
        seed, split, controls: of the stream.
        count: samples.
        cut: sizes and switches.
        frames: of a clip, at least 16; 0 gives stills.

    Raises:
        InputError: there is no sample.
    """

    def __init__(
        self, seed: int, split: str, controls: SceneControls, count: int, cut: Cut, frames: int = 0
    ) -> None:
        if count < 1:
            raise InputError(f"The {split} split has {count} scenes.", "Ask for at least one.")
        self._stream, self._cut, self._frames = SceneStream(seed, split, controls), cut, frames
        specs = [self._stream.spec(index) for index in range(count)]
        self.labels = np.array([spec.label_index for spec in specs], np.int64)
        self.present = np.ones(count, bool)

    def __len__(self) -> int:
        return len(self.labels)

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        """See Source: scenes do not change, their cuts do."""
        return self._example(index, choose(self._cut, rng))

    def views(self, index: int) -> list[Example]:
        """See Source: one view."""
        return [self._example(index, CENTRE)]

    def picture(self, index: int) -> tuple[np.ndarray, Box | None, list[Box]]:
        """The whole still, uint8 BGR [H, W, 3], the subject's face and all faces."""
        scene = self._stream.scene(index)
        return scene.image, scene.faces[0], list(scene.faces)

    def _example(self, index: int, choice: Choice) -> Example:
        label = int(self.labels[index])
        if not self._frames:
            return Example(*self._cut_scene(self._stream.scene(index), choice), label)
        clip = self._stream.clip(index, self._frames)
        pairs = [self._cut_scene(scene, choice) for scene in clip.scenes]
        return Example(np.stack([f for f, _ in pairs]), np.stack([c for _, c in pairs]), label)

    def _cut_scene(self, scene: Scene, choice: Choice) -> tuple[np.ndarray, np.ndarray]:
        face = cut_face(scene.image, scene.faces[0], self._cut, choice)
        return face, cut_context(scene.image, scene.faces, self._cut, choice)
