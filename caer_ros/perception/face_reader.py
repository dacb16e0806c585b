"""Faces: the stage that finds them, for models that read a face."""

from __future__ import annotations

from collections.abc import Sequence

from caer_ros.bundles import find_bundle
from caer_ros.core import PersonEmotion
from caer_ros.perception.face_detector import FaceDetector, OnnxFaceDetector
from caer_ros.perception.pipeline_config import PipelineConfig
from caer_ros.perception.scene import Scene
from caer_ros.perception.stage import grey_frame, timed


class FaceReader:
    """See Stage. One person a face, best face score first.

    Args:
        finder: closed with the stage.
        max_people: people a frame; the faces of those beyond are still hidden from the context.
        name: of the detector, for people to read.
    """

    def __init__(self, finder: FaceDetector, max_people: int, name: str) -> None:
        self.name = name
        self._finder = finder
        self._max_people = max_people

    @classmethod
    def open(cls, config: PipelineConfig, backend: str) -> FaceReader:
        """Load the detector that `config` names.

        Raises:
            CaerError: see Pipeline.open.
        """
        bundle = find_bundle(config.detector)
        finder = OnnxFaceDetector(
            bundle,
            backend,
            config.detector_size,
            config.detector_threshold,
            config.min_face,
            config.threads,
        )
        return cls(finder, config.max_people, f"{bundle.name} {bundle.version}")

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        """See Stage.run."""
        limit = self._max_people
        with timed(timings, "detect"):
            for scene in scenes:
                faces = self._finder.detect(scene.image, scene.encoding)
                scene.faces = tuple(faces)
                scene.people = tuple(PersonEmotion(face=face) for face in faces[:limit])
                if len(faces) > limit:
                    scene.warnings += (
                        f"{len(faces)} faces, max_people is {limit}: the rest is left out.",
                    )

    def apply(self, config: PipelineConfig) -> None:
        """See Stage.apply: least score and least size of a face."""
        self._finder.threshold = config.detector_threshold
        self._finder.min_face = config.min_face

    def warm_up(self) -> None:
        """See Stage.warm_up."""
        self._finder.detect(grey_frame(), "bgr8")

    def run_bare(self, people: int) -> None:
        """See Stage.run_bare."""
        self._finder.run_bare()

    def close(self) -> None:
        """See Stage.close."""
        self._finder.close()
