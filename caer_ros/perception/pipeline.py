"""A frame in, people with emotions out. No ROS, no torch, no image copied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from types import TracebackType

import numpy as np

from caer_ros.bundles import find_bundle
from caer_ros.core import Box, InputError, PersonEmotion
from caer_ros.engines import choose_backend
from caer_ros.perception.caer_static import CaerStatic
from caer_ros.perception.face_detector import FaceDetector, OnnxFaceDetector
from caer_ros.perception.image import check_image

STAGES = ("detect", "preprocess", "infer", "decode")


@dataclass(frozen=True)
class PipelineConfig:
    """What to load and how to look.

    Attributes:
        model: bundle name or folder.
        detector: face detection bundle, name or folder.
        precision: `fp32` or `int8`, as far as the bundle has it.
        backend: `auto`, `openvino` or `onnxruntime`.
        detector_size: longer side of the detector's input, in pixels; more finds smaller faces.
        detector_threshold: least face score, in [0, 1].
        min_face: least shorter side of a face, in pixels of the source image.
        max_people: people a frame; of more, those with the best face scores are kept, with a
            warning.
        threads: threads for one inference; 0 leaves the choice to the back end.
    """

    model: str = "caer_net_s"
    detector: str = "centerface"
    precision: str = "fp32"
    backend: str = "auto"
    detector_size: int = 640
    detector_threshold: float = 0.5
    min_face: float = 16.0
    max_people: int = 32
    threads: int = 0

    def __post_init__(self) -> None:
        ranges = {
            "detector_size": (64, 4096),
            "detector_threshold": (0.05, 1.0),
            "min_face": (1.0, 4096.0),
            "max_people": (1, 256),
            "threads": (0, 256),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}.", f"Use {low} to {high}.")


@dataclass(frozen=True)
class Result:
    """One processed frame.

    Attributes:
        people: one entry a face, best face score first; empty when nobody is there.
        timings: seconds by stage (see STAGES) and `total`; stages that did not run are missing.
        attention: float32 [h, w] over the frame, sums to 1; None unless asked, or nobody is there.
        warnings: one line for each thing that was left out.
    """

    people: tuple[PersonEmotion, ...]
    timings: dict[str, float]
    attention: np.ndarray | None = None
    warnings: tuple[str, ...] = field(default_factory=tuple)


class Pipeline:
    """Detects faces and estimates their emotions, frame by frame. Thread-confined."""

    def __init__(self, config: PipelineConfig, detector: FaceDetector, model: CaerStatic) -> None:
        self._config = config
        self._detector = detector
        self._model = model
        self._about: dict[str, str] = {}
        self.notice = ""

    @classmethod
    def open(cls, config: PipelineConfig) -> Pipeline:
        """Load detector and model, and run each once so that the first frame is not slow.

        Raises:
            CaerError: a bundle is missing, damaged or of the wrong task; the back end is not
                installed or can not load it. The message says what to do.
        """
        backend, why = choose_backend(config.backend)
        model_bundle, detector_bundle = find_bundle(config.model), find_bundle(config.detector)
        detector = OnnxFaceDetector(
            detector_bundle,
            backend,
            config.detector_size,
            config.detector_threshold,
            config.min_face,
            config.threads,
        )
        try:
            model = CaerStatic(
                model_bundle, config.precision, backend, config.max_people, config.threads
            )
            pipeline = cls(config, detector, model)
            pipeline._warm_up()
        except BaseException:
            detector.close()
            raise
        pipeline.notice = model_bundle.notice
        pipeline._about = {
            "model": f"{model_bundle.name} {model_bundle.version}",
            "precision": config.precision,
            "backend": f"{backend} ({why})",
            "detector": f"{detector_bundle.name} {detector_bundle.version}",
            "demonstration": "yes" if model_bundle.demonstration else "no",
        }
        return pipeline

    def describe(self) -> dict[str, str]:
        """Model, precision, backend with the reason for it, detector, demonstration yes/no."""
        return dict(self._about)

    def update(
        self, detector_threshold: float | None = None, min_face: float | None = None
    ) -> None:
        """Change what may change while running; takes effect with the next frame.

        Raises:
            InputError: out of range; nothing was changed.
        """
        changed = replace(
            self._config,
            detector_threshold=_or(detector_threshold, self._config.detector_threshold),
            min_face=_or(min_face, self._config.min_face),
        )
        self._config = changed
        self._detector.threshold = changed.detector_threshold
        self._detector.min_face = changed.min_face

    def process(self, image: np.ndarray, encoding: str, want_maps: bool = False) -> Result:
        """Find everybody in one frame and estimate how they feel.

        Args:
            image: uint8 view, HxWxC (HxW for mono8), rows may be padded; neither changed nor kept.
            encoding: rgb8, bgr8, rgba8, bgra8 or mono8.
            want_maps: also hand over the context attention.

        Raises:
            InputError: the image is not what `encoding` says.
            EngineError: a network failed or put out NaN.
        """
        check_image(image, encoding)
        timings: dict[str, float] = {}
        with _timed(timings, "total"):
            with _timed(timings, "detect"):
                faces = self._detector.detect(image, encoding)
            if not faces:
                return Result((), timings)
            kept, warnings = self._keep(faces)
            with _timed(timings, "preprocess"):
                self._model.prepare(image, encoding, kept, faces)
            with _timed(timings, "infer"):
                outputs = self._model.infer(len(kept), want_maps)
            with _timed(timings, "decode"):
                decoded = self._model.decode(outputs)
                people = tuple(
                    PersonEmotion(face=face, estimates=(estimate,))
                    for face, estimate in zip(kept, decoded.estimates, strict=True)
                )
        return Result(people, timings, decoded.attention, warnings)

    def run_bare(self, people: int) -> None:
        """Run both networks once more on what their buffers hold; for benchmarks."""
        self._detector.run_bare()
        self._model.infer(people, want_attention=False)

    def close(self) -> None:
        """Release both networks."""
        self._detector.close()
        self._model.close()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _keep(self, faces: list[Box]) -> tuple[list[Box], tuple[str, ...]]:
        limit = self._config.max_people
        if len(faces) <= limit:
            return faces, ()
        return faces[:limit], (f"{len(faces)} faces, max_people is {limit}: the rest is left out.",)

    def _warm_up(self) -> None:
        grey = np.full((480, 640, 3), 127, np.uint8)
        self._detector.detect(grey, "bgr8")
        self._model.prepare(grey, "bgr8", [Box(280, 200, 360, 280)], [])
        self._model.decode(self._model.infer(1, want_attention=True))


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    start = perf_counter()
    try:
        yield
    finally:
        timings[stage] = perf_counter() - start
