"""`caer train`: train a network by a recipe."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `train` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "train",
        help="train a network by a recipe",
        description="Train by a YAML recipe. Folders in it are relative to where the command"
        " runs. Writes best and last checkpoints, a log and the metrics.",
    )
    parser.add_argument("recipe", type=Path, help="YAML file, see recipes/")
    parser.add_argument(
        "--out", type=Path, default=None, help="folder to write (default: runs/NAME of the recipe)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and print the metrics as JSON."""
    from caer_ros.training.loop import Trainer
    from caer_ros.training.recipe import load_recipe

    out = args.out or Path("runs") / args.recipe.stem
    metrics = Trainer(load_recipe(args.recipe), out).run()
    print(json.dumps(metrics, indent=2))
    return 0
