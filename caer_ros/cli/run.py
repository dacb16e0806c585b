"""`caer run`: what the node does, without ROS."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import ExitStack

    from caer_ros.perception import PipelineConfig
    from caer_ros.perception.bags.bag_writer import EmotionBag
    from caer_ros.perception.frames import Source


def add_parser(subparsers: Any) -> None:
    """Add `caer run`."""
    parser = subparsers.add_parser(
        "run",
        help="emotions in an image, folder, video, camera or bag",
        description="Find the people in SOURCE and print how they feel, one line a person. Of the "
        "same bag, with the same options, a machine makes the same output, byte for byte.",
        epilog="Examples: caer run party.jpg --overlay party_emotions.png; "
        "caer run ride/ --topic /front/image_raw --bag ride_emotions",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="image, folder of images, video file, bag (folder, .mcap or .db3), /dev/videoN or 0",
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
    group = parser.add_argument_group("bags")
    group.add_argument(
        "--topic", default="", help="of the images, where a bag has several such topics"
    )
    group.add_argument(
        "--bag", metavar="OUT", type=Path, help="write a new bag (a folder) with /emotions"
    )
    group.add_argument(
        "--copy", action="store_true", help="with --bag: everything else of SOURCE, too"
    )
    from caer_ros.cli.options import add_people_options, add_pipeline_options

    add_pipeline_options(parser)
    add_people_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Process every frame of the source; see the parser's help."""
    from contextlib import ExitStack
    from itertools import islice

    from tqdm import tqdm

    from caer_ros.cli.options import pipeline_config
    from caer_ros.perception import Pipeline, draw_overlay
    from caer_ros.perception.report import result_to_dict, result_to_lines
    from caer_ros.perception.sources import open_source
    from caer_ros.perception.writer import open_writer

    config = pipeline_config(args)
    source = open_source(args.source, args.topic)
    _check(args, source)
    skipped = _count_skipped(source)
    with ExitStack() as stack:
        bag = _open_bag(args, source, stack)
        pipeline = stack.enter_context(Pipeline.open(_for_kind(config, source.kind)))
        writer = stack.enter_context(open_writer(args.overlay, source.kind, source.fps))
        if pipeline.notice:
            print(f"Note: {pipeline.notice}", file=sys.stderr)
        progress = tqdm(
            islice(source, args.frames),
            total=source.count if args.frames is None else args.frames,
            unit="frame",
            disable=None if source.kind != "image" else True,
        )
        for frame in progress:
            result = pipeline.process(
                frame.image, "bgr8", want_maps=writer.wanted, stamp=frame.time
            )
            if writer.wanted:
                writer.write(draw_overlay(frame.image, "bgr8", result), frame.name)
            if bag is not None and frame.origin is not None:
                bag.write(frame.origin, result.people)
            if args.json:
                row = result_to_dict(frame.name, frame.time, result, frame.origin)
                print(json.dumps(row), flush=True)
            else:
                for line in result_to_lines(frame.name, result):
                    tqdm.write(line, file=sys.stdout)
            for warning in result.warnings:
                _tell(f"{frame.name}: {warning}")
    for name, path in (("Overlay", args.overlay), ("Bag", args.bag)):
        if path:
            print(f"{name}: {path}", file=sys.stderr)
    if skipped:
        print(f"Images that could not be read: {len(skipped)}", file=sys.stderr)
    return 1 if skipped else 0


def _check(args: argparse.Namespace, source: Source) -> None:
    from caer_ros.core import InputError

    if args.frames is not None and args.frames < 1:
        raise InputError(f"--frames is {args.frames}.", "Use 1 or more.")
    if args.copy and not args.bag:
        raise InputError("--copy copies into a bag.", "Name it with --bag.")
    for option, given in (("--bag", args.bag), ("--topic", args.topic)):
        if given and source.kind != "bag":
            raise InputError(f"{args.source} is no bag, which {option} is for.", "Leave it out.")


def _for_kind(config: PipelineConfig, kind: str) -> PipelineConfig:
    """Pictures of a folder have nothing to do with each other, unless somebody says they have."""
    from dataclasses import replace

    stills = kind in ("image", "folder") and config.tracking == "auto"
    return replace(config, tracking="never") if stills else config


def _count_skipped(source: Source) -> list[str]:
    """A list that grows with every image of a bag that can not be read."""
    from caer_ros.perception.bags.bag_source import BagSource

    skipped: list[str] = []

    def note(error: Exception) -> None:
        skipped.append(str(error))
        _tell(f"caer run: left out: {error}")

    if isinstance(source, BagSource):
        source.skipped = note
    return skipped


def _open_bag(args: argparse.Namespace, source: Source, stack: ExitStack) -> EmotionBag | None:
    from caer_ros.perception.bags.bag_source import BagSource
    from caer_ros.perception.bags.bag_writer import EmotionBag

    if args.bag is None or not isinstance(source, BagSource):
        return None
    bag = stack.enter_context(EmotionBag(args.bag, source.bag.storage))
    if args.copy:
        for line in bag.take_topics(source.bag):
            _tell(f"caer run: {line}")
        source.passed_on = bag.copy
    return bag


def _tell(line: str) -> None:
    """On stderr, above the progress bar."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)
