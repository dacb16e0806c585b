#!/usr/bin/env python3
"""Makes models/caer_net_s anew from its sources: pictures, training, ONNX, INT8 and FP16, figures.

    scripts/rebuild_caer_net_s.py SOURCES --work WORK [--bundle BUNDLE] [--seed 2] [--jobs 2]

SOURCES holds what models/caer_net_s/README.md lists under "Recipe": ict_facekit.npz, yunet.onnx,
films/, people/, portraits/, face-api/package/ and, to be measured on, labelled/. A step whose
result lies in WORK is not done again, so that a rebuild that was cut off goes on. One core takes
about two hours.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

from rebuild_steps import FILES, ROOT, caer, lacks, once, train

NEEDED = (
    "ict_facekit.npz",
    "yunet.onnx",
    "films",
    "people",
    "portraits",
    "face-api/package",
    "labelled/test",
)
# How many, the seed, and how they are made; nobody is in two of the sets.
RENDERS = {
    "photoreal": ("7000", "101", "--photoreal"),
    "cued": ("4200", "202", "--photoreal", "--cues", "0.5"),
    "drawn": ("1400", "1"),
}
WARPS = {"films": "8", "people": "6", "portraits": "200"}
# Sources that nothing is trained on, as in the recipe.
HELD_OUT = ("face-demographics-walking", "grace_hopper", "congress__*__A*", "congress__*__B*")


def main() -> int:
    """Check that all is there, then do what is not done."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("sources", type=Path, help="folder; models/caer_net_s/README.md says what")
    parser.add_argument("--work", type=Path, required=True, help="folder for all that is made")
    parser.add_argument("--bundle", type=Path, default=ROOT / "models" / "caer_net_s")
    parser.add_argument("--version", default="0.4.1", help="of the bundle (%(default)s)")
    parser.add_argument("--seed", help="of training (the recipe's)")
    parser.add_argument("--jobs", default="2", help="processes that render (%(default)s)")
    args = parser.parse_args()
    if lacks(args.sources, NEEDED, "models/caer_net_s/README.md"):
        return 2
    args.bundle = args.bundle.resolve()
    data = args.work.resolve() / "data"
    make_data(args.sources.resolve(), data, args.jobs)
    recipe = ROOT / "recipes" / "caer_net_s_demo.yaml"
    best = train(recipe, args.work.resolve(), args.seed) / "best.safetensors"
    make_bundle(best, data, args.bundle, args.version)
    labelled = args.sources.resolve() / "labelled"
    measure(args.bundle, best, data, labelled)
    try_temperature(args.bundle, args.work.resolve() / "tempered", data, labelled)
    return 0


def make_data(sources: Path, data: Path, jobs: str) -> None:
    """Render people and cut real faces out, as recipes/caer_net_s_demo.yaml wants them."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "face-api").mkdir(exist_ok=True)
    link = data / "face-api" / "package"
    if not link.exists():
        link.symlink_to(sources / "face-api" / "package")
    model = ("--face-model", sources / "ict_facekit.npz")
    for name, (count, seed, *how) in RENDERS.items():
        near = ("--jobs", jobs) if how else ()
        synth = ("data", "synth", data / name, *model, "--count", count, "--seed", seed)
        # Drawn ones do not go on where they were.
        once(data / name / "train.csv", None if how else data / name, (*synth, *how, *near))
    for name, warps in WARPS.items():
        cut = ("data", "faces", sources / name, "--out", data / name, *model, "--warps", warps)
        once(data / name / "done", data / name, (*cut, "--detector", sources / "yunet.onnx"))
        (data / name / "done").touch()


def make_bundle(best: Path, data: Path, bundle: Path, version: str) -> None:
    """Export, quantise and guard."""
    caer(
        "export",
        best,
        "--bundle",
        bundle,
        "--images",
        data / "portraits",
        "--version",
        version,
    )
    people = [data / name for name in ("films", "people", "portraits", "photoreal", "cued")]
    judged = ("--hold-out", *HELD_OUT, "--limit", "600", "--judge-limit", "2400")
    caer("calibrate", bundle, "--data", *people, *judged)


def measure(bundle: Path, best: Path, data: Path, labelled: Path) -> None:
    """Print the tables of the model card, for each file of the bundle, beside the teacher's."""
    teacher = data / "face-api" / "package"
    once(labelled / "test.csv", None, ("data", "boxes", labelled, "--lists", labelled))
    folders = (*(data / name for name in RENDERS), labelled)
    for folder in folders:
        caer("evaluate", teacher, "--data", folder)
        for file in FILES:
            caer("evaluate", bundle, *file, "--data", folder)
    for size in ("0.8", "1.2", "1.4"):
        caer("evaluate", bundle, "--data", labelled, "--face-size", size)
    for shown in ("face", "scene"):
        for folder in folders:
            caer("evaluate", best, "--only", shown, "--data", folder)
    for name, sources in (
        ("films", ("face-demographics-walking",)),
        ("people", ("congress__*__A*", "congress__*__B*")),
        ("portraits", ("astronaut", "grace_hopper")),
    ):
        held = ("--hold-out", *sources, "--teacher", teacher)
        caer("evaluate", bundle, "--data", data / name, *held)


def try_temperature(bundle: Path, copy: Path, data: Path, labelled: Path) -> None:
    """Print the calibration error before and after on renders, and after on real faces, of a copy:
    whether the bundle should have a temperature."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bundle, copy)
    people = ("--data", data / "photoreal", data / "cued", "--split", "validation")
    caer("temperature", copy, *people, "--out", copy)
    for folder in (data / "photoreal", labelled):
        caer("evaluate", copy, "--data", folder)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except subprocess.CalledProcessError as error:  # the command has said why
        raise SystemExit(error.returncode) from None
