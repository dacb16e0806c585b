"""`caer run`: what the node does, without ROS."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `caer run`."""
    parser = subparsers.add_parser(
        "run",
        help="emotions in an image, folder, video or camera",
        description="Find the people in SOURCE and print how they feel, one line a person.",
        epilog="Example: caer run party.jpg --overlay party_emotions.png",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="image, folder of images, video file, /dev/videoN or 0"
    )
    parser.add_argument(
        "--overlay",
        metavar="PATH",
        type=Path,
        help="also draw what was found: an image for an image, a folder for a folder, else an mp4",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a frame")
    parser.add_argument(
        "--frames",
        type=int,
        metavar="N",
        help="stop after N frames (a camera never ends by itself)",
    )
    from caer_ros.cli.options import add_pipeline_options

    add_pipeline_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Process every frame of the source; see the parser's help."""
    from itertools import islice

    from tqdm import tqdm

    from caer_ros.cli.options import pipeline_config
    from caer_ros.perception import Pipeline, draw_overlay
    from caer_ros.perception.report import result_to_dict, result_to_lines
    from caer_ros.perception.sources import open_source
    from caer_ros.perception.writer import open_writer

    config = pipeline_config(args)
    source = open_source(args.source)
    with (
        Pipeline.open(config) as pipeline,
        open_writer(args.overlay, source.kind, source.fps) as writer,
    ):
        if pipeline.notice:
            print(f"Note: {pipeline.notice}", file=sys.stderr)
        progress = tqdm(
            islice(source, args.frames),
            total=source.count if args.frames is None else args.frames,
            unit="frame",
            disable=None if source.kind != "image" else True,
        )
        for frame in progress:
            result = pipeline.process(frame.image, "bgr8", want_maps=writer.wanted)
            if writer.wanted:
                writer.write(draw_overlay(frame.image, "bgr8", result), frame.name)
            if args.json:
                print(json.dumps(result_to_dict(frame.name, frame.time, result)), flush=True)
            else:
                for line in result_to_lines(frame.name, result):
                    tqdm.write(line, file=sys.stdout)
            for warning in result.warnings:
                tqdm.write(f"{frame.name}: {warning}", file=sys.stderr)
    if args.overlay:
        print(f"Overlay: {args.overlay}", file=sys.stderr)
    return 0
