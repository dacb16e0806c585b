"""`caer calibrate`: add INT8 and FP16 files to a model bundle."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from caer_ros.core import InputError


def add_parser(subparsers: Any) -> None:
    """Add `calibrate` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "calibrate",
        help="add INT8 and FP16 files to a model bundle",
        description="Make INT8 and FP16 files of fp32.onnx for the pictures given, and measure them"
        " against it on others. Fails, and leaves the bundle as it was, when a file's answers"
        " differ by more than `guard` in model.yaml allows. Started again after a kill, it goes"
        " on.",
    )
    parser.add_argument("bundle", type=Path, help="folder of a bundle, e.g. models/caer_net_s")
    _add_data(parser)
    parser.add_argument(
        "--method",
        choices=("minmax", "percentile", "entropy"),
        default="percentile",
        help="how much of each layer's range INT8 covers (default: %(default)s)",
    )
    parser.add_argument(
        "--percentile",
        type=float,
        default=99.99,
        help="of --method percentile (default: %(default)s)",
    )
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=("int8", "fp16"),
        default=["int8", "fp16"],
        help="what to make (default: both)",
    )
    parser.add_argument(
        "--keep",
        nargs="+",
        action="extend",
        default=[],
        metavar="LAYER",
        help="names or patterns of layers to leave in higher precision, beside those found",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=None,
        metavar="FOLDER",
        help="for report, pictures and scales (default: calibration/NAME)",
    )
    tuning = parser.add_argument_group("tuning")
    tuning.add_argument(
        "--qat",
        action="store_true",
        help="where no INT8 file passes, tune weights and scales until it answers as fp32 does",
    )
    tuning.add_argument(
        "--checkpoint", type=Path, help="for --qat: what the bundle was exported from"
    )
    tuning.add_argument(
        "--epochs", type=int, default=3, help="of --qat over the pictures (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def _add_data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pictures")
    group.add_argument(
        "--data",
        type=Path,
        nargs="+",
        action="extend",
        required=True,
        metavar="PATH",
        help="folders of pictures, videos, bags, data sets (CAER-S, `caer data faces`, EMOTIC), or"
        " a recipe of BENet; never random ones",
    )
    group.add_argument(
        "--hold-out",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="sources, folders or files to measure on, never to calibrate on (default: a data set's"
        " test split; of other pictures three blocks in ten)",
    )
    group.add_argument(
        "--limit",
        type=int,
        default=0,
        metavar="N",
        help="most to calibrate on, the most different ones (default: 600 people or 200 pictures)",
    )
    group.add_argument(
        "--judge-limit",
        type=int,
        default=0,
        metavar="N",
        help="most to measure on (default: as --limit)",
    )
    group.add_argument("--topic", default="", help="of a bag's images (default: the only one)")
    group.add_argument(
        "--detector",
        default="centerface",
        help="finds the faces of unlabelled pictures for CAER-Net (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Calibrate, and print how far the files are from FP32."""
    from caer_ros.deploy.calibrate import Options, calibrate_bundle
    from caer_ros.deploy.pictures.open_data import DataOptions

    if args.qat != (args.checkpoint is not None):
        raise InputError("--qat and --checkpoint go together.", "Give both or neither.")
    data = DataOptions(
        args.data, args.hold_out, args.limit, args.judge_limit, args.topic, args.detector
    )
    options = Options(
        data,
        args.method,
        args.percentile,
        tuple(args.precision),
        tuple(args.keep),
        args.checkpoint,
        args.epochs,
    )
    out = args.out or Path("calibration") / args.bundle.resolve().name
    result = calibrate_bundle(args.bundle, options, out, _command())
    for key, measured in result.made.measured.items():
        top = "" if measured.top_label is None else f"same top label {measured.top_label:.2%}, "
        boxes = "" if measured.boxes is None else f"same boxes {measured.boxes:.2%}, "
        print(
            f"{key}: {top}{boxes}mean |Δp| {measured.mean_delta:.5f}"
            f" against fp32, {measured.compared} people"
        )
    print(f"report: {out}/report.md")
    return 0


def _command() -> str:
    """The call as it was made, for the report, which need not tell where somebody's home is."""
    return shlex.join(["caer", *map(_short, sys.argv[1:])])


def _short(word: str) -> str:
    """The last two parts of an absolute path; any other word as it is."""
    path = Path(word)
    return "/".join(path.parts[-2:]) if path.is_absolute() else word
