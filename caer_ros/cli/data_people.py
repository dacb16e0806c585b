"""`caer data people`: real pictures whose people a detector found, laid out like EMOTIC."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caer_ros.core import InputError
    from caer_ros.datasets.found_set import Written

_README = """Real pictures, laid out like EMOTIC, for training.

Nobody annotated them. The boxes are pseudo-labels: what detectors are sure of.
{detectors}
Pictures in which it was not sure how many people are there were left out.

{emotions}
"""
_FACES = """
{name} (sha256
{sha256}) finds faces: pictures
with a face of {least:g} pixels or more outside everybody's box were left out."""
_DISTILLED = """Emotions are guesses, too: of the network {name} (sha256
{sha256}),
where it gives one of its seven emotions a probability of {sure} or more, told in EMOTIC's words
after a table of this project's own. `known_categories` says of which of them anything is known."""
_UNKNOWN = "Nothing is known of anybody's emotions: `known_categories` is empty."


def add_parser(subparsers: Any) -> None:
    """Add `caer data people`."""
    parser = subparsers.add_parser(
        "people",
        help="find people in pictures and films, as boxes to train BENet with",
        description="Write pictures and frames of films, laid out like EMOTIC, with the boxes of"
        " the people that a detector finds in them. Pictures in which somebody may have been missed"
        " are left out. A recipe's data.also takes the folder.",
    )
    parser.add_argument("sources", type=Path, nargs="+", help="pictures, films, or folders of them")
    parser.add_argument("--out", type=Path, required=True, help="new folder to write")
    parser.add_argument("--detector", type=Path, required=True, help="person detector, .onnx")
    second = parser.add_mutually_exclusive_group()
    second.add_argument(
        "--agree",
        type=Path,
        metavar="OTHER",
        help="keep only pictures in which this detector finds the same people",
    )
    second.add_argument(
        "--join",
        type=Path,
        metavar="OTHER",
        help="take whom either detector is sure of, or both find unsurely",
    )
    parser.add_argument(
        "--min-score",
        type=float,
        default=0.6,
        help="from which somebody is there (default: %(default)s)",
    )
    parser.add_argument(
        "--film-step", type=int, default=3, help="every so many-th frame (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, default=0, help="for one picture (default: as many as there are)"
    )
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave unreadable files out, and say which"
    )
    for split in ("validation", "test"):
        parser.add_argument(
            f"--{split}",
            nargs="+",
            action="extend",
            default=[],
            metavar="PATTERN",
            help=f"file names that go to the {split} split, as 'portrait_A*'",
        )
    group = parser.add_argument_group("emotions, where a network is sure of a face")
    group.add_argument(
        "--faces",
        help="YuNet .onnx, or a face detection bundle; pictures with a face outside everybody's"
        " box are left out, too",
    )
    group.add_argument("--emotions", metavar="BUNDLE", help="CAER-Net-S: name or folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the data set and say what is in it and what was left out."""
    from contextlib import ExitStack

    from caer_ros.core import InputError
    from caer_ros.datasets.found_emotions import FaceEmotions
    from caer_ros.datasets.found_people import Finder
    from caer_ros.datasets.found_set import write_people
    from caer_ros.datasets.found_sources import Sources, list_sources
    from caer_ros.datasets.person_detectors import open_person_detector

    if not 0 < args.min_score <= 1 or args.film_step < 1 or args.threads < 0:
        raise InputError(
            f"--min-score {args.min_score}, --film-step {args.film_step} or --threads "
            f"{args.threads} is out of range.",
            "Use a score above 0 up to 1, a step of at least 1, and threads of 0 or more.",
        )
    if (args.faces is None) != (args.emotions is None):
        raise InputError("--faces and --emotions need each other.", "Give both, or neither.")
    sources = Sources(
        list_sources(args.sources), args.film_step, tuple(args.validation), tuple(args.test)
    )
    first = open_person_detector(args.detector, args.min_score, args.threads)
    other = args.agree or args.join
    second = None if other is None else open_person_detector(other, args.min_score, args.threads)
    finder = Finder(first, second, "join" if args.join else "agree")
    bad: list[Path] = []

    def note_bad(path: Path, error: InputError) -> None:
        bad.append(path)
        print(error, file=sys.stderr)

    with ExitStack() as opened:
        faces = None
        if args.faces is not None:
            faces = opened.enter_context(FaceEmotions(args.faces, args.emotions, args.threads))
        on_bad = note_bad if args.skip_bad else None
        written = write_people(sources, args.out, finder, faces, _about(args), on_bad)
    _report(args.out, written, len(bad))
    return 0


def _about(args: argparse.Namespace) -> str:
    from caer_ros.bundles.files import sha256_of
    from caer_ros.datasets.found_emotions import SMALLEST_FACE, SURE

    ways = (
        (args.detector, "finds people"),
        (args.agree, "has to find the same people"),
        (args.join, "finds further people"),
    )
    detectors = "\n".join(
        f"{path.name} (sha256\n{sha256_of(path)}) {way}." for path, way in ways if path
    )
    emotions = _UNKNOWN
    detectors += f"\nLeast score: {args.min_score:g}, half of it for detectors by keypoints."
    if args.emotions is not None:
        name, checksum = _network(args.emotions)
        emotions = _DISTILLED.format(name=name, sha256=checksum, sure=SURE)
        name, checksum = _network(args.faces)
        detectors += _FACES.format(name=name, sha256=checksum, least=SMALLEST_FACE)
    return _README.format(detectors=detectors, emotions=emotions)


def _network(given: str) -> tuple[str, str]:
    """What an .onnx file or a bundle is called, and the checksum of the network."""
    from caer_ros.bundles import find_bundle
    from caer_ros.bundles.files import sha256_of

    if given.lower().endswith(".onnx"):
        return Path(given).name, sha256_of(Path(given))
    bundle = find_bundle(given)
    checksum = sha256_of(bundle.model_file("fp32", "onnxruntime"))
    return f"{bundle.name} {bundle.version}, fp32.onnx", checksum


def _report(out: Path, written: Written, bad: int) -> None:
    from caer_ros.datasets.found_people import REASONS

    for split, images in written.images.items():
        told = ", ".join(f"{n} {name}" for name, n in sorted(written.emotions[split].items()))
        known = f"; emotions: {told}" if told else ""
        print(f"{out}, {split}: {len(images)} pictures, {written.people(split)} people{known}")
    if written.forgotten:
        print(
            f"{out}, train: of {written.forgotten} people with the commonest emotion it was dropped"
        )
    for reason, text in REASONS.items():
        if count := written.left_out[reason]:
            print(f"caer: left out: {count} pictures ({text})", file=sys.stderr)
    if bad:
        print(f"caer: left out: {bad} files (can not be read)", file=sys.stderr)
    print(f"Look at {out / 'contact_sheet.png'}.")
