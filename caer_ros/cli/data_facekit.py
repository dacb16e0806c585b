"""`caer data facekit`: pack a downloaded face model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `caer data facekit`."""
    parser = subparsers.add_parser(
        "facekit",
        help="pack a downloaded ICT-FaceKit into the file that --face-model takes",
        description="Read the 158 meshes of ICT-FaceKit, a morphable face under the MIT licence, "
        "and pack them into one file of 17 MB for `caer data synth` and `caer data faces`. "
        "Download it yourself from https://github.com/ICT-VGL/ICT-FaceKit; a clone takes 0.6 GB.",
        epilog="Example: git clone --depth 1 https://github.com/ICT-VGL/ICT-FaceKit ; "
        "caer data facekit ICT-FaceKit/FaceXModel --out ict_facekit.npz",
    )
    parser.add_argument(
        "facexmodel", type=Path, metavar="FACEXMODEL", help="ICT-FaceKit's folder FaceXModel"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        default=Path("ict_facekit.npz"),
        help="the packed file (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Pack the meshes and say what is in the file."""
    from caer_ros.core import InputError
    from caer_ros.datasets.face_kit import read_face_kit, write_face_kit

    if args.out.suffix != ".npz" or args.out.is_dir():  # now, not after all was read
        raise InputError(f"--out {args.out} is no .npz file.", "Give a name like ict_facekit.npz.")
    kit = read_face_kit(args.facexmodel)
    write_face_kit(kit, args.out)
    print(
        f"{args.out}: {len(kit.neutral)} vertices, {len(kit.quads)} quads, "
        f"{len(kit.identities)} identities, {len(kit.expressions)} expressions"
    )
    return 0
