"""Faces first, then the emotion of each: a face detector and CAER-Net-S."""

from __future__ import annotations

import numpy as np

from caer_ros.bundles import Bundle, find_bundle
from caer_ros.core import Box, PersonEmotion
from caer_ros.perception.caer_static import CaerStatic
from caer_ros.perception.face_detector import FaceDetector, OnnxFaceDetector
from caer_ros.perception.frame_reader import Seen, grey_frame, timed
from caer_ros.perception.pipeline_config import PipelineConfig


class FaceReader:
    """See FrameReader. One person a face, best face score first."""

    def __init__(
        self, finder: FaceDetector, model: CaerStatic, max_people: int, detector: str
    ) -> None:
        self.detector = detector
        self.model = model
        self._finder = finder
        self._max_people = max_people

    @classmethod
    def open(cls, bundle: Bundle, config: PipelineConfig, backend: str) -> FaceReader:
        """Load the detector that `config` names and the model.

        Raises:
            CaerError: see Pipeline.open.
        """
        detector_bundle = find_bundle(config.detector)
        finder = OnnxFaceDetector(
            detector_bundle,
            backend,
            config.detector_size,
            config.detector_threshold,
            config.min_face,
            config.threads,
        )
        try:
            model = CaerStatic(bundle, config.precision, backend, config.max_people, config.threads)
        except BaseException:
            finder.close()
            raise
        detector = f"{detector_bundle.name} {detector_bundle.version}"
        return cls(finder, model, config.max_people, detector)

    def read(
        self, image: np.ndarray, encoding: str, want_maps: bool, timings: dict[str, float]
    ) -> Seen:
        """See FrameReader.read."""
        with timed(timings, "detect"):
            faces = self._finder.detect(image, encoding)
        if not faces:
            return Seen(())
        kept, warnings = self._keep(faces)
        with timed(timings, "preprocess"):
            self.model.prepare(image, encoding, kept, faces)
        with timed(timings, "infer"):
            outputs = self.model.infer(len(kept), want_maps)
        with timed(timings, "decode"):
            decoded = self.model.decode(outputs)
            people = tuple(
                PersonEmotion(face=face, estimates=(estimate,))
                for face, estimate in zip(kept, decoded.estimates, strict=True)
            )
        return Seen(people, decoded.attention, None, warnings)

    def apply(self, config: PipelineConfig) -> None:
        """See FrameReader.apply: least score and least size of a face."""
        self._finder.threshold = config.detector_threshold
        self._finder.min_face = config.min_face

    def warm_up(self) -> None:
        """See FrameReader.warm_up."""
        grey = grey_frame()
        self._finder.detect(grey, "bgr8")
        self.model.prepare(grey, "bgr8", [Box(280, 200, 360, 280)], [])
        self.model.decode(self.model.infer(1, want_attention=True))

    def run_bare(self, people: int) -> None:
        """See FrameReader.run_bare."""
        self._finder.run_bare()
        self.model.infer(max(1, people), want_attention=False)

    def close(self) -> None:
        """See FrameReader.close."""
        self._finder.close()
        self.model.close()

    def _keep(self, faces: list[Box]) -> tuple[list[Box], tuple[str, ...]]:
        limit = self._max_people
        if len(faces) <= limit:
            return faces, ()
        return faces[:limit], (f"{len(faces)} faces, max_people is {limit}: the rest is left out.",)
