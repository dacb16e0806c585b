"""`caer bench engines`: one network on every back end that is here, side by side."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caer_ros.bundles import Bundle
    from caer_ros.deploy.bench_engines import Settings


def add_parser(subparsers: Any) -> None:
    """Add `engines` to the sub-parsers of `bench`."""
    parser = subparsers.add_parser(
        "engines",
        help="torch, ONNX Runtime, OpenVINO and TensorRT, side by side",
        description="Run a bundle's network on every back end and in every precision that is here, "
        "each in a process of its own, in turns. Read the ratios: absolute times change with the "
        "machine's load. Rows that can not run say why.",
        epilog="Example: caer bench engines caer_net_s --threads 2 --plot engines.png",
    )
    parser.add_argument(
        "model",
        nargs="?",
        default="caer_net_s",
        help="bundle name or folder, or `untrained-benet`: random weights, cost only (%(default)s)",
    )
    parser.add_argument("--batch", type=int, default=1, help="pictures a run (%(default)s)")
    parser.add_argument("--height", type=int, default=512, help="BENet's input (%(default)s)")
    parser.add_argument("--width", type=int, default=512, help="BENet's input (%(default)s)")
    parser.add_argument(
        "--checkpoint", default="", metavar="FILE", help="weights for torch's rows (untrained)"
    )
    parser.add_argument("--plot", type=Path, metavar="PNG", help="write the medians as a bar chart")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_turn_options(parser)
    parser.set_defaults(run=run)


def add_turn_options(parser: argparse.ArgumentParser) -> None:
    """Rows, threads, rounds and length of a turn."""
    parser.add_argument(
        "--rows",
        nargs="+",
        action="extend",
        metavar="ROW",
        help='some of the rows, such as "openvino int8"',
    )
    parser.add_argument("--threads", type=int, default=0, help="0: one a core (%(default)s)")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each row (%(default)s)")
    parser.add_argument(
        "--turn", type=float, default=0.3, metavar="SECONDS", help="one turn (%(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print, draw."""
    import tempfile

    from caer_ros.deploy.bench_engines import bench_engines
    from caer_ros.deploy.bench_text import plot, to_lines

    settings = turn_settings(args)
    with tempfile.TemporaryDirectory() as scratch:
        bundle = find_or_make(args.model, Path(scratch), min(args.height, args.width))
        report = bench_engines(bundle, settings, progress, tell)
    if args.plot:
        plot([report], args.plot)
    print(json.dumps(report.to_dict(), indent=2) if args.json else "\n".join(to_lines(report)))
    return 0


def turn_settings(args: argparse.Namespace, **more: Any) -> Settings:
    """The Settings that these options ask for; `more` overrides them."""
    from caer_ros.deploy.bench_engines import Settings
    from caer_ros.deploy.bench_jobs import NO_GPU, ROWS
    from caer_ros.deploy.machine import cores, has_nvidia_gpu

    given = vars(args)
    chosen = {
        name: given[name] for name in ("batch", "height", "width", "checkpoint") if name in given
    }
    rows = tuple(args.rows or (ROWS if has_nvidia_gpu() else NO_GPU))
    return Settings(
        **{"rows": rows, "threads": args.threads or cores(), "rounds": args.rounds}
        | {"turn_s": args.turn}
        | chosen
        | more
    )


def find_or_make(model: str, scratch: Path, short_side: int) -> Bundle:
    """The bundle of this name, or an untrained BENet below `scratch`."""
    if model != "untrained-benet":
        from caer_ros.bundles import find_bundle

        return find_bundle(model)
    from caer_ros.deploy.bench_untrained import untrained_bundle
    from caer_ros.networks.registry import build_network

    tell("exporting and quantising a BENet with random weights")
    return untrained_bundle(build_network("benet").eval(), scratch / model, short_side)


def tell(line: str) -> None:
    """Progress goes to stderr."""
    print(f"caer bench: {line}", file=sys.stderr)


def progress(loop: Any) -> Any:
    """A bar on stderr."""
    from tqdm import tqdm

    return tqdm(loop, unit="round", disable=None, file=sys.stderr)
