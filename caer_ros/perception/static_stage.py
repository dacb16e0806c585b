"""CAER-Net-S as a step of the pipeline: everybody with a face, of all cameras, in one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import Box, EmotionEstimate, PersonEmotion
from caer_ros.engines.trt.profile import FRAMES, ROWS
from caer_ros.perception.caer_static import CaerStatic
from caer_ros.perception.pipeline_config import PipelineConfig
from caer_ros.perception.scene import Scene
from caer_ros.perception.stage import PlainStage, timed


class StaticStage(PlainStage):
    """See Stage. People without a face get no estimate of this model.

    Args:
        model: closed with the stage; has rows for `max_people` and `max_frames`.
        max_people: people a run, at least as many as one frame may have; more are run in turns.
        max_frames: frames a run, likewise.
    """

    def __init__(self, model: CaerStatic, max_people: int = 32, max_frames: int = 1) -> None:
        self.model = model
        self._max_people = max_people
        self._max_frames = max_frames

    @classmethod
    def open(cls, bundle: Bundle, config: PipelineConfig, backend: str) -> StaticStage:
        """Load the bundle.

        Raises:
            CaerError: see Pipeline.open.
        """
        # No more at once than TensorRT's engines are built for.
        frames = min(len(config.cameras), FRAMES)
        rows = max(config.max_people, ROWS[-1])
        model = CaerStatic(
            bundle, config.precision, backend, rows, config.threads, frames, config.cpu_hint
        )
        return cls(model, rows, frames)

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        """See Stage.run."""
        together: list[Scene] = []
        people = 0
        for scene in scenes:
            faces = len(_faces(scene))
            if not faces:
                continue
            if len(together) == self._max_frames or people + faces > self._max_people:
                self._run(together, timings)
                together, people = [], 0
            together.append(scene)
            people += faces
        if together:
            self._run(together, timings)

    def warm_up(self) -> None:
        """See Stage.warm_up."""
        grey = np.full((480, 640, 3), 127, np.uint8)
        self.model.prepare(grey, "bgr8", [Box(280, 200, 360, 280)], [])
        self.model.decode(self.model.infer(1, want_attention=True))

    def run_bare(self, people: int) -> None:
        """See Stage.run_bare."""
        if people:
            self.model.infer(people, want_attention=False)

    def close(self) -> None:
        """See Stage.close."""
        self.model.close()

    def _run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        rows = 0
        with timed(timings, "preprocess"):
            for place, scene in enumerate(scenes):
                faces = _faces(scene)
                self.model.prepare(scene.image, scene.encoding, faces, scene.faces, rows, place)
                rows += len(faces)
        want_maps = any(scene.want_maps for scene in scenes)
        with timed(timings, "infer"):
            outputs = self.model.infer(rows, want_maps, len(scenes))
        with timed(timings, "decode"):
            decoded = self.model.decode(outputs)
            estimates = iter(decoded.estimates)
            for place, scene in enumerate(scenes):
                scene.people = tuple(
                    add_estimate(person, next(estimates)) if person.face else person
                    for person in scene.people
                )
                if scene.want_maps and decoded.attention is not None:
                    scene.attention = decoded.attention[place]


def add_estimate(person: PersonEmotion, estimate: EmotionEstimate) -> PersonEmotion:
    """The same person with one estimate more, the newest model's first."""
    return replace(person, estimates=(estimate, *person.estimates))


def _faces(scene: Scene) -> list[Box]:
    return [person.face for person in scene.people if person.face is not None]
