"""`caer bench node`: what ROS costs around the pipeline, measured over DDS."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `node` to the sub-parsers of `bench`."""
    parser = subparsers.add_parser(
        "node",
        help="the node over DDS beside the bare pipeline",
        description="Send one picture to the emotion node in a process of its own, wait for each "
        "answer, and run the bare pipeline on it in turns: what ROS adds to a frame and takes from "
        "the rate. Needs ROS 2. Read the ratios: absolute times change with the machine's load.",
        epilog="Example: caer bench node --precision int8 --threads 2",
    )
    parser.add_argument(
        "--image", metavar="FILE", help="picture with people (default: a demo photograph)"
    )
    parser.add_argument("--width", type=int, default=640, help="frame width (%(default)s)")
    parser.add_argument("--height", type=int, default=480, help="frame height (%(default)s)")
    parser.add_argument("--frames", type=int, default=10, help="frames a turn (%(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    from caer_ros.cli.options import add_pipeline_options

    add_pipeline_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print a table."""
    import importlib.util
    import subprocess
    import tempfile

    import cv2

    from caer_ros.bundles.install import photos_folder
    from caer_ros.cli.options import pipeline_config
    from caer_ros.core import InputError
    from caer_ros.deploy.bench_pipeline import fit
    from caer_ros.perception.sources import read_image

    if min(args.frames, args.rounds, args.width, args.height) < 1:
        raise InputError("--frames, --rounds, --width and --height must be at least 1.")
    if importlib.util.find_spec("rclpy") is None:
        raise InputError(
            "ROS 2 is not to be found.", "Source its setup file, or run `caer bench` without it."
        )
    path = Path(args.image) if args.image else photos_folder() / "astronaut.png"
    with tempfile.TemporaryDirectory() as scratch:
        frame = Path(scratch) / "frame.png"
        cv2.imwrite(str(frame), fit(read_image(path), args.width, args.height))
        # A process of its own: nothing but the node's room may import ROS.
        call = [sys.executable, "-m", "caer_ros.ros.bench_node", "--image", str(frame)]
        config = {k: v for k, v in asdict(pipeline_config(args)).items() if k != "cameras"}
        call += ["--config", json.dumps(config)]
        call += ["--rounds", str(args.rounds), "--frames", str(args.frames)]
        done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return done.returncode
    report = json.loads(done.stdout)
    print(json.dumps(report, indent=2) if args.json else "\n".join(to_lines(report)))
    return 0


def to_lines(report: dict[str, Any]) -> list[str]:
    """The report as text."""
    rows = (
        ("bare pipeline", report["bare"]),
        ("pipeline inside the node", report["inside"]),
        ("image sent to answer received", report["end_to_end"]),
    )
    return [
        ", ".join(f"{key}: {value}" for key, value in report["about"].items()),
        f"{report['width']}x{report['height']}, {report['people']} people, "
        f"{report['rounds']} rounds, {report['lost']} images lost",
        f"{'':<32}{'p50 ms':>9}{'p95 ms':>9}",
        *(f"{name:<32}{half:>9.2f}{most:>9.2f}" for name, (half, most) in rows),
        f"the node and DDS both ways add {report['overhead']:.1%} to a frame",
        f"frames a second: {report['bare_rate']:.1f} bare, {report['node_rate']:.1f} through the "
        f"node ({report['rate_overhead']:+.1%} time a frame)",
    ]
