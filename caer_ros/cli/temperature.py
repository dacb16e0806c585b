"""`caer temperature`: make a bundle's probabilities as sure as they are right."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caer_ros.core import InputError

if TYPE_CHECKING:
    from caer_ros.bundles import Bundle
    from caer_ros.evaluation.temperature import Scaling


def add_parser(subparsers: Any) -> None:
    """Add `temperature` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "temperature",
        help="make a bundle's probabilities as sure as they are right",
        description="Fit the temperature that logits are divided by before the softmax, on people"
        " whom the network did not learn from, and enter it in model.yaml with the calibration"
        " error before and after. The error after is measured on other people than those fitted"
        " on, in five folds by person. No top label changes. `caer export` sets the temperature"
        " back to 1; run this before `caer calibrate`, which compares probabilities. A BENet bundle"
        " gets a threshold a category instead, chosen on the annotated people whom it finds; the"
        " node sends them with every estimate, and names the categories that reach theirs.",
        epilog="Example: caer temperature models/caer_net_s --data renders --split test",
    )
    parser.add_argument("bundle", type=Path, help="folder of an emotion model's bundle")
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        action="extend",
        required=True,
        metavar="FOLDER",
        help="folders laid out like CAER-S (CAER for clips, EMOTIC for BENet), or of"
        " `caer data faces`",
    )
    parser.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        help="of labelled folders: the people held out of training (default: test; for BENet"
        " validation)",
    )
    parser.add_argument(
        "--hold-out",
        nargs="*",
        action="extend",
        default=[],
        metavar="NAME",
        help="of `caer data faces`: the sources held out of training; each counts as one person",
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        help="of `caer data faces`: unpacked @vladmandic/face-api package, whose probabilities are"
        " then taken for the truth, which they are not",
    )
    parser.add_argument(
        "--limit", type=int, default=2000, help="most faces of a source (%(default)s)"
    )
    parser.add_argument("--backend", default="auto", help="(%(default)s)")
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave unreadable files out, and say which"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="for the picture reliability.png (default: calibration/NAME)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, write and print."""
    from caer_ros.bundles import read_bundle
    from caer_ros.cli.temperature_data import gather
    from caer_ros.deploy.publish import Drafts
    from caer_ros.evaluation.temperature import scale
    from caer_ros.evaluation.temperature_figure import draw_reliability

    bundle = read_bundle(args.bundle)
    out = args.out or Path("calibration") / args.bundle.resolve().name
    if bundle.task == "person_emotion_maps":
        from caer_ros.cli.temperature_maps import run_maps

        return run_maps(bundle, args, out)
    _check_task(bundle)
    with Drafts(args.bundle) as drafts:
        data = gather(bundle, args)
        scaling = scale(data.logits, data.truths, data.people, data.data)
        record = _record(scaling, data.notes)

        def change(card: dict[str, Any]) -> None:
            card.setdefault("decode", {})["temperature"] = record["temperature"]
            card.setdefault("metrics", {})["temperature"] = record

        drafts.publish(change, {})
    draw_reliability(scaling, bundle.name, out / "reliability.png")
    print(json.dumps(record, indent=2) if args.json else _text(record, out))
    if scaling.after.calibration_error > scaling.before.calibration_error:
        print("caer temperature: the calibration error did not fall.", file=sys.stderr)
    return 0


def _check_task(bundle: Bundle) -> None:
    """Raise InputError unless the bundle gives one distribution over labels."""
    if bundle.task not in ("caer_static", "caer_clip"):
        raise InputError(
            f"Bundle '{bundle.name}' has task {bundle.task}, which has no temperature.",
            "Name the bundle of an emotion model.",
        )


def _record(scaling: Scaling, notes: list[dict[str, Any]]) -> dict[str, Any]:
    """`metrics.temperature` of model.yaml."""
    return {
        "temperature": round(scaling.temperature, 4),
        "fold_temperatures": [round(value, 4) for value in scaling.fold_temperatures],
        "people": scaling.people,
        "answers": scaling.answers,
        "bins": len(scaling.bins_before.count),
        "measured_on": f"each of {len(scaling.fold_temperatures)} folds of people, fitted on the"
        " others",
        "before": scaling.before.as_dict(),
        "after": scaling.after.as_dict(),
        "data": notes,
    }


def _text(record: dict[str, Any], out: Path) -> str:
    folds = record["fold_temperatures"]
    lines = [
        f"temperature {record['temperature']:g} (folds: {min(folds):g} to {max(folds):g}), fitted"
        f" on {record['answers']} answers for {record['people']} people",
        f"{'people not fitted on':<28}{'before':>8}{'after':>8}",
    ]
    for name, title in (
        ("calibration_error", "expected calibration error"),
        ("cross_entropy", "cross-entropy (nats)"),
        ("brier", "Brier score"),
    ):
        lines.append(f"{title:<28}{record['before'][name]:>8.4f}{record['after'][name]:>8.4f}")
    return "\n".join([*lines, f"reliability diagram: {out / 'reliability.png'}"])
