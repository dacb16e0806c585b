"""Frames in, people with emotions out. No ROS, no torch, no image copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

import numpy as np

from caer_ros.core import CaerError, InputError
from caer_ros.perception.assemble import assemble
from caer_ros.perception.camera_memory import CameraMemory
from caer_ros.perception.clip_config import ClipConfig
from caer_ros.perception.image import check_image
from caer_ros.perception.pipeline_config import CHANGEABLE, PipelineConfig
from caer_ros.perception.scene import Result, Scene
from caer_ros.perception.stage import Stage, timed


class Pipeline:
    """Finds people and estimates their emotions, frame by frame. Thread-confined.

    Args:
        config: what was opened.
        stages: in the order in which a frame goes through them; closed with the pipeline.
        clips: what clips the stages read of every camera; None: none do.
    """

    def __init__(
        self, config: PipelineConfig, stages: Sequence[Stage], clips: ClipConfig | None = None
    ) -> None:
        self.config = config
        self._stages = tuple(stages)
        self._clips = clips
        self._memories = {
            name: CameraMemory(config, place) for place, name in enumerate(config.cameras)
        }
        for memory in self._memories.values():
            memory.keep_clips(clips)
        self.about: dict[str, str] = {}
        self.notice = ""

    @classmethod
    def open(cls, config: PipelineConfig) -> Pipeline:
        """Load what the model's task needs, and run it once so that the first frame is not slow.

        Raises:
            CaerError: a bundle is missing, damaged or of the wrong task; the back end is not
                installed or can not load it; ids are wanted and norfair is not installed. The
                message says what to do.
        """
        parts = assemble(config)
        try:
            pipeline = cls(config, parts.stages, parts.clips)
            for stage in parts.stages:
                stage.warm_up()
        except BaseException:
            for stage in parts.stages:
                stage.close()
            raise
        pipeline.notice, pipeline.about = parts.notice, parts.about
        return pipeline

    def describe(self) -> dict[str, str]:
        """Model, precision, backend with the reason for it, detector, demonstration yes/no, ..."""
        return dict(self.about)

    def adopt(self, other: Pipeline) -> None:
        """Take over what another pipeline knows of the cameras: who is who, above all.

        The other one must not be used afterwards.
        """
        for name, memory in other._memories.items():
            if name in self._memories and memory.tracks == self._memories[name].tracks:
                memory.keep_clips(self._clips)
                memory.apply(self.config)
                self._memories[name] = memory

    def update(self, **changes: Any) -> None:
        """Change what may change while running (CHANGEABLE); takes effect with the next frame.

        Raises:
            InputError: out of range, or not to be changed so; nothing was changed.
        """
        fixed = sorted(changes.keys() - set(CHANGEABLE))
        if fixed:
            raise InputError(f"{', '.join(fixed)} can not change.", "Open another pipeline.")
        self.config = replace(self.config, **changes)
        for stage in self._stages:
            stage.apply(self.config)
        for memory in self._memories.values():
            memory.apply(self.config)

    def process(
        self,
        image: np.ndarray,
        encoding: str,
        want_maps: bool = False,
        stamp: float = 0.0,
        camera: str = "",
    ) -> Result:
        """Find everybody in one frame and estimate how they feel.

        Args:
            image: uint8 view, HxWxC (HxW for mono8), rows may be padded; neither changed nor kept.
            encoding: rgb8, bgr8, rgba8, bgra8 or mono8.
            want_maps: also hand over the context attention or the heat map.
            stamp: the camera's time, in seconds; ids and smoothing go by it.
            camera: one of `config.cameras`.

        Raises:
            InputError: the image is not what `encoding` says, or nobody knows this camera.
            EngineError: a network failed or put out NaN.
        """
        (result,) = self.process_many([Scene(image, encoding, stamp, camera, want_maps)])
        if isinstance(result, CaerError):
            raise result
        return result

    def process_many(self, scenes: Sequence[Scene]) -> list[Result | CaerError]:
        """Process frames of several cameras together, at most one each, networks once for all.

        Returns:
            For each scene its result, or what is wrong with its frame.

        Raises:
            EngineError: a network failed or put out NaN: nothing was found in any frame.
        """
        timings: dict[str, float] = {}
        wrong: dict[int, CaerError] = {}
        with timed(timings, "total"):
            for place, scene in enumerate(scenes):
                try:
                    self._admit(scene)
                except CaerError as error:
                    wrong[place] = error
            sound = [scene for place, scene in enumerate(scenes) if place not in wrong]
            for stage in self._stages:
                stage.run(sound, timings)
        return [wrong.get(place) or _result(s, timings) for place, s in enumerate(scenes)]

    def run_bare(self, people: int) -> None:
        """Run the networks once more on what their buffers hold; for benchmarks."""
        for stage in self._stages:
            stage.run_bare(people)

    def close(self) -> None:
        """Release all networks."""
        for stage in self._stages:
            stage.close()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _admit(self, scene: Scene) -> None:
        check_image(scene.image, scene.encoding)
        scene.memory = self._memories.get(scene.camera)
        if scene.memory is None:
            raise InputError(
                f"There is no camera '{scene.camera}'.", "Name it in PipelineConfig.cameras."
            )
        if not np.isfinite(scene.stamp):
            raise InputError(f"stamp is {scene.stamp}.", "Give the camera's time in seconds.")


def _result(scene: Scene, timings: dict[str, float]) -> Result:
    return Result(scene.people, timings, scene.attention, scene.warnings, scene.heat, scene.faces)
