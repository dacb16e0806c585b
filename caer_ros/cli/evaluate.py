"""`caer evaluate`: score a bundle or a checkpoint."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caer_ros.cli.evaluate_benet import (
    add_options,
    is_benet_bundle,
    is_benet_checkpoint,
    refuse_for_bundle,
    run_benet,
    run_benet_bundle,
)
from caer_ros.cli.evaluate_teacher import is_teacher, judge_teacher, run_teacher
from caer_ros.core import CaerError, InputError

if TYPE_CHECKING:
    from caer_ros.evaluation.breakdown import Breakdown
    from caer_ros.evaluation.judge import Verdict


def add_parser(subparsers: Any) -> None:
    """Add `evaluate` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score a bundle or a checkpoint",
        description="Score a checkpoint of `caer train`, or a bundle as the robot would run it: on"
        " a folder laid out like CAER-S or CAER (BENet: EMOTIC), or on the data of a recipe. On a"
        " folder of `caer data faces`, which has no labels: agreement with the teacher on held-out"
        " sources.",
        epilog="Example: caer evaluate models/caer_net_s --precision int8 --data CAER-S",
    )
    parser.add_argument(
        "target",
        type=Path,
        help="bundle folder, .safetensors of `caer train`, or the teacher's unpacked package",
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder, or recipe .yaml whose data are meant"
    )
    parser.add_argument(
        "--split", default="test", choices=("train", "validation", "test"), help="(%(default)s)"
    )
    parser.add_argument("--precision", default="fp32", help="of a bundle (default: %(default)s)")
    parser.add_argument("--backend", default="auto", help="of a bundle (default: %(default)s)")
    parser.add_argument("--workers", type=int, help="that load, of a checkpoint (0)")
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave unreadable files out, and say which"
    )
    parser.add_argument(
        "--only",
        choices=("face", "scene"),
        help="of a checkpoint with both streams: show it nothing else",
    )
    parser.add_argument(
        "--face-size",
        type=float,
        metavar="TIMES",
        help="of a bundle that reads pictures: make the boxes of faces smaller or larger than the"
        " data set's, as another detector would (1.2: by a fifth)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--out", type=Path, help="folder for evaluation.json and pictures")
    unlabelled = parser.add_argument_group("for folders of `caer data faces`")
    unlabelled.add_argument("--hold-out", nargs="*", action="extend", default=[], metavar="SOURCE")
    unlabelled.add_argument("--teacher", type=Path, help="unpacked @vladmandic/face-api package")
    unlabelled.add_argument("--limit", type=int, default=10_000, help="most people (%(default)s)")
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score, write and print."""
    from caer_ros.bundles import write_atomically
    from caer_ros.evaluation.breakdown import breakdown_dict, breakdown_text
    from caer_ros.evaluation.verdict_text import draw_confusion, verdict_text

    benet, unlabelled = is_benet_checkpoint(args.target), (args.data / "faces.csv").is_file()
    if args.only is not None and (benet or unlabelled or args.target.is_dir()):
        raise InputError(
            "--only is for checkpoints of CAER-Net on labelled people.",
            "Name the .safetensors of its run, and a folder laid out like CAER-S or CAER.",
        )
    if (args.target / "model.yaml").is_file():
        refuse_for_bundle(args)
    benet_bundle = is_benet_bundle(args.target)
    if args.face_size is not None:
        _check_face_size(args, benet_bundle or unlabelled)
    if benet:
        return run_benet(args)
    if benet_bundle:
        return run_benet_bundle(args)
    if unlabelled:
        return run_teacher(args)
    parts: Breakdown = {}
    if is_teacher(args.target):
        verdict = judge_teacher(args)
    elif args.target.is_dir():
        verdict, parts = _judge_bundle(args)
    else:
        verdict = _judge_checkpoint(args)
    more = {"breakdown": breakdown_dict(parts)} if parts else {}
    told = json.dumps(verdict.as_dict() | more, indent=2)
    text = f"{verdict_text(verdict)}\n{breakdown_text(parts)}".rstrip()
    if args.out is not None:
        write_atomically(args.out / "evaluation.json", (told + "\n").encode())
        draw_confusion(verdict.scores, args.out / "confusion.png")
    print(told if args.json else text)
    return 0


def _judge_checkpoint(args: argparse.Namespace) -> Verdict:
    from dataclasses import replace

    from caer_ros.datasets.only import Only
    from caer_ros.evaluation.judge import judge_network
    from caer_ros.networks.checkpoint import load_network, read_meta
    from caer_ros.training.recipe_data import data_of, open_split

    network = load_network(args.target)
    recipe = read_meta(args.target, None)["extra"].get("recipe", {})
    # A distilled checkpoint's recipe says nothing about cuts: it has the network's own.
    trained = recipe if "epochs" in recipe else None
    choice = replace(data_of(args.data, trained), skip_bad=args.skip_bad)
    source = open_split(network, choice, args.split)
    if args.only is not None:
        if not (network.reads_face and network.reads_context):
            raise InputError(
                f"This network has one stream, and --only {args.only} leaves out one of two.",
                "Evaluate it without --only.",
            )
        source = Only(source, args.only)
    return judge_network(network, source, args.workers or 0)


def _judge_bundle(args: argparse.Namespace) -> tuple[Verdict, Breakdown]:
    from caer_ros.bundles import read_bundle
    from caer_ros.cli.labelled import open_labelled
    from caer_ros.engines import choose_backend
    from caer_ros.evaluation.answers import Pictures
    from caer_ros.evaluation.breakdown import break_down
    from caer_ros.evaluation.clip_answers import Videos
    from caer_ros.evaluation.judge import judge_bundle
    from caer_ros.evaluation.resized_faces import ResizedFaces

    backend, _ = choose_backend(args.backend)
    bundle = read_bundle(args.target)
    data = open_labelled(bundle, args.data, args.split)
    samples: Pictures | Videos = data.samples
    if args.face_size is not None:
        if isinstance(samples, Videos):
            raise _no_face_size()
        samples = ResizedFaces(samples, args.face_size)
    on_bad = _tell if args.skip_bad else None
    verdict = judge_bundle(bundle, samples, args.precision, backend, on_bad)
    answers = verdict.answers
    assert answers is not None
    names = [data.names[place] for place in answers.sample]
    found = break_down(verdict.probabilities, verdict.labels, answers.face, data.facts, names)
    return verdict, found


def _check_face_size(args: argparse.Namespace, other: bool) -> None:
    if not 0 < args.face_size <= 10:
        raise InputError(f"--face-size is {args.face_size}.", "Use more than 0 and at most 10.")
    if other or not (args.target / "model.yaml").is_file():
        raise _no_face_size()


def _no_face_size() -> InputError:
    return InputError(
        "--face-size is for bundles that read labelled pictures.",
        "Leave it out, or name a CAER-Net-S bundle and a folder laid out like CAER-S.",
    )


def _tell(error: CaerError) -> None:
    print(f"caer evaluate: skipped: {error}", file=sys.stderr)
