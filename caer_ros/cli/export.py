"""`caer export`: turn a checkpoint into a model bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_NOTICE = (
    "Demonstration model: taught by a weak expression teacher and rendered faces, not by labelled "
    "photographs; its labels are guesses about facial expressions, not about what people feel."
)


def add_parser(subparsers: Any) -> None:
    """Add `export` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "export",
        help="turn a checkpoint into a model bundle",
        description="Write fp32.onnx and model.yaml. Fails, and leaves the bundle as it was, unless"
        " the ONNX file computes what the network computes on noise and on pictures.",
    )
    parser.add_argument("checkpoint", type=Path, help=".safetensors written by `caer train`")
    parser.add_argument("--bundle", type=Path, required=True, help="folder, e.g. models/caer_net_s")
    parser.add_argument(
        "--images", type=Path, required=True, help="folder of pictures to compare on"
    )
    parser.add_argument("--version", default="0.1.0", help="of the bundle (default: %(default)s)")
    parser.add_argument(
        "--trained-on-labels",
        action="store_true",
        help="the model learnt from labelled photographs and was measured on some: no notice",
    )
    parser.add_argument("--notice", default=_NOTICE, help="what the node prints at start-up")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export and say how near the ONNX file is."""
    from caer_ros.deploy.export import export_bundle, read_pictures

    demonstration = not args.trained_on_labels
    parity = export_bundle(
        args.checkpoint,
        args.bundle,
        read_pictures(args.images),
        args.version,
        demonstration,
        args.notice if demonstration else "",
    )
    print(
        f"{args.bundle}/fp32.onnx: within {parity.difference:.1e} of the network"
        f" on {parity.people} people"
    )
    print(f"next: caer calibrate {args.bundle} --data FOLDER")
    return 0
