"""`caer data check`: count, verify and compare every file of a data set."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SHOWN = 20


def add_parser(subparsers: Any) -> None:
    """Add `caer data check`."""
    parser = subparsers.add_parser(
        "check",
        help="count, verify and compare every file of a data set",
        description="Open every picture or video below ROOT (laid out like CAER, CAER-S, AFEW or "
        "SFEW), count classes as in CAER-Net's Table 1, and look for damaged files, face boxes "
        "outside their picture, byte-identical files, and near duplicates in two splits: CAER-S "
        "was split by frame, so a network can answer from memory. Of EMOTIC and HECO: people, "
        "categories and crowds a split, people annotated twice or outside their picture, and "
        "damaged files.",
        epilog="Example: caer data check CAER-S --skip-bad --write-split splits/by_clip ; then "
        "caer data check CAER-S --lists splits/by_clip shows what is left of the leak.",
    )
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder with train/, test/ ...")
    parser.add_argument(
        "--lists", type=Path, metavar="DIR", help="split lists to go by (default: those in ROOT)"
    )
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="count damaged files and go on; without it they end the check with exit code 2",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--sheet",
        type=Path,
        default=Path("near_duplicates.png"),
        metavar="PNG",
        help="where the closest pairs of two splits are drawn, if there are any (%(default)s)",
    )
    parser.add_argument(
        "--write-split",
        type=Path,
        metavar="DIR",
        help="write lists of a 70/10/20 split that keeps guessed clips together",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split (%(default)s)")
    parser.add_argument(
        "--workers",
        type=int,
        default=min(4, os.cpu_count() or 1),
        help="threads that read files (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check and report; exit code 2 where a file is unusable and --skip-bad was not given."""
    from caer_ros.core import InputError
    from caer_ros.datasets.audit import audit
    from caer_ros.datasets.audit_report import (
        audit_to_dict,
        describe_audit,
        write_pair_sheet,
        write_split,
    )
    from caer_ros.datasets.box_report import check_no_lists
    from caer_ros.datasets.emotic.check import people_layout
    from caer_ros.datasets.layouts import read_dataset

    if args.workers < 1:
        raise InputError(f"--workers {args.workers} is too small.", "Use 1 or more.")
    if people_layout(args.root):
        return _run_people(args)
    if args.write_split:
        check_no_lists(args.write_split)
    found = audit(read_dataset(args.root, args.lists), args.workers)
    _print_reasons([reason for _, reason in found.bad])
    print(json.dumps(audit_to_dict(found), indent=2) if args.json else describe_audit(found))
    if found.bad and not args.skip_bad:
        raise InputError(
            f"{len(found.bad)} of {len(found.data.samples)} files are unusable, the first is "
            f"{found.bad[0][0]}.",
            "Replace or delete them, or add --skip-bad.",
        )
    if not found.samples:
        raise InputError(f"{args.root} has no usable file.", "See the reasons above.")
    if write_pair_sheet(found, args.sheet):
        print(f"Closest pairs: {args.sheet}", file=sys.stderr)
    if args.write_split:
        written = write_split(found, args.write_split, args.seed)
        print(f"Split by clip: {args.write_split}, {json.dumps(written)}", file=sys.stderr)
    return 0


def _run_people(args: argparse.Namespace) -> int:
    """The same for EMOTIC and HECO."""
    from caer_ros.core import InputError
    from caer_ros.datasets.emotic.check import check_people
    from caer_ros.datasets.emotic.check_report import check_to_dict, describe_check

    if args.lists or args.write_split:
        raise InputError(
            f"{args.root} holds annotated people, which --lists and --write-split are not for.",
            "Leave them out.",
        )
    found = check_people(args.root, args.workers)
    _print_reasons(found.bad)
    print(json.dumps(check_to_dict(found), indent=2) if args.json else describe_check(found))
    if found.bad and not args.skip_bad:
        raise InputError(
            f"{len(found.bad)} pictures or people are unusable, the first: {found.bad[0]}",
            "Or add --skip-bad.",
        )
    return 0


def _print_reasons(reasons: Sequence[str]) -> None:
    for reason in reasons[:_SHOWN]:
        print(reason, file=sys.stderr)
    if len(reasons) > _SHOWN:
        print(f"... and {len(reasons) - _SHOWN} more; --json lists all", file=sys.stderr)
