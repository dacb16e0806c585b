"""`caer export BUNDLE --triton DIR`: a bundle as a model repository of Triton Inference Server."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --triton and what belongs to it."""
    group = parser.add_argument_group("for Triton Inference Server, instead of a bundle")
    group.add_argument(
        "--triton",
        type=Path,
        metavar="DIR",
        help="write a model repository of the bundle that is named in place of the checkpoint",
    )
    group.add_argument(
        "--precision", default="fp32", help="of the bundle's files (default: %(default)s)"
    )
    group.add_argument(
        "--batch", type=int, default=8, help="most requests in a run (default: %(default)s)"
    )
    group.add_argument(
        "--accelerator",
        default="none",
        choices=("none", "tensorrt"),
        help="have ONNX Runtime use TensorRT on the server (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the repository and say what is in it."""
    from caer_ros.bundles import find_bundle
    from caer_ros.deploy.triton import Options, write_repository

    options = Options(args.precision, args.batch, args.accelerator)
    names = write_repository(find_bundle(str(args.checkpoint)), args.triton, options)
    print(f"{args.triton}: {', '.join(names)}; see {args.triton / 'README.md'}")
    return 0
