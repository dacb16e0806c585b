"""`caer bench report`: all benchmarks in one run, as docs/performance.md."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from caer_ros.cli.bench_engines import add_turn_options, find_or_make, progress, tell, turn_settings

_FRAME = (640, 480)
# Fewer than the single benchmarks take: all of it is to be done in some minutes.
_ROUNDS, _FRAMES = 10, 60


def add_parser(subparsers: Any) -> None:
    """Add `report` to the sub-parsers of `bench`."""
    parser = subparsers.add_parser(
        "report",
        help="all benchmarks in one run, as docs/performance.md",
        description="Time an untrained BENet and the CAER-Net-S bundle on every back end, then the "
        "pipeline, and write the page. Takes six minutes or so; leave the machine alone.",
        epilog="Example: caer bench report --threads 2",
    )
    parser.add_argument("--out", type=Path, default=Path("docs/performance.md"), metavar="FILE")
    parser.add_argument(
        "--benet", default="untrained-benet", help="bundle name or folder (%(default)s)"
    )
    parser.add_argument("--caer", default="caer_net_s", help="bundle name or folder (%(default)s)")
    parser.add_argument("--size", type=int, default=512, help="BENet's input (%(default)s)")
    parser.add_argument("--frames", type=int, help="of the pipeline (%(default)s)")
    add_turn_options(parser)
    parser.set_defaults(run=run, rounds=_ROUNDS, frames=_FRAMES)


def run(args: argparse.Namespace) -> int:
    """Measure everything and write the page."""
    import tempfile

    from caer_ros.deploy.bench_engines import bench_engines
    from caer_ros.deploy.bench_whole import run_messages, run_node, run_pipelines
    from caer_ros.deploy.performance_page import write_page

    settings = turn_settings(args, height=args.size, width=args.size)
    with tempfile.TemporaryDirectory() as scratch:
        engines = [
            bench_engines(find_or_make(model, Path(scratch), args.size), settings, progress, tell)
            for model in (args.benet, args.caer)
        ]
    width, height = _FRAME
    sizes = ["--width", str(width), "--height", str(height), "--frames", str(args.frames)]
    pipelines = run_pipelines([*sizes, "--threads", str(settings.threads)], tell)
    messages, no_messages = run_messages(width, height)
    tell("the node over DDS")
    node = run_node([*sizes[:4], "--threads", str(settings.threads), "--rounds", str(args.rounds)])
    write_page(args.out, engines, pipelines, messages, no_messages, _command(args), node)
    print(f"wrote {args.out}", file=sys.stderr)
    return 0


def _command(args: argparse.Namespace) -> str:
    """The call that made a page, less what names a place on this machine."""
    given = [
        f"--{name} {getattr(args, name)}"
        for name, default in (
            ("size", 512),
            ("frames", _FRAMES),
            ("threads", 0),
            ("rounds", _ROUNDS),
        )
        if getattr(args, name) != default
    ]
    for name, default in (("benet", "untrained-benet"), ("caer", "caer_net_s")):
        if getattr(args, name) != default:
            given.append(f"--{name} {Path(getattr(args, name)).name}")
    if args.rows:
        given.append(shlex.join(["--rows", *args.rows]))
    return " ".join(["caer bench report", *given])
