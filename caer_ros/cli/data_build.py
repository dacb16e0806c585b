"""`caer data build`: TV videos become clips and annotation sheets."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caer_ros.cli.options import add_detector_options

if TYPE_CHECKING:
    from caer_ros.datasets.harvest import Film, Piece
    from caer_ros.datasets.shot_choice import Rules
    from caer_ros.perception.face_detector import FaceDetector


def add_parser(subparsers: Any) -> None:
    """Add `caer data build`."""
    parser = subparsers.add_parser(
        "build",
        help="turn TV videos into clips and annotation sheets",
        description="Build a benchmark as CAER was built (ICCV 2019, Fig. 5): cut VIDEOS into "
        "shots, follow the faces, drop shots without a face or with a crowd, write the rest as "
        "clips, and lay out blind annotation sheets. Kill it whenever you like: the next call goes "
        "on where it stopped. New videos may be added later; sheets keep what is filled in.",
        epilog="Example: caer data build shows/ --out harvest, where shows/NAME/*.mp4 are the "
        "shows; fill in harvest/annotation/*.csv; then caer data aggregate harvest --out dataset",
    )
    parser.add_argument(
        "videos", type=Path, nargs="+", metavar="VIDEOS", help="video files, or folders with some"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to work in")
    parser.add_argument(
        "--show",
        choices=("folder", "file"),
        default="folder",
        help="what names the show, which is never divided by the split: the folder that a video "
        "lies in, or each file is its own show (%(default)s)",
    )
    parser.add_argument(
        "--annotators", type=int, default=3, help="sheets, 3 or more (%(default)s; paper: 6)"
    )
    parser.add_argument(
        "--per-clip", type=int, default=3, help="answers a clip, 3 or more (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sheets (%(default)s)")
    _add_rules(parser)
    add_detector_options(parser, min_face=32.0)
    parser.add_argument(
        "--skip-bad", action="store_true", help="count unreadable videos and go on without them"
    )
    parser.set_defaults(run=run)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    rules = parser.add_argument_group("which shots become clips")
    rules.add_argument(
        "--min-seconds", type=float, default=1.0, help="shorter shots are dropped (%(default)s)"
    )
    rules.add_argument(
        "--max-seconds", type=float, default=5.0, help="longer shots are cut evenly (%(default)s)"
    )
    rules.add_argument(
        "--least-seen",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="of the looks (10 a second) at which one person's face is found (%(default)s)",
    )
    rules.add_argument(
        "--most-people", type=int, default=4, help="more are a crowd, dropped (%(default)s)"
    )
    rules.add_argument(
        "--height", type=int, default=480, help="rows of the clips, at most (%(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Harvest every video, then write sheets and pictures."""
    from caer_ros.cli.data_detector import open_detector
    from caer_ros.core import InputError
    from caer_ros.datasets.harvest import BUILD, list_films
    from caer_ros.datasets.journal import Journal
    from caer_ros.datasets.shot_choice import Rules

    if args.per_clip < 3 or args.annotators < args.per_clip:
        raise InputError(
            f"--annotators {args.annotators} --per-clip {args.per_clip} does not fit.",
            "Three or more answers a clip, and as many annotators or more.",
        )
    if args.height < 64:
        raise InputError(f"--height {args.height} is too small.", "Use 64 or more.")
    rules = Rules(args.min_seconds, args.max_seconds, args.least_seen, args.most_people)
    films = list_films(args.videos, args.show)
    detector, settings = open_detector(args)
    try:
        # Shows named in two ways would be two shows, and a data set has faces of one detector; the
        # open file also keeps other builds out.
        with Journal(args.out / BUILD, {"show": args.show, **settings}):
            pieces, bad = _harvest_all(args, rules, films, detector, settings)
            return _lay_out(args, pieces, len(films), bad)
    finally:
        detector.close()


def _harvest_all(
    args: argparse.Namespace,
    rules: Rules,
    films: list[Film],
    detector: FaceDetector,
    settings: dict[str, Any],
) -> tuple[list[Piece], int]:
    """Pieces of all videos, and how many videos were skipped as unreadable."""
    from caer_ros.core import InputError
    from caer_ros.datasets.harvest import harvest

    pieces: list[Piece] = []
    bad = 0
    for film in films:
        try:
            pieces += harvest(film, detector, settings, rules, args.out, args.height)
        except InputError as error:
            if not args.skip_bad:
                raise
            bad += 1
            print(error, file=sys.stderr)
    return pieces, bad


def _lay_out(args: argparse.Namespace, pieces: list[Piece], films: int, bad: int) -> int:
    """Write what annotators need, and say what was found."""
    from caer_ros.bundles import write_atomically
    from caer_ros.core import InputError
    from caer_ros.datasets.annotation import FOLDER, instructions, write_sheets
    from caer_ros.datasets.clip_pictures import write_pictures
    from caer_ros.datasets.manifest import write_manifest

    entries = write_manifest(pieces, args.out)
    _describe(pieces, films, bad)
    if not entries:
        raise InputError("No shot became a clip.", f"{args.out / 'dropped.csv'} says why.")
    folder = args.out / FOLDER
    write_pictures(pieces, folder / "pictures")
    write_atomically(folder / "README.txt", instructions().encode())
    sheets = write_sheets(folder, entries, args.annotators, args.per_clip, args.seed)
    for name, rows in sheets.items():
        print(f"{folder / name}.csv: {rows} clips to annotate")
    return 0


def _describe(pieces: list[Piece], films: int, bad: int) -> None:
    kept = [piece for piece in pieces if not piece.choice.reason]
    shows = len({piece.film.show for piece in kept})
    reasons = Counter(piece.choice.reason for piece in pieces if piece.choice.reason)
    why = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common()) or "none"
    print(f"{films} videos ({bad} unreadable), {len(pieces)} shots of fit length")
    print(f"kept {len(kept)} clips of {shows} shows; dropped: {why}")
