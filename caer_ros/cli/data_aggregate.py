"""`caer data aggregate`: annotated clips become a data set in CAER's layout."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caer_ros.datasets.consensus import Decision

# Sum of the three differences of shares from which on the split is called far off.
_FAR_OFF = 0.1


def add_parser(subparsers: Any) -> None:
    """Add `caer data aggregate`."""
    parser = subparsers.add_parser(
        "aggregate",
        help="turn filled-in annotation sheets into a data set",
        description="Read the sheets that `caer data build` laid out in DIR. A clip stays where "
        "two or more of its three annotators agree and their mean confidence is 0.5 or more "
        "(CAER-Net section 4.1). The clips are split 70/10/20 by show, never by clip, and written "
        "as OUT/{train,validation,test}/CLASS/NNNN.avi.",
        epilog="Example: caer data aggregate harvest --out dataset ; caer data check dataset",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="--out of `caer data build`")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="new folder for the data set"
    )
    parser.add_argument(
        "--skip-unfinished",
        action="store_true",
        help="leave clips with missing answers out; without it they end the call",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seed", type=int, default=0, help="of the split (%(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Decide, split, write, report."""
    from caer_ros.core import InputError
    from caer_ros.datasets.annotation import FOLDER, read_votes
    from caer_ros.datasets.benchmark import counted, place_clips, write_benchmark
    from caer_ros.datasets.class_table import count_classes, format_table
    from caer_ros.datasets.consensus import agreement, decide
    from caer_ros.datasets.group_split import size_error
    from caer_ros.datasets.harvest import BUILD
    from caer_ros.datasets.journal import read_journal
    from caer_ros.datasets.manifest import read_manifest
    from caer_ros.datasets.samples import SPLITS

    entries = read_manifest(args.folder)
    header, _ = read_journal(args.folder / BUILD)
    votes, empty = read_votes(args.folder / FOLDER)
    unfinished = [entry.clip for entry in entries if empty.get(entry.clip)]
    if unfinished and not args.skip_unfinished:
        raise InputError(
            f"{len(unfinished)} of {len(entries)} clips lack answers, the first is "
            f"{unfinished[0]}.",
            "Fill in the sheets, or add --skip-unfinished.",
        )
    decisions = {
        e.clip: decide(() if e.clip in unfinished else votes.get(e.clip, ())) for e in entries
    }
    summary = _summary(decisions)
    print(f"{len(entries)} clips: {summary}", file=sys.stderr)
    placed = place_clips(entries, decisions, args.seed)
    settings = {key: value for key, value in header.items() if key != "show"}
    write_benchmark(placed, args.folder, args.out, settings)
    rows = count_classes(counted(placed))
    sizes = [sum(item.split == split for item in placed) for split in SPLITS]
    shows = {s: sorted({p.entry.show for p in placed if p.split == s}) for s in SPLITS}
    kappa = agreement({clip: votes.get(clip, []) for clip in decisions})
    if args.json:
        report = {
            "table": rows,
            "shows": shows,
            "kappa": None if kappa != kappa else kappa,
            "decisions": summary,
        }
        print(json.dumps(report, indent=2))
        return 0
    print(format_table(rows, "video"))
    print(f"\nAgreement of the annotators (Fleiss' kappa): {kappa:.2f}")
    for split, size in zip(SPLITS, sizes, strict=True):
        share = 100 * size / len(placed)
        print(f"{split}: {size} clips ({share:.1f} %), shows: {', '.join(shows[split])}")
    if size_error(sizes) > _FAR_OFF:
        print("The split is far from 70/10/20: shows are few or uneven.", file=sys.stderr)
    print(f"Data set: {args.out}", file=sys.stderr)
    return 0


def _summary(decisions: Mapping[str, Decision]) -> str:
    reasons = Counter(decision.reason or "labelled" for decision in decisions.values())
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
