"""`caer bench`: what a frame costs here, stage by stage."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from caer_ros.cli import (
    bench_data,
    bench_engines,
    bench_motion,
    bench_node,
    bench_people,
    bench_report,
)


def add_parser(subparsers: Any) -> None:
    """Add `caer bench`."""
    parser = subparsers.add_parser(
        "bench",
        help="time the pipeline stage by stage, beside its bare networks",
        description="Time the pipeline on one picture, stage by stage, and its bare networks in "
        "the same run. Read the ratios: absolute times change with the machine's load.",
        epilog="Example: caer bench --precision int8 --threads 2",
    )
    parser.add_argument(
        "--image", metavar="FILE", help="picture with people (default: a demo photograph)"
    )
    parser.add_argument("--width", type=int, default=640, help="frame width (%(default)s)")
    parser.add_argument("--height", type=int, default=480, help="frame height (%(default)s)")
    parser.add_argument("--frames", type=int, default=100, help="measured frames (%(default)s)")
    parser.add_argument("--warm-up", type=int, default=10, help="frames before (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    from caer_ros.cli.options import add_pipeline_options

    add_pipeline_options(parser)
    parser.set_defaults(run=run)
    kinds = parser.add_subparsers(metavar="KIND", title="other benchmarks")
    bench_data.add_parser(kinds)
    bench_people.add_parser(kinds)
    bench_motion.add_parser(kinds)
    bench_engines.add_parser(kinds)
    bench_node.add_parser(kinds)
    bench_report.add_parser(kinds)


def run(args: argparse.Namespace) -> int:
    """Measure and print a table."""
    from pathlib import Path

    from tqdm import tqdm

    from caer_ros.bundles.install import photos_folder
    from caer_ros.cli.options import pipeline_config
    from caer_ros.core import InputError
    from caer_ros.deploy.bench_pipeline import bench_pipeline, fit
    from caer_ros.perception import Pipeline
    from caer_ros.perception.sources import read_image

    if min(args.frames, args.width, args.height) < 1 or args.warm_up < 0:
        raise InputError("--frames, --width and --height must be at least 1, --warm-up at least 0.")
    path = Path(args.image) if args.image else photos_folder() / "astronaut.png"
    image = fit(read_image(path), args.width, args.height)
    with Pipeline.open(pipeline_config(args)) as pipeline:
        report = bench_pipeline(
            pipeline,
            image,
            args.frames,
            args.warm_up,
            lambda loop: tqdm(loop, unit="frame", disable=None, file=sys.stderr),
        )
    if args.json:
        print(json.dumps(report.to_dict(), indent=2))
        return 0
    print(", ".join(f"{key}: {value}" for key, value in report.about.items()))
    print(f"{report.width}x{report.height}, {report.people} people, {report.frames} frames")
    print(f"{'stage':<16}{'p50 ms':>9}{'p95 ms':>9}{'share':>8}")
    for row in report.rows:
        print(f"{row.stage:<16}{row.p50_ms:>9.2f}{row.p95_ms:>9.2f}{row.share:>8.1%}")
    print(f"pipeline / bare networks: {report.bare_ratio:.3f}")
    print(f"peak memory of this process: {report.peak_memory_mb:.0f} MB")
    return 0
