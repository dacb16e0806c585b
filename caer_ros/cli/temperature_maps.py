"""`caer temperature` of a BENet bundle: a threshold a category in place of a temperature."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from caer_ros.bundles import Bundle
from caer_ros.core import InputError
from caer_ros.deploy.bundle_thresholds import written_thresholds
from caer_ros.deploy.publish import Drafts
from caer_ros.engines import choose_backend
from caer_ros.evaluation.benet.bundle_people import ask_people, check_labels
from caer_ros.evaluation.benet.bundle_tuning import tune_bundle
from caer_ros.evaluation.benet.figures import draw_reliability
from caer_ros.perception import PipelineConfig
from caer_ros.perception.benet import BenetReader
from caer_ros.training.benet.data import data_of, open_images


def run_maps(bundle: Bundle, args: argparse.Namespace, out: Path) -> int:
    """Choose, write and print."""
    check_labels(bundle)
    if len(args.data) > 1:
        raise InputError(
            f"Thresholds of '{bundle.name}' are chosen on one folder.", "Name one --data."
        )
    split = args.split or "validation"
    with Drafts(args.bundle) as drafts:
        data = replace(data_of(args.data[0], None), skip_bad=args.skip_bad)
        images = open_images(data, split)
        backend, _ = choose_backend(args.backend)
        reader = BenetReader.open(bundle, PipelineConfig(precision="fp32", cpu_hint="f32"), backend)
        try:
            found = ask_people(reader, images)
        finally:
            reader.close()
        tuning = tune_bundle(found, bundle.labels)
        record = tuning.as_dict() | {"folder": args.data[0].name, "split": split}
        chosen = written_thresholds(tuning.thresholds)

        def change(card: dict[str, Any]) -> None:
            card.setdefault("decode", {})["thresholds"] = chosen
            card.setdefault("metrics", {})["thresholds"] = record

        drafts.publish(change, {})
    draw_reliability(tuning.errors, out / "reliability.png")
    print(json.dumps(record | {"thresholds": chosen}, indent=2) if args.json else _text(record))
    return 0


def _text(record: dict[str, Any]) -> str:
    lines = [
        f"thresholds chosen on {record['people']} of {record['annotated']} annotated people, in"
        f" {record['pictures']} pictures",
        f"{'people not chosen on':<28}{'at 0.5':>12}{'thresholds':>12}",
    ]
    for name in ("macro_f1", "micro_f1"):
        half, ours = record[name]["half"], record[name]["thresholds"]
        lines.append(f"{name.replace('_f1', ' F1'):<28}{half:>12.4f}{ours:>12.4f}")
    before, after = record["calibration_error"].values()
    lines.append(f"calibration error {before:.4f}; {after:.4f} with slope and offset an emotion")
    return "\n".join(lines)
