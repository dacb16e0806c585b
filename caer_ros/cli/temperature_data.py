"""What `caer temperature` fits on: a bundle's logits, the truth, and whom they are of."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.cli.labelled import open_labelled
from caer_ros.core import BundleError, CaerError, InputError
from caer_ros.datasets.people import load_people
from caer_ros.engines import choose_backend
from caer_ros.evaluation.answers import check_labels
from caer_ros.evaluation.clip_answers import ask_bundle
from caer_ros.evaluation.predict import onnx_logits
from caer_ros.training.teacher import ask_teacher, load_teacher


@dataclass(frozen=True, eq=False)
class Gathered:
    """N answers of the FP32 file.

    Attributes:
        logits: float64 [N, K].
        truths: float64 [N, K], rows sum to 1.
        people: N names, each unique in its data set.
        data: int64 [N], place of the data set in `notes`.
        notes: a record a data set, for model.yaml.
    """

    logits: np.ndarray
    truths: np.ndarray
    people: list[str]
    data: np.ndarray
    notes: list[dict[str, Any]]


_Part = tuple[np.ndarray, np.ndarray, list[str], dict[str, Any]]


def gather(bundle: Bundle, args: argparse.Namespace) -> Gathered:
    """Ask the bundle about all of `--data`.

    Raises:
        InputError: a folder can not be read, or nobody is held out.
        CaerError: the bundle can not be run.
    """
    backend, _ = choose_backend(args.backend)
    parts = [
        _photographed(bundle, folder, backend, args)
        if (folder / "faces.csv").is_file()
        else _labelled(bundle, folder, backend, args)
        for folder in args.data
    ]
    logits, truths, people, notes = zip(*parts, strict=True)
    return Gathered(
        np.concatenate(logits),
        np.concatenate(truths),
        [name for names in people for name in names],
        np.repeat(np.arange(len(parts)), [len(names) for names in people]),
        list(notes),
    )


def _labelled(bundle: Bundle, folder: Path, backend: str, args: argparse.Namespace) -> _Part:
    """A folder with classes, through the robot's own code."""
    split = args.split or "test"
    data = open_labelled(bundle, folder, split)
    on_bad = _tell if args.skip_bad else None
    # FP32 in fact: what `auto` may compute in is measured against it.
    found = ask_bundle(bundle, data.samples, "fp32", backend, on_bad, "f32")
    truths = np.eye(found.logits.shape[1])[data.samples.labels[found.sample]]
    people = [data.people[place] for place in found.sample]
    note = {"folder": folder.name, "split": split, "truth": "labels"}
    return found.logits, truths, people, _counted(note, people, data.known_by)


def _photographed(bundle: Bundle, folder: Path, backend: str, args: argparse.Namespace) -> _Part:
    """A folder of `caer data faces`, cut as the robot cuts; the teacher's word is the truth."""
    if not args.hold_out or args.teacher is None:
        raise InputError(
            f"The people in {folder} have no labels, and no split says who was not learnt from.",
            "Name a --teacher to compare with and sources with --hold-out.",
        )
    if bundle.task != "caer_static":
        raise BundleError(f"{folder} holds pictures, not clips.", "Give videos laid out like CAER.")
    check_labels(bundle)
    teacher, path = load_teacher(args.teacher), bundle.model_file("fp32", backend)
    logits, truths, people = [], [], []
    for source in dict.fromkeys(args.hold_out):
        found = load_people(folder, [source], True, args.limit)
        if not len(found):
            continue
        logits.append(onnx_logits(path, backend, found))
        truths.append(ask_teacher(teacher, found.faces).double().softmax(dim=1).numpy())
        people += [source] * len(found)
    if not people:
        raise InputError(f"Nobody in {folder} is held out.", "Name its sources with --hold-out.")
    note = {"folder": folder.name, "truth": "a teacher's probabilities"}
    return np.concatenate(logits), np.concatenate(truths), people, _counted(note, people, "source")


def _counted(note: dict[str, Any], people: Sequence[str], known_by: str) -> dict[str, Any]:
    return note | {"people": len(set(people)), "answers": len(people), "people_by": known_by}


def _tell(error: CaerError) -> None:
    print(f"caer temperature: skipped: {error}", file=sys.stderr)
