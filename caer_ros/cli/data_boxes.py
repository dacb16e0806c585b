"""`caer data boxes`: detect the faces of a data set once and keep the boxes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caer_ros.cli.options import add_detector_options

if TYPE_CHECKING:
    from caer_ros.datasets.face_boxes import FileFaces


def add_parser(subparsers: Any) -> None:
    """Add `caer data boxes`."""
    parser = subparsers.add_parser(
        "boxes",
        help="detect the faces of a data set once and keep the boxes",
        description="Detect all faces of every picture, or of 10 frames a second of every video, "
        "below ROOT. The most confident face is the subject, all of them are hidden from the "
        "context. Kill it whenever you like: the next call goes on where it stopped.",
        epilog="Example: caer data boxes CAER-S --lists CAER-S ; the lists are then what training "
        "reads: CLASS/FILE,LABEL,X1,Y1,X2,Y2, zeros where no face was found.",
    )
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder with train/, test/ ...")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the cache (default: ROOT/faces.jsonl)"
    )
    parser.add_argument(
        "--lists", type=Path, metavar="DIR", help="also write DIR/train.csv ... (pictures only)"
    )
    add_detector_options(parser)
    parser.add_argument(
        "--skip-bad", action="store_true", help="count unreadable files and go on without them"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fill the cache and say what is in it."""
    from caer_ros.cli.data_detector import open_detector
    from caer_ros.core import InputError
    from caer_ros.datasets.box_report import check_no_lists, draw_examples, write_lists
    from caer_ros.datasets.face_boxes import NAME, detect_all
    from caer_ros.datasets.layouts import read_dataset

    data = read_dataset(args.root)
    if args.lists and data.kind != "image":
        raise InputError(f"{args.root} holds videos.", "Lists have one box a picture: no --lists.")
    if args.lists:
        check_no_lists(args.lists)  # now, not after hours of detection
    cache = args.out or args.root / NAME
    bad: list[Path] = []

    def note_bad(path: Path, error: InputError) -> None:
        bad.append(path)
        print(error, file=sys.stderr)

    detector, settings = open_detector(args)
    try:
        boxes = detect_all(data, detector, settings, cache, note_bad if args.skip_bad else None)
    finally:
        detector.close()
    _describe(boxes, len(bad))
    sheet = cache.with_suffix(".png")
    if draw_examples(data, boxes, sheet):
        print(f"Boxes: {cache}\nExamples: {sheet}", file=sys.stderr)
    if args.lists:
        write_lists(data, boxes, args.lists)
        print(f"Lists: {args.lists}", file=sys.stderr)
    return 0


def _describe(boxes: dict[str, FileFaces], bad: int) -> None:
    frames = sum(len(faces.frames) for faces in boxes.values())
    found = sum(faces.found for faces in boxes.values())
    people = sum(len(f) for faces in boxes.values() for f in faces.frames.values())
    print(
        f"{len(boxes)} files, {frames} frames: {people} faces, "
        f"{frames - found} frames without a face, {bad} files skipped"
    )
