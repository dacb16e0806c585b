"""`caer calibrate`: add INT8 files to a model bundle."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `calibrate` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "calibrate",
        help="add INT8 files to a model bundle",
        description="Quantise fp32.onnx on pictures of people and measure the INT8 files against it"
        " on other people. Fails, and changes nothing, when more than 2 % of the labels change.",
    )
    parser.add_argument("bundle", type=Path, help="folder of a bundle, e.g. models/caer_net_s")
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="FOLDER",
        help="folders of `caer data faces` or laid out like CAER-S",
    )
    parser.add_argument(
        "--hold-out",
        nargs="*",
        default=[],
        metavar="SOURCE",
        help="sources of photographs to measure on, never to calibrate on",
    )
    parser.add_argument(
        "--limit", type=int, default=600, help="most people to calibrate on (default: %(default)s)"
    )
    parser.add_argument(
        "--report",
        type=Path,
        default=None,
        help="Markdown report (default: calibration/NAME/report.md)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Calibrate, write the report and print the agreement."""
    from caer_ros.deploy.calibrate import calibrate_bundle, write_report

    name = args.bundle.resolve().name
    result = calibrate_bundle(args.bundle, args.data, args.hold_out, args.limit)
    command = ["caer", "calibrate", str(args.bundle), "--data", *map(str, args.data)]
    command += ["--hold-out", *args.hold_out] if args.hold_out else []
    command += ["--limit", str(args.limit)]
    report = args.report or Path("calibration") / name / "report.md"
    sources = ", ".join(folder.name for folder in args.data)
    write_report(report, name, result, sources, shlex.join(command))
    for key, agreement in result.agreement.items():
        print(
            f"{key}: same top label as fp32 on {agreement.top_label:.2%} of {agreement.people}"
            f" people, mean |Δp| {agreement.mean_delta:.5f}"
        )
    print(f"report: {report}")
    return 0
