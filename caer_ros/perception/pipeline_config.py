"""What the pipeline loads, how it looks, and how it follows people."""

from __future__ import annotations

from dataclasses import dataclass

from caer_ros.core import InputError

# Not on and off: YAML, and so a ROS parameter file, reads those as true and false.
TRACKING = ("auto", "always", "never")
CPU_HINTS = ("auto", "f32", "bf16", "f16")
# What `Pipeline.update` takes.
CHANGEABLE = (
    "detector_threshold",
    "min_face",
    "person_threshold",
    "body_rate_hz",
    "smoothing_s",
    "label_margin",
    "label_time_s",
)


@dataclass(frozen=True)
class PipelineConfig:
    """What to load and how to look.

    Attributes:
        model: bundle name or folder; its task decides whether the face detector or the model itself
            finds people.
        body_model: a BENet bundle that runs beside a model that reads faces, so that people have a
            body and 26 more emotions; empty: none.
        detector: face detection bundle, name or folder.
        precision: `fp32`, `fp16` or `int8`, as far as the bundles have it.
        backend: `auto`, `tensorrt`, `openvino` or `onnxruntime`.
        detector_size: longer side of the detector's input, in pixels; more finds smaller faces.
        detector_threshold: least face score, in [0, 1].
        min_face: least shorter side of a face, in pixels of the source image.
        person_threshold: least score of a person where the model finds people itself, in [0, 1];
            0 is the bundle's own.
        max_people: people a frame; of more, those with the best scores are kept, with a warning.
        threads: threads for one inference; 0 leaves the choice to the back end.
        cpu_hint: arithmetic of what is not INT8, on OpenVINO: `f32`, `bf16`, `f16`, or `auto`: the
            fastest that calibration measured on the bundle and found within its limits.
        body_rate_hz: frames a second, at most, that `body_model` looks at; between them people with
            an id keep its last estimate. 0: every frame.
        tracking: `always`, `never` or `auto`: where norfair is installed. Without it people
            have no ids, and nothing is smoothed.
        track_timeout_s: for how long somebody who is not seen keeps his id, in seconds.
        track_min_hits: sightings before somebody gets an id.
        smoothing_s: time constant of the filter over probabilities, in seconds; 0: none.
        label_margin: lead in probability that another label needs to become the top label.
        label_time_s: for how long it must lead so, in seconds.
        cameras: names of the cameras whose frames will come; one without a name by default.
    """

    model: str = "caer_net_s"
    body_model: str = ""
    detector: str = "centerface"
    precision: str = "fp32"
    backend: str = "auto"
    detector_size: int = 640
    detector_threshold: float = 0.5
    min_face: float = 16.0
    person_threshold: float = 0.0
    max_people: int = 32
    threads: int = 0
    cpu_hint: str = "auto"
    body_rate_hz: float = 0.0
    tracking: str = "auto"
    track_timeout_s: float = 2.0
    track_min_hits: int = 2
    smoothing_s: float = 0.5
    label_margin: float = 0.1
    label_time_s: float = 0.3
    cameras: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        ranges = {
            "detector_size": (64, 4096),
            "detector_threshold": (0.05, 1.0),
            "min_face": (1.0, 4096.0),
            "person_threshold": (0.0, 1.0),
            "max_people": (1, 256),
            "threads": (0, 256),
            "body_rate_hz": (0.0, 1000.0),
            "track_timeout_s": (0.05, 60.0),
            "track_min_hits": (1, 100),
            "smoothing_s": (0.0, 60.0),
            "label_margin": (0.0, 1.0),
            "label_time_s": (0.0, 60.0),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}.", f"Use {low:g} to {high:g}.")
        if self.cpu_hint not in CPU_HINTS:
            raise InputError(
                f"cpu_hint is '{self.cpu_hint}'.", f"Use one of {', '.join(CPU_HINTS)}."
            )
        if self.tracking not in TRACKING:
            raise InputError(
                f"tracking is '{self.tracking}'.", f"Use one of {', '.join(TRACKING)}."
            )
        if not self.cameras or len(set(self.cameras)) < len(self.cameras):
            raise InputError(f"cameras are {self.cameras}.", "Give each camera a name of its own.")
