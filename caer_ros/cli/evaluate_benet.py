"""`caer evaluate` of a BENet checkpoint (the paper's tables, and what is beyond) or bundle."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from caer_ros.core import InputError

_PICTURES = 6


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options that only checkpoints of BENet know."""
    group = parser.add_argument_group("for checkpoints of BENet, whose --data is EMOTIC's folder")
    group.add_argument(
        "--protocol",
        choices=("square", "published"),
        help="square: the whole picture in a square input. published: short side as trained, flip"
        " averaging, peaks looked for at full size, the paper's figures beside ours (square)",
    )
    group.add_argument("--flip", action="store_true", help="average with the mirrored picture")
    group.add_argument(
        "--heads",
        action="store_true",
        help="also join the person and background heads with the maps, a pass a person more",
    )
    group.add_argument("--pictures", type=int, help=f"pictures with maps in --out ({_PICTURES})")


def refuse_for_bundle(args: argparse.Namespace) -> None:
    """Refuse what only checkpoints know: a bundle runs as the robot runs it, and not otherwise.

    Raises:
        InputError: such an option was given.
    """
    names = ("protocol", "flip", "heads", "pictures", "workers")
    # 0 is given, too: `in` would take it for False.
    given = [f"--{n}" for n in names if not any(getattr(args, n) is no for no in (None, False))]
    if given:
        raise InputError(
            f"{' and '.join(given)}: only for checkpoints, and {args.target} is a bundle.",
            "Leave it out, or name the .safetensors of a run.",
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
    from caer_ros.training.benet.evaluate import (
        EvaluationChoice,
        evaluate_checkpoint,
        write_evaluation,
    )

    pictures = _PICTURES if args.pictures is None else args.pictures
    if pictures < 0:
        raise InputError(f"--pictures is {pictures}.", "Use 0 or more.")
    published = args.protocol == "published"
    choice = EvaluationChoice(
        args.data, args.split, published, args.flip, args.heads, args.workers or 0, args.skip_bad
    )
    found = evaluate_checkpoint(args.target, choice)
    text = found.text(published)
    if args.out is not None:
        write_evaluation(found, args.out, pictures, text)
    print(json.dumps(found.verdict.as_dict(), indent=2) if args.json else text)
    return 0


def is_benet_bundle(path: Path) -> bool:
    """Whether `path` is the folder of a bundle that finds people by itself."""
    from caer_ros.bundles import read_bundle
    from caer_ros.perception.benet import TASK

    return (path / "model.yaml").is_file() and read_bundle(path).task == TASK


def run_benet_bundle(args: argparse.Namespace) -> int:
    """Judge a bundle as the robot would run it, write and print."""
    from dataclasses import replace

    from caer_ros.bundles import read_bundle, write_atomically
    from caer_ros.engines import choose_backend
    from caer_ros.evaluation.benet.bundle_people import check_labels
    from caer_ros.evaluation.benet.judge_maps_bundle import judge_maps_bundle
    from caer_ros.perception import PipelineConfig
    from caer_ros.perception.benet import BenetReader
    from caer_ros.training.benet.data import data_of, open_images

    bundle, (backend, _) = read_bundle(args.target), choose_backend(args.backend)
    check_labels(bundle)
    images = open_images(replace(data_of(args.data, None), skip_bad=args.skip_bad), args.split)
    reader = BenetReader.open(bundle, PipelineConfig(precision=args.precision), backend)
    try:
        scores = judge_maps_bundle(reader, images, bundle.labels)
    finally:
        reader.close()
    told = json.dumps(scores.as_dict(), indent=2)
    if args.out is not None:
        write_atomically(args.out / "evaluation.json", (told + "\n").encode())
    print(told if args.json else scores.text())
    return 0
