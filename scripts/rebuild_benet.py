#!/usr/bin/env python3
"""Makes models/benet_w18 anew from its sources: pictures, training, ONNX, INT8 and FP16, figures.

    scripts/rebuild_benet.py SOURCES --work WORK [--bundle BUNDLE] [--seed 2] [--jobs 2]

SOURCES holds what docs/benet-demo.md lists: ict_facekit.npz, yunet.onnx, ssdlite_ped.onnx,
movenet_multipose.onnx, films/ and people/. A step whose result lies in WORK is not done again, so
that a rebuild that was cut off goes on. One core takes about two and a half hours.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from rebuild_steps import FILES, ROOT, caer, lacks, once, train

NEEDED = (
    "ict_facekit.npz",
    "yunet.onnx",
    "ssdlite_ped.onnx",
    "movenet_multipose.onnx",
    "films",
    "people",
)
GROUPS = ("--photoreal", "--layout", "emotic", "--count", "2450", "--seed", "303", "--cues", "0.5")
# Who is not trained on.
VALIDATION = ("congress__*__D*",)
TEST = ("congress__*__A*", "congress__*__B*", "face-demographics-walking.*")
THRESHOLD = ("--threshold", "0.2")
ROBOT = ("--short-side", "128", *THRESHOLD)


def main() -> int:
    """Check that all is there, then do what is not done."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("sources", type=Path, help="folder; docs/benet-demo.md says what")
    parser.add_argument("--work", type=Path, required=True, help="folder for all that is made")
    parser.add_argument("--bundle", type=Path, default=ROOT / "models" / "benet_w18")
    parser.add_argument("--version", default="0.1.0", help="of the bundle (%(default)s)")
    parser.add_argument("--recipe", type=Path, default=ROOT / "recipes" / "benet_demo.yaml")
    parser.add_argument("--seed", help="of training (the recipe's)")
    parser.add_argument("--jobs", default="2", help="processes that render (%(default)s)")
    args = parser.parse_args()
    if lacks(args.sources, NEEDED, "docs/benet-demo.md"):
        return 2
    work, bundle = args.work.resolve(), args.bundle.resolve()
    make_data(args.sources.resolve(), work / "data", args.jobs)
    best = train_both(work, args.recipe.resolve(), args.seed)
    make_bundle(best, work / "data", bundle, args.version)
    measure(bundle, best, work / "data")
    try_sizes(bundle, best, work / "sizes", work / "data")
    return 0


def make_data(sources: Path, data: Path, jobs: str) -> None:
    """Render groups, and find people in films and portraits."""
    data.mkdir(parents=True, exist_ok=True)
    model = ("--face-model", sources / "ict_facekit.npz")
    groups = ("data", "synth", data / "groups", *GROUPS, *model, "--jobs", jobs)
    once(data / "groups" / "people.csv", None, groups)
    detectors = ("--detector", sources / "ssdlite_ped.onnx")
    detectors += ("--join", sources / "movenet_multipose.onnx")
    emotions = ("--faces", sources / "yunet.onnx", "--emotions", ROOT / "models" / "caer_net_s")
    found = ("data", "people", sources / "films", sources / "people", "--out", data / "found")
    held = ("--validation", *VALIDATION, "--test", *TEST)
    half = data / "found"
    once(half / "Annotations.json", half, (*found, *detectors, *emotions, *held))


def train_both(work: Path, recipe: Path, seed: str | None) -> Path:
    """Train the backbone alone, then the network; the checkpoint of the best epoch."""
    train(recipe.with_stem(f"{recipe.stem}_backbone"), work, seed)
    return train(recipe, work, seed) / "best.safetensors"


def make_bundle(best: Path, data: Path, bundle: Path, version: str) -> None:
    """Export, choose thresholds of what the robot would see, quantise and guard."""
    pictures = data / "groups" / "emotic" / "scenes" / "images"
    caer("export", best, "--bundle", bundle, "--images", pictures, "--version", version, *ROBOT)
    caer("temperature", bundle, "--data", data / "groups")
    caer("calibrate", bundle, "--data", data / "groups", data / "found", "--judge-limit", "400")


def measure(bundle: Path, best: Path, data: Path) -> None:
    """Print the tables of the model card, for each file of the bundle."""
    for folder in (data / "groups", data / "found"):
        for file in FILES:
            caer("evaluate", bundle, *file, "--data", folder)
    caer("evaluate", best, "--data", data / "groups", "--out", best.parent / "judged")


def try_sizes(bundle: Path, best: Path, bundles: Path, data: Path) -> None:
    """Print what the bundle finds, and what it would find with other short sides of the input."""
    pictures = data / "groups" / "emotic" / "scenes" / "images"
    for side in ("96", "160", "192"):
        robot = ("--short-side", side, *THRESHOLD)
        caer("export", best, "--bundle", bundles / side, "--images", pictures, *robot)
    for each in (bundle, *sorted(bundles.iterdir())):
        caer("evaluate", each, "--data", data / "groups", "--split", "validation")


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except subprocess.CalledProcessError as error:  # the command has said why
        raise SystemExit(error.returncode) from None
