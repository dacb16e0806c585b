"""Emotions of found people, distilled from a CAER-Net-S where it is sure of a face."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from caer_ros.bundles import find_bundle, write_atomically
from caer_ros.bundles.detector_import import detector_files
from caer_ros.core import EMOTIC26, Box, BundleError, InputError
from caer_ros.datasets.found_people import holds
from caer_ros.datasets.scenes.emotic_labels import OF_EMOTION
from caer_ros.perception.assemble import STATIC
from caer_ros.perception.pipeline import Pipeline
from caer_ros.perception.pipeline_config import PipelineConfig

SMALLEST_FACE = 24.0
SURE = 0.7
_FACE_SCORE = 0.6


@dataclass(frozen=True)
class SeenFace:
    """A face, and the emotion that the network is sure of, or an empty text."""

    box: Box
    emotion: str


class FaceEmotions:
    """A face detector and a CAER-Net-S; a context, which closes them.

    Args:
        faces: a YuNet .onnx file as published, or the name or folder of a face detection bundle.
        emotions: name or folder of a bundle of CAER-Net-S.
        threads: for one picture; 0 leaves the choice to the back end.

    Raises:
        CaerError: one of them is missing, or is something else.
    """

    def __init__(self, faces: str, emotions: str, threads: int = 0) -> None:
        bundle = find_bundle(emotions)
        if bundle.task != STATIC or not set(bundle.labels) <= set(OF_EMOTION):
            raise BundleError(
                f"Bundle '{bundle.name}' does not tell the seven emotions of single pictures.",
                "Name a bundle of CAER-Net-S.",
            )
        with ExitStack() as opened:
            detector = faces
            if faces.lower().endswith(".onnx"):
                folder = opened.enter_context(tempfile.TemporaryDirectory())
                detector = str(_as_bundle(Path(faces), Path(folder) / "yunet"))
            config = PipelineConfig(
                model=emotions,
                detector=detector,
                detector_threshold=_FACE_SCORE,
                min_face=SMALLEST_FACE,
                threads=threads,
                tracking="never",
            )
            self._pipeline = opened.enter_context(Pipeline.open(config))
            self._opened = opened.pop_all()

    def look(self, bgr: np.ndarray) -> list[SeenFace]:
        """The faces of a uint8 BGR picture [H, W, 3] whose shorter side has SMALLEST_FACE pixels.

        Raises:
            EngineError: a network failed.
        """
        seen = []
        for person in self._pipeline.process(bgr, "bgr8").people:
            if person.face is None:
                continue
            (estimate,) = person.estimates
            sure = estimate.confidence >= SURE
            seen.append(SeenFace(person.face, estimate.top_label if sure else ""))
        return seen

    def __enter__(self) -> FaceEmotions:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()


def emotions_of(people: Sequence[Box], faces: Sequence[SeenFace]) -> list[str]:
    """Each person's emotion; empty where his box holds no face, several, or one that lies in
    another person's box, too."""
    found = []
    for person in people:
        inside = [face for face in faces if holds(person, face.box)]
        alone = len(inside) == 1 and sum(holds(other, inside[0].box) for other in people) == 1
        found.append(inside[0].emotion if alone else "")
    return found


def distilled(emotion: str) -> tuple[list[str], list[str]]:
    """One of the seven emotions as EMOTIC's: which a person has, and of which that is known.

    Those of a sure emotion are there and those of the other six are not, after the table of the
    drawn scenes; of the rest, and without an emotion of all 26, nothing is known.
    """
    if not emotion:
        return [], []
    mapped = {name for names in OF_EMOTION.values() for name in names}
    has = OF_EMOTION[emotion]
    return [n for n in EMOTIC26 if n in has], [n for n in EMOTIC26 if n in mapped]


def _as_bundle(path: Path, folder: Path) -> Path:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} can not be read: {error.strerror}.", "Give YuNet's file."
        ) from error
    for name, content in detector_files("yunet", data, f"file {path.name}").items():
        write_atomically(folder / name, content)
    return folder
