"""Opens the face detector that a data command's options name."""

from __future__ import annotations

import argparse
from typing import Any

from caer_ros.perception.face_detector import OnnxFaceDetector


def open_detector(args: argparse.Namespace) -> tuple[OnnxFaceDetector, dict[str, Any]]:
    """The detector, and the settings that its boxes depend on.

    Raises:
        InputError: an option is out of range, or the detector is not installed.
    """
    from caer_ros.bundles import find_bundle
    from caer_ros.core import InputError
    from caer_ros.engines import choose_backend

    if not 0.05 <= args.detector_threshold <= 1:
        raise InputError(
            f"--detector-threshold {args.detector_threshold} is out of range.", "Use 0.05 to 1."
        )
    if args.detector_size < 64 or args.min_face < 1:
        raise InputError(
            f"--detector-size {args.detector_size} or --min-face {args.min_face} is too small.",
            "Use at least 64 and 1 pixels.",
        )
    bundle = find_bundle(args.detector)
    backend, _ = choose_backend(args.backend)
    detector = OnnxFaceDetector(
        bundle, backend, args.detector_size, args.detector_threshold, args.min_face
    )
    settings = {
        "detector": f"{bundle.name} {bundle.version}",
        "size": args.detector_size,
        "threshold": args.detector_threshold,
        "min_face": args.min_face,
    }
    return detector, settings
