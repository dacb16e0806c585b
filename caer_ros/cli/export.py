"""`caer export`: turn a checkpoint into a model bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from caer_ros.cli import export_triton


def add_parser(subparsers: Any) -> None:
    """Add `export` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "export",
        help="turn a checkpoint into a model bundle",
        description="Write fp32.onnx and model.yaml. Fails, and leaves the bundle as it was, unless"
        " the ONNX file computes what the network computes on noise and on pictures.",
    )
    parser.add_argument("checkpoint", type=Path, help=".safetensors written by `caer train`")
    parser.add_argument("--bundle", type=Path, help="folder, e.g. models/caer_net_s")
    parser.add_argument("--images", type=Path, help="folder of pictures to compare on")
    parser.add_argument("--version", default="0.1.0", help="of the bundle (default: %(default)s)")
    parser.add_argument(
        "--trained-on-labels",
        action="store_true",
        help="the model learnt from labelled photographs and was measured on some: no notice",
    )
    parser.add_argument("--notice", help="what the node prints at start-up")
    maps = parser.add_argument_group("BENet only")
    maps.add_argument(
        "--short-side",
        type=int,
        default=512,
        metavar="PIXELS",
        help="shorter side of the network's input (%(default)s)",
    )
    maps.add_argument(
        "--top-k", type=int, default=30, metavar="N", help="most people in a frame (%(default)s)"
    )
    maps.add_argument(
        "--threshold",
        type=float,
        default=0.1,
        metavar="SCORE",
        help="least score of a person; the robot may choose another (%(default)s)",
    )
    export_triton.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export and say how near the ONNX file is."""
    if args.triton:
        return export_triton.run(args)
    from caer_ros.bundles import read_bundle
    from caer_ros.core import InputError
    from caer_ros.deploy.export import MapsOptions, export_bundle, read_pictures

    if not args.bundle or not args.images:
        raise InputError(
            "caer export needs --bundle and --images.", "Or --triton, to serve a bundle."
        )
    parity = export_bundle(
        args.checkpoint,
        args.bundle,
        read_pictures(args.images),
        args.version,
        not args.trained_on_labels,
        args.notice,
        MapsOptions(args.short_side, args.top_k, args.threshold),
    )
    print(
        f"{args.bundle}/fp32.onnx: within {parity.difference:.1e} of the network"
        f" on {parity.compared}"
    )
    bundle = read_bundle(args.bundle)
    if bundle.task == "person_emotion_maps":
        print(_thresholds(args.checkpoint, bundle.labels))
    if bundle.task == "caer_clip":
        print(f"next: set model to {args.bundle}; clips stay in fp32, caer calibrate reads none")
    else:
        print(f"next: caer calibrate {args.bundle} --data FOLDER")
    return 0


def _thresholds(checkpoint: Path, labels: tuple[str, ...]) -> str:
    from caer_ros.deploy.bundle_thresholds import carried_thresholds
    from caer_ros.networks.checkpoint import read_meta

    return carried_thresholds(read_meta(checkpoint, architecture=None)["extra"], labels).said
