"""Options that several commands share: which models to load and how."""

from __future__ import annotations

import argparse

from caer_ros.engines import BACKENDS
from caer_ros.perception import PipelineConfig


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


def pipeline_config(args: argparse.Namespace) -> PipelineConfig:
    """The PipelineConfig that these options ask for."""
    return PipelineConfig(
        model=args.model,
        detector=args.detector,
        precision=args.precision,
        backend=args.backend,
        detector_size=args.detector_size,
        detector_threshold=args.detector_threshold,
        min_face=args.min_face,
        person_threshold=args.person_threshold,
        max_people=args.max_people,
        threads=args.threads,
    )
