"""`caer evaluate` and the teacher: itself on labelled people, others' agreement with it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from caer_ros.core import InputError

if TYPE_CHECKING:
    import numpy as np

    from caer_ros.datasets.people import People
    from caer_ros.evaluation.judge import Verdict


def is_teacher(target: Path) -> bool:
    """Whether a folder is the teacher's unpacked package."""
    return (target / "model" / "face_expression_model.bin").is_file()


def judge_teacher(args: argparse.Namespace) -> Verdict:
    """Score the teacher itself on a folder laid out like CAER-S whose lists name the faces.

    Raises:
        InputError: it is not the pinned teacher, the lists name no faces, or the validation split
            is wanted.
    """
    from caer_ros.core import CAER7
    from caer_ros.datasets.people import load_people
    from caer_ros.evaluation.judge import Verdict
    from caer_ros.evaluation.scores import score
    from caer_ros.training.teacher import ask_teacher, load_teacher

    if args.split == "validation":
        raise InputError("The teacher is judged on train or test.", "Choose another --split.")
    people = load_people(args.data, (), args.split == "test", args.limit)
    answers = ask_teacher(load_teacher(args.target), people.faces)
    found = answers.double().softmax(dim=1).numpy()
    return Verdict(score(found, people.labels, CAER7), found, people.labels, 1.0, 0, 0)


def run_teacher(args: argparse.Namespace) -> int:
    """Score and print."""
    from caer_ros.core import CAER7
    from caer_ros.datasets.people import load_people
    from caer_ros.evaluation.metrics import teacher_scores
    from caer_ros.training.teacher import ask_teacher, load_teacher

    people = load_people(args.data, args.hold_out, True, args.limit)
    if not len(people):
        raise InputError(f"Nobody in {args.data} is held out.", "Name sources with --hold-out.")
    if args.teacher is None:
        raise InputError("These people have no labels.", "Name a --teacher to compare with.")
    wanted = ask_teacher(load_teacher(args.teacher), people.faces).softmax(dim=1).numpy()
    scores = teacher_scores(_probabilities(args, people), wanted)
    if args.json:
        print(json.dumps(scores))
        return 0
    confusion = scores.pop("confusion")
    for name, value in scores.items():
        print(f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}")
    print("\nrows: the teacher's, columns: predicted\n" + " " * 9)
    print(" " * 9 + " ".join(f"{c:>8}" for c in CAER7))
    for name, row in zip(CAER7, confusion, strict=True):
        print(f"{name:<9}" + " ".join(f"{count:>8}" for count in row))
    return 0


def _probabilities(args: argparse.Namespace, people: People) -> np.ndarray:
    if args.target.is_dir():
        from caer_ros.bundles.bundle import read_bundle
        from caer_ros.engines import choose_backend
        from caer_ros.evaluation.predict import onnx_probabilities

        backend, _ = choose_backend(args.backend)
        bundle = read_bundle(args.target)
        temperature = float(bundle.decode.get("temperature", 1.0))
        onnx_file = bundle.model_file(args.precision, backend)
        return onnx_probabilities(onnx_file, backend, people, temperature)
    from caer_ros.networks.checkpoint import load_checkpoint
    from caer_ros.training.scores import checkpoint_probabilities

    return checkpoint_probabilities(load_checkpoint(args.target), people)
