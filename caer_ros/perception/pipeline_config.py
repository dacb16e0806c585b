"""What the pipeline loads and how it looks."""

from __future__ import annotations

from dataclasses import dataclass

from caer_ros.core import InputError


@dataclass(frozen=True)
class PipelineConfig:
    """What to load and how to look.

    Attributes:
        model: bundle name or folder; its task decides whether the face detector or the model itself
            finds people.
        detector: face detection bundle, name or folder.
        precision: `fp32`, `fp16` or `int8`, as far as the bundle has it.
        backend: `auto`, `tensorrt`, `openvino` or `onnxruntime`.
        detector_size: longer side of the detector's input, in pixels; more finds smaller faces.
        detector_threshold: least face score, in [0, 1].
        min_face: least shorter side of a face, in pixels of the source image.
        person_threshold: least score of a person where the model finds people itself, in [0, 1];
            0 is the bundle's own.
        max_people: people a frame; of more, those with the best scores are kept, with a warning.
        threads: threads for one inference; 0 leaves the choice to the back end.
    """

    model: str = "caer_net_s"
    detector: str = "centerface"
    precision: str = "fp32"
    backend: str = "auto"
    detector_size: int = 640
    detector_threshold: float = 0.5
    min_face: float = 16.0
    person_threshold: float = 0.0
    max_people: int = 32
    threads: int = 0

    def __post_init__(self) -> None:
        ranges = {
            "detector_size": (64, 4096),
            "detector_threshold": (0.05, 1.0),
            "min_face": (1.0, 4096.0),
            "person_threshold": (0.0, 1.0),
            "max_people": (1, 256),
            "threads": (0, 256),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}.", f"Use {low} to {high}.")
