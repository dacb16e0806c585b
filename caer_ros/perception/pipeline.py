"""A frame in, people with emotions out. No ROS, no torch, no image copied."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import numpy as np

from caer_ros.bundles import Bundle, find_bundle
from caer_ros.core import PersonEmotion
from caer_ros.engines import choose_backend
from caer_ros.perception.benet import TASK, BenetReader
from caer_ros.perception.face_reader import FaceReader
from caer_ros.perception.frame_reader import FrameReader, timed
from caer_ros.perception.image import check_image
from caer_ros.perception.pipeline_config import PipelineConfig

STAGES = ("detect", "preprocess", "infer", "decode")


@dataclass(frozen=True)
class Result:
    """One processed frame.

    Attributes:
        people: one entry a person, best score first; empty when nobody is there. CAER-Net-S gives
            them a face, BENet a body.
        timings: seconds by stage (see STAGES) and `total`; stages that did not run are missing.
        attention: float32 [h, w] over the frame, sums to 1, of CAER-Net-S; None unless asked, or
            nobody is there.
        heat: float32 [h, w] over the frame, BENet's probability in [0, 1] that the centre of a
            person is here; None unless asked.
        warnings: one line for each thing that was left out.
    """

    people: tuple[PersonEmotion, ...]
    timings: dict[str, float]
    attention: np.ndarray | None = None
    warnings: tuple[str, ...] = field(default_factory=tuple)
    heat: np.ndarray | None = None


class Pipeline:
    """Finds people and estimates their emotions, frame by frame. Thread-confined."""

    def __init__(self, config: PipelineConfig, reader: FrameReader) -> None:
        self._config = config
        self._reader = reader
        self._about: dict[str, str] = {}
        self.notice = ""

    @classmethod
    def open(cls, config: PipelineConfig) -> Pipeline:
        """Load what the model's task needs, and run it once so that the first frame is not slow.

        Raises:
            CaerError: a bundle is missing, damaged or of the wrong task; the back end is not
                installed or can not load it. The message says what to do.
        """
        bundle = find_bundle(config.model)
        files = _tensorrt_files(bundle, config) if config.backend == "auto" else None
        backend, why = choose_backend(config.backend, files)
        reader = _open_reader(bundle, config, backend)
        try:
            reader.warm_up()
        except BaseException:
            reader.close()
            raise
        pipeline = cls(config, reader)
        pipeline.notice = bundle.notice
        pipeline._about = {
            "model": f"{bundle.name} {bundle.version}",
            "precision": config.precision,
            "backend": f"{backend} ({why})",
            "detector": reader.detector,
            "demonstration": "yes" if bundle.demonstration else "no",
        }
        return pipeline

    def describe(self) -> dict[str, str]:
        """Model, precision, backend with the reason for it, detector, demonstration yes/no."""
        return dict(self._about)

    def update(
        self,
        detector_threshold: float | None = None,
        min_face: float | None = None,
        person_threshold: float | None = None,
    ) -> None:
        """Change what may change while running; takes effect with the next frame.

        Raises:
            InputError: out of range; nothing was changed.
        """
        changed = replace(
            self._config,
            detector_threshold=_or(detector_threshold, self._config.detector_threshold),
            min_face=_or(min_face, self._config.min_face),
            person_threshold=_or(person_threshold, self._config.person_threshold),
        )
        self._config = changed
        self._reader.apply(changed)

    def process(self, image: np.ndarray, encoding: str, want_maps: bool = False) -> Result:
        """Find everybody in one frame and estimate how they feel.

        Args:
            image: uint8 view, HxWxC (HxW for mono8), rows may be padded; neither changed nor kept.
            encoding: rgb8, bgr8, rgba8, bgra8 or mono8.
            want_maps: also hand over the context attention or the heat map.

        Raises:
            InputError: the image is not what `encoding` says.
            EngineError: a network failed or put out NaN.
        """
        check_image(image, encoding)
        timings: dict[str, float] = {}
        with timed(timings, "total"):
            seen = self._reader.read(image, encoding, want_maps, timings)
        return Result(seen.people, timings, seen.attention, seen.warnings, seen.heat)

    def run_bare(self, people: int) -> None:
        """Run the networks once more on what their buffers hold; for benchmarks."""
        self._reader.run_bare(people)

    def close(self) -> None:
        """Release all networks."""
        self._reader.close()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _tensorrt_files(bundle: Bundle, config: PipelineConfig) -> list[Path]:
    """What would run on TensorRT: it is chosen only where engines of all of it are built."""
    files = [bundle.model_file(config.precision, "tensorrt")]
    if bundle.task != TASK:
        files.append(find_bundle(config.detector).model_file("fp32", "tensorrt"))
    return files


def _open_reader(bundle: Bundle, config: PipelineConfig, backend: str) -> FrameReader:
    if bundle.task == TASK:
        return BenetReader.open(bundle, config, backend)
    return FaceReader.open(bundle, config, backend)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
