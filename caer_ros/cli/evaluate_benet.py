"""`caer evaluate` of a BENet checkpoint: the paper's Tables 1, 2 and 3, and what is beyond them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options that only checkpoints of BENet know."""
    group = parser.add_argument_group("for checkpoints of BENet, whose --data is EMOTIC's folder")
    group.add_argument(
        "--protocol",
        choices=("square", "published"),
        default="square",
        help="square: the whole picture in a square input. published: short side as trained, flip"
        " averaging, peaks looked for at full size, the paper's figures beside ours (%(default)s)",
    )
    group.add_argument("--flip", action="store_true", help="average with the mirrored picture")
    group.add_argument(
        "--heads",
        action="store_true",
        help="also join the person and background heads with the maps, a pass a person more",
    )
    group.add_argument(
        "--pictures", type=int, default=6, help="pictures with maps in --out (%(default)s)"
    )


def is_benet_checkpoint(path: Path) -> bool:
    """Whether `path` is a checkpoint of BENet, by the .json beside it."""
    beside = path.with_suffix(".json")
    if path.suffix != ".safetensors" or not beside.is_file():
        return False
    try:
        return json.loads(beside.read_text()).get("architecture") == "benet"
    except (ValueError, AttributeError):
        return False


def run_benet(args: argparse.Namespace) -> int:
    """Judge, write and print."""
    from caer_ros.core import InputError
    from caer_ros.training.benet.evaluate import (
        EvaluationChoice,
        evaluate_checkpoint,
        write_evaluation,
    )

    if args.pictures < 0:
        raise InputError(f"--pictures is {args.pictures}.", "Use 0 or more.")
    published = args.protocol == "published"
    choice = EvaluationChoice(
        args.data, args.split, published, args.flip, args.heads, args.workers, args.skip_bad
    )
    found = evaluate_checkpoint(args.target, choice)
    text = found.text(published)
    if args.out is not None:
        write_evaluation(found, args.out, args.pictures, text)
    print(json.dumps(found.verdict.as_dict(), indent=2) if args.json else text)
    return 0
