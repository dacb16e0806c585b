"""`caer evaluate`: score a bundle or a checkpoint."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caer_ros.core import InputError

if TYPE_CHECKING:
    import numpy as np

    from caer_ros.datasets.people import People


def add_parser(subparsers: Any) -> None:
    """Add `evaluate` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score a bundle or a checkpoint",
        description="On a folder laid out like CAER-S: accuracy on its test split. On a folder of"
        " `caer data faces`, which has no labels: agreement with the teacher on held-out sources.",
    )
    parser.add_argument("target", type=Path, help="bundle folder, or .safetensors of `caer train`")
    parser.add_argument("--data", type=Path, required=True, help="folder of people")
    parser.add_argument("--hold-out", nargs="*", default=[], metavar="SOURCE", help="see --data")
    parser.add_argument("--teacher", type=Path, help="unpacked @vladmandic/face-api package")
    parser.add_argument("--limit", type=int, default=10_000, help="most people (%(default)s)")
    parser.add_argument("--precision", default="fp32", help="of a bundle (default: %(default)s)")
    parser.add_argument("--backend", default="auto", help="of a bundle (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score and print."""
    from caer_ros.core import CAER7
    from caer_ros.datasets.people import load_people
    from caer_ros.evaluation.metrics import label_scores, teacher_scores

    people = load_people(args.data, args.hold_out, True, args.limit)
    if not len(people):
        raise InputError(f"Nobody in {args.data} is held out.", "Name sources with --hold-out.")
    probabilities = _probabilities(args, people)
    if (people.labels >= 0).all():
        scores = label_scores(probabilities, people.labels)
    else:
        scores = teacher_scores(probabilities, _ask(args.teacher, people))
    if args.json:
        print(json.dumps(scores))
        return 0
    confusion = scores.pop("confusion")
    for name, value in scores.items():
        print(f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}")
    print("\nrows: true, columns: predicted\n" + " " * 9 + " ".join(f"{c:>8}" for c in CAER7))
    for name, row in zip(CAER7, confusion, strict=True):
        print(f"{name:<9}" + " ".join(f"{count:>8}" for count in row))
    return 0


def _probabilities(args: argparse.Namespace, people: People) -> np.ndarray:
    if args.target.is_dir():
        from caer_ros.bundles.bundle import read_bundle
        from caer_ros.engines import choose_backend
        from caer_ros.evaluation.predict import onnx_probabilities

        backend, _ = choose_backend(args.backend)
        onnx_file = read_bundle(args.target).model_file(args.precision, backend)
        return onnx_probabilities(onnx_file, backend, people)
    from caer_ros.networks.checkpoint import load_checkpoint
    from caer_ros.training.scores import checkpoint_probabilities

    return checkpoint_probabilities(load_checkpoint(args.target), people)


def _ask(package: Path | None, people: People) -> np.ndarray:
    from caer_ros.training.teacher import ask_teacher, load_teacher

    if package is None:
        raise InputError("These people have no labels.", "Name a --teacher to compare with.")
    return ask_teacher(load_teacher(package), people.faces).softmax(dim=1).numpy()
