"""What the scripts that rebuild a bundle share: one step is one command of ours, done once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Options of `caer evaluate` for each file of a bundle.
FILES = (
    (),
    ("--precision", "int8"),
    ("--precision", "int8", "--backend", "onnxruntime"),
    ("--precision", "fp16", "--backend", "onnxruntime"),
)


def lacks(sources: Path, needed: Sequence[str], card: str) -> bool:
    """Whether something of `needed` is not in `sources`; then says what, and which page knows."""
    missing = [name for name in needed if not (sources / name).exists()]
    if missing:
        print(f"{sources} lacks {', '.join(missing)}.", file=sys.stderr)
        print(f"See {card}.", file=sys.stderr)
    return bool(missing)


def once(result: Path, half: Path | None, words: Sequence[str | Path], cwd: Path = ROOT) -> None:
    """Run a command unless its result is there; `half`, left by a run cut off, is removed."""
    if result.exists():
        print(f"there already: {result.parent}", flush=True)
        return
    if half is not None and half.exists():
        shutil.rmtree(half)
    caer(*words, cwd=cwd)


def train(recipe: Path, work: Path, seed: str | None) -> Path:
    """Train by a recipe, with another seed than its own unless that is None; the run's folder."""
    run = work / "runs" / recipe.stem
    other = () if seed is None else ("--seed", seed)
    # The recipes' folders are relative to where the command runs. A finished run is not trained
    # again, but one of another recipe or seed is refused.
    caer("train", recipe, "--out", run, "--resume", *other, cwd=work)
    return run


def caer(*words: str | Path, cwd: Path = ROOT) -> None:
    """Run one command of ours; its failure ends the rebuild."""
    told = [str(word) for word in words]
    print("caer", *([*told[:6], "..."] if len(told) > 20 else told), flush=True)
    subprocess.run([sys.executable, "-m", "caer_ros.cli.main", *told], cwd=cwd, check=True)
