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
        " runs. Writes best and last checkpoints, a log, curves and the metrics.",
        epilog="Example: caer train recipes/caer_net_s.yaml --set data.folder=CAER-S batch=128",
    )
    parser.add_argument("recipe", type=Path, help="YAML file, see recipes/")
    parser.add_argument(
        "--out", type=Path, default=None, help="folder to write (default: runs/NAME of the recipe)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in --out after a kill"
    )
    parser.add_argument("--seed", type=int, help="instead of the recipe's")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="change the recipe: a.b=value ...",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and print the metrics as JSON."""
    from caer_ros.training.benet.recipe import is_benet
    from caer_ros.training.supervised_recipe import is_supervised

    out = args.out or Path("runs") / args.recipe.stem
    if is_benet(args.recipe):
        metrics = _benet(args, out)
    else:
        metrics = _supervised(args, out) if is_supervised(args.recipe) else _distilled(args, out)
    if metrics:
        print(json.dumps(metrics, indent=2))
    return 0


def _supervised(args: argparse.Namespace, out: Path) -> dict[str, Any]:
    from caer_ros.training.supervised import train_supervised
    from caer_ros.training.supervised_recipe import load_supervised

    return train_supervised(load_supervised(args.recipe, _settings(args)), out, args.resume)


def _benet(args: argparse.Namespace, out: Path) -> dict[str, Any]:
    from caer_ros.training.benet.recipe import load_benet_recipe
    from caer_ros.training.benet.run import train_benet

    return train_benet(load_benet_recipe(args.recipe, _settings(args)), out, args.resume)


def _settings(args: argparse.Namespace) -> list[str]:
    return [*args.set, *([] if args.seed is None else [f"seed={args.seed}"])]


def _distilled(args: argparse.Namespace, out: Path) -> dict[str, Any]:
    from dataclasses import replace

    from caer_ros.core import InputError
    from caer_ros.training.loop import train_distilled
    from caer_ros.training.recipe import load_recipe

    recipe = load_recipe(args.recipe)
    if args.set:
        raise InputError(
            f"{args.recipe} learns from a teacher, which knows no --set.",
            "Leave it out and change the recipe itself.",
        )
    if args.seed is not None:
        recipe = replace(recipe, seed=args.seed)
    return train_distilled(recipe, out, args.resume)
