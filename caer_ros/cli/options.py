"""Options that several commands share: which models to load and how."""

from __future__ import annotations

import argparse
from dataclasses import fields

from caer_ros.engines import BACKENDS
from caer_ros.perception import PipelineConfig
from caer_ros.perception.pipeline_config import CPU_HINTS, TRACKING

# Fields of PipelineConfig, their values' names and what is said of them.
_OVER_TIME = (
    ("body_rate_hz", "HZ", "how often the body model looks, at most; 0: always (%(default)s)"),
    (
        "track_timeout_s",
        "SECONDS",
        "for how long somebody who is not seen keeps his id (%(default)s)",
    ),
    ("track_min_hits", "N", "sightings before somebody gets an id (%(default)s)"),
    (
        "smoothing_s",
        "SECONDS",
        "time constant of the filter over the probabilities of people with an id, 0: none "
        "(%(default)s)",
    ),
    (
        "label_margin",
        "P",
        "lead in probability that another label needs to become the top one (%(default)s)",
    ),
    ("label_time_s", "SECONDS", "for how long it must lead so (%(default)s)"),
)


def add_pipeline_options(parser: argparse.ArgumentParser) -> None:
    """Model, detector, precision, backend and thresholds, with PipelineConfig's defaults."""
    default = PipelineConfig()
    group = parser.add_argument_group("models")
    group.add_argument("--model", default=default.model, help="bundle name or folder (%(default)s)")
    group.add_argument(
        "--precision", default=default.precision, help="fp32, fp16, int8 (%(default)s)"
    )
    add_detector_options(group)
    group.add_argument(
        "--person-threshold",
        type=float,
        default=default.person_threshold,
        metavar="SCORE",
        help="least score of a person where the model finds people itself (BENet); 0: the model's "
        "own (%(default)s)",
    )
    group.add_argument(
        "--max-people",
        type=int,
        default=default.max_people,
        help="most people a frame (%(default)s)",
    )
    group.add_argument(
        "--threads",
        type=int,
        default=default.threads,
        help="threads for one inference, 0: the back end chooses (%(default)s)",
    )
    group.add_argument(
        "--cpu-hint",
        default=default.cpu_hint,
        choices=CPU_HINTS,
        help="arithmetic of what is not INT8, on OpenVINO; auto takes the fastest that calibration "
        "found within the model's limits (%(default)s)",
    )


def add_detector_options(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, min_face: float | None = None
) -> None:
    """Detector, backend and thresholds; PipelineConfig's defaults but for `min_face` if given."""
    default = PipelineConfig()
    parser.add_argument(
        "--detector", default=default.detector, help="face detector, name or folder (%(default)s)"
    )
    parser.add_argument(
        "--backend",
        default=default.backend,
        choices=BACKENDS,
        help="auto takes TensorRT where `caer build` made the engines, else OpenVINO where it is "
        "installed, else ONNX Runtime (%(default)s)",
    )
    parser.add_argument(
        "--detector-size",
        type=int,
        default=default.detector_size,
        metavar="PIXELS",
        help="longer side of the detector's input: more finds smaller faces (%(default)s)",
    )
    parser.add_argument(
        "--detector-threshold",
        type=float,
        default=default.detector_threshold,
        metavar="SCORE",
        help="least face score, 0.05 to 1 (%(default)s)",
    )
    parser.add_argument(
        "--min-face",
        type=float,
        default=default.min_face if min_face is None else min_face,
        metavar="PIXELS",
        help="least side of a face in the frame (%(default)s)",
    )


def add_people_options(parser: argparse.ArgumentParser) -> None:
    """A second model, and people over time, with PipelineConfig's defaults."""
    default = PipelineConfig()
    group = parser.add_argument_group("people")
    group.add_argument(
        "--body-model",
        default=default.body_model,
        metavar="MODEL",
        help="BENet bundle to run beside a model that reads faces: name or folder (none)",
    )
    group.add_argument(
        "--tracking",
        default=default.tracking,
        choices=TRACKING,
        help="give people ids; auto: in videos and bags, where norfair is installed (%(default)s)",
    )
    for name, metavar, text in _OVER_TIME:
        value = getattr(default, name)
        flag = name.removesuffix("_s").removesuffix("_hz").replace("_", "-")
        group.add_argument(
            f"--{flag}", dest=name, type=type(value), default=value, metavar=metavar, help=text
        )


def pipeline_config(args: argparse.Namespace) -> PipelineConfig:
    """The PipelineConfig that these options ask for; what has no option keeps its default."""
    given = {
        field.name: getattr(args, field.name)
        for field in fields(PipelineConfig)
        if hasattr(args, field.name)
    }
    return PipelineConfig(**given)
