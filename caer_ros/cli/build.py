"""`caer build`: make the TensorRT engines of model bundles, or check that they can be made."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from caer_ros.bundles import Bundle
from caer_ros.engines.trt.profile import Profile

if TYPE_CHECKING:
    from caer_ros.deploy.trt_check import Checked
    from caer_ros.engines.trt.cache import CachedEngine
    from caer_ros.engines.trt.frame_format import FrameFormat


def add_parser(subparsers: Any) -> None:
    """Add `build` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "build",
        help="make the TensorRT engines of model bundles",
        description="Make TensorRT engines on this machine's NVIDIA GPU and keep them in the cache:"
        " an engine fits one GPU, one driver and one TensorRT. What is there already is not built"
        " again. Takes seconds on a large GPU, minutes on a Jetson.",
        epilog="Examples: caer build --all; caer build caer_net_s --precision int8; "
        "caer build benet --profile height=512,width=512:704:1024 --profile height=512:704:1024,"
        "width=512",
    )
    parser.add_argument("bundles", nargs="*", metavar="BUNDLE", help="bundle names or folders")
    parser.add_argument("--all", action="store_true", help="all installed bundles")
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "int8"),
        help="which of the bundle's files (default: each that it has)",
    )
    parser.add_argument(
        "--profile",
        action="append",
        metavar="AXIS=SIZES",
        help="sizes to build for, e.g. people=4,scenes=1 or height=512,width=512:704:1024"
        " (least:best:most); several make one engine for all of them (default: 1, 4, 8, 16 and 32"
        " people; frames from square to 2:1)",
    )
    parser.add_argument(
        "--frame",
        metavar="WIDTHxHEIGHT:ENCODING",
        help="make the engine that reads a camera's frames as they come, e.g. 1280x720:bgr8, and"
        " resizes them on the GPU; for BENet and face detectors. It is used for such frames alone,"
        " beside the bundle's ordinary engine, which must be there too",
    )
    parser.add_argument(
        "--workspace",
        type=int,
        default=0,
        metavar="MIB",
        help="most memory for one layer, 0: what is free; lower it where a build runs out of memory"
        " (%(default)s)",
    )
    parser.add_argument(
        "--dla",
        type=int,
        default=-1,
        metavar="CORE",
        help="put layers on this Deep Learning Accelerator of a Jetson, the rest on its GPU",
    )
    parser.add_argument(
        "--portable",
        action="store_true",
        help="one engine for all GPUs of compute capability 8.0 and newer; slower",
    )
    parser.add_argument("--force", action="store_true", help="build even what is there already")
    parser.add_argument(
        "--check",
        action="store_true",
        help="only prove, without a GPU, that the files parse, build and compute in the types meant"
        " (needs: pip install 'caer_ros[trt-check]')",
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Build or check everything asked for; one line, or one JSON entry, each."""
    jobs = list(_jobs(args))
    rows = [_check(args, *job) if args.check else _build(args, *job) for job in jobs]
    if args.json:
        print(json.dumps(rows, indent=2))
    return 0


def _jobs(args: argparse.Namespace) -> Iterator[tuple[Bundle, str]]:
    """Every bundle with every precision wanted; with --all only those that the bundle has."""
    from caer_ros.bundles import find_bundle, list_bundles
    from caer_ros.core import InputError

    if bool(args.bundles) == args.all:
        raise InputError("Name bundles or give --all.", "`caer models list` shows them.")
    if args.workspace < 0:
        raise InputError(f"--workspace is {args.workspace}.", "Give MiB, or 0 for no limit.")
    if args.frame and (args.all or args.profile):
        raise InputError("--frame goes with neither --all nor --profile.", "Name the bundles.")
    for bundle in list_bundles() if args.all else map(find_bundle, args.bundles):
        if args.precision is None:
            yield from ((bundle, precision) for precision in bundle.precisions())
        elif not args.all or args.precision in bundle.files:
            yield bundle, args.precision


def _profiles(args: argparse.Namespace, bundle: Bundle) -> tuple[Profile, ...]:
    from caer_ros.engines.trt.profile import default_profiles, parse_profile

    if args.profile:
        return tuple(map(parse_profile, args.profile))
    return default_profiles(bundle.inputs)


def _frame(args: argparse.Namespace) -> FrameFormat | None:
    from caer_ros.engines.trt.frame_format import FrameFormat

    return FrameFormat.parse(args.frame) if args.frame else None


def _title(args: argparse.Namespace, bundle: Bundle, precision: str) -> str:
    return f"{bundle.name} {precision}" + (f" {args.frame}" if args.frame else "")


def _build(args: argparse.Namespace, bundle: Bundle, precision: str) -> dict[str, Any]:
    title = _title(args, bundle, precision)
    engine = _provide(args, bundle, precision, title)
    if not args.json:
        how = f"built in {engine.side.seconds:.1f} s" if engine.fresh else "was there already"
        print(f"{title}: {engine.path} ({engine.side.size / 2**20:.1f} MiB, {how})")
    return {
        "bundle": bundle.name,
        "precision": precision,
        "frame": args.frame,
        "engine": str(engine.path),
        "size": engine.side.size,
        "seconds": engine.side.seconds,
        "fresh": engine.fresh,
        "profiles": engine.side.key.profile.split(),
    }


def _provide(args: argparse.Namespace, bundle: Bundle, precision: str, title: str) -> CachedEngine:
    from caer_ros.engines.trt.builder import BuildOptions
    from caer_ros.engines.trt.frame_build import provide_frame_engine
    from caer_ros.engines.trt.provide import provide_engine
    from caer_ros.perception.frame_layout import bundle_layout

    def say(line: str) -> None:
        print(f"{title}: {line}", file=sys.stderr, flush=True)

    path = bundle.model_file(precision, "tensorrt")
    limits = (args.workspace, args.dla, args.portable)
    name = f"{bundle.name}-{precision}"
    frame = _frame(args)
    if frame is None:
        options = BuildOptions(precision, _profiles(args, bundle), *limits)
        return provide_engine(path, options, say, anew=args.force, name=name)
    layout = bundle_layout(bundle, frame.width, frame.height)
    options = BuildOptions(precision, (), *limits)
    return provide_frame_engine(path, frame, layout, options, say, anew=args.force, name=name)


def _check_file(args: argparse.Namespace, bundle: Bundle, precision: str) -> Checked:
    from caer_ros.deploy.trt_check import check_file
    from caer_ros.engines.trt.frame_build import frame_file
    from caer_ros.perception.frame_layout import bundle_layout

    path = bundle.model_file(precision, "tensorrt")
    frame = _frame(args)
    if frame is None:
        return check_file(path, precision, _profiles(args, bundle))
    layout = bundle_layout(bundle, frame.width, frame.height)
    with frame_file(path, frame, layout) as with_frame:
        return check_file(with_frame, precision, [Profile({})])


def _check(args: argparse.Namespace, bundle: Bundle, precision: str) -> dict[str, Any]:
    checked = _check_file(args, bundle, precision)
    if not args.json:
        layers = ", ".join(f"{count} {kind}" for kind, count in checked.count().items())
        print(
            f"{_title(args, bundle, precision)}: parses and builds ({checked.seconds:.1f} s,"
            f" {checked.size / 2**20:.1f} MiB); convolutions and matrix products: {layers}"
        )
    return {
        "bundle": bundle.name,
        "precision": precision,
        "frame": args.frame,
        "seconds": round(checked.seconds, 1),
        "size": checked.size,
        "types": dict(checked.types),
    }
