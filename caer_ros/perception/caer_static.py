"""CAER-Net-S on the robot: all people of all frames in one run, buffers made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import Box, BundleError, EmotionEstimate, EngineError
from caer_ros.engines import open_engine
from caer_ros.perception.cpu_hint import hint_for
from caer_ros.perception.preprocess import crop_face, make_context


@dataclass(frozen=True)
class StaticOutput:
    """What CAER-Net-S says, one estimate a person in the order of rows.

    `attention` is float32 [frames, h, w], each sums to 1 over the face-hidden frame (eq. 3); None
    unless asked.
    """

    estimates: tuple[EmotionEstimate, ...]
    attention: np.ndarray | None


class CaerStatic:
    """Runs a bundle of task `caer_static`.

    Every face of a frame is hidden from the context (section 3.2.1), so all its people share one
    context, and the context stream, three quarters of the network's work, runs once a frame.

    Args:
        bundle: the model.
        precision: a key of the bundle's files.
        backend: as choose_backend returned it.
        max_people: rows of the face buffer.
        max_frames: frames that one run may take in.
        cpu_hint: as in PipelineConfig.

    Raises:
        BundleError: wrong task, or inputs that this code does not fill.
        EngineBuildError: the back end can not load it.
    """

    def __init__(
        self,
        bundle: Bundle,
        precision: str,
        backend: str,
        max_people: int,
        threads: int = 0,
        max_frames: int = 1,
        cpu_hint: str = "auto",
    ) -> None:
        if bundle.task != "caer_static":
            raise BundleError(
                f"Bundle '{bundle.name}' has task {bundle.task}, not caer_static.",
                "Set model to a CAER-Net-S bundle; `caer models list` shows them.",
            )
        try:
            face, context = bundle.inputs["face"], bundle.inputs["context"]
            face_size, context_size = int(face["shape"][1]), int(context["shape"][1])
            self._margin = float(face["margin"])
            self._fill = int(context["fill"])
            self._temperature = float(bundle.decode.get("temperature", 1.0))
            if not 0 < self._temperature < float("inf"):
                raise ValueError("a temperature above 0")
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BundleError(
                f"{bundle.folder}/model.yaml: inputs or decode lack {error}.",
                "Re-export the bundle.",
            ) from error
        self.name = bundle.name
        self._labels = bundle.labels
        self._engine = open_engine(
            bundle.model_file(precision, backend),
            backend,
            threads,
            hint_for(bundle, precision, backend, cpu_hint),
        )
        self._faces = np.zeros((max_people, face_size, face_size, 3), np.uint8)
        self._context = np.zeros((max_frames, context_size, context_size, 3), np.uint8)
        self._scene = np.zeros(max_people, np.int64)

    def prepare(
        self,
        image: np.ndarray,
        encoding: str,
        people: Sequence[Box],
        faces: Sequence[Box],
        row: int = 0,
        frame: int = 0,
    ) -> None:
        """Fill the inputs: a crop for each of `people`, one context with all `faces` hidden.

        Args:
            row: of the first of `people`.
            frame: row of their context.
        """
        for place, box in enumerate(people, row):
            crop_face(image, box, encoding, self._margin, self._faces[place])
        self._scene[row : row + len(people)] = frame
        make_context(image, faces, encoding, self._context[frame], self._fill)

    def infer(self, people: int, want_attention: bool, frames: int = 1) -> dict[str, np.ndarray]:
        """Run the network on the first `people` and `frames` rows prepared."""
        outputs = ["logits", "fusion"] + (["attention"] if want_attention else [])
        arrays: dict[str, np.ndarray] = {
            "face": self._faces[:people],
            "context": self._context[:frames],
            "scene": self._scene[:people],
        }
        return self._engine.run(arrays, outputs)

    def decode(self, outputs: dict[str, np.ndarray]) -> StaticOutput:
        """Turn raw outputs into estimates, one a prepared person.

        Raises:
            EngineError: the network put out NaN or infinity.
        """
        probabilities = softmax(outputs["logits"] / self._temperature)
        fusion = outputs["fusion"]
        if not (np.isfinite(probabilities).all() and np.isfinite(fusion).all()):
            raise EngineError(
                f"Model '{self.name}' put out NaN or infinity.",
                "Set precision:=fp32; if that does not help, reinstall the bundle.",
            )
        estimates = tuple(
            EmotionEstimate(
                model=self.name,
                labels=self._labels,
                probabilities=row,
                lambda_face=float(weights[0]),
                lambda_context=float(weights[1]),
            )
            for row, weights in zip(probabilities, fusion, strict=True)
        )
        # The engine owns its outputs until its next run: what leaves here is copied.
        attention = outputs["attention"].copy() if "attention" in outputs else None
        return StaticOutput(estimates, attention)

    def close(self) -> None:
        """Release the network."""
        self._engine.close()


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, float32, safe for large logits."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True), dtype=np.float32)
    return shifted / shifted.sum(axis=-1, keepdims=True)
