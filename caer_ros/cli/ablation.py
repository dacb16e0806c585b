"""`caer ablation`: the papers' ablations on synthetic scenes, in one command each."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `ablation` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "ablation",
        help="train and compare all rows of a paper's ablation on synthetic scenes",
        description="CAER-Net: train every row of Table 3 over some seeds on scenes whose truth is"
        " known, and write ablation.md with the table, attention inside the planted object's box"
        " and the face's weight against its ambiguity. BENet: every row of Table 1, and write"
        " benet-ablation.md with Tables 1, 2 and 3, joined heads, thresholds, calibration and"
        " pictures of the maps. After a kill the same command goes on.",
        epilog="Example: caer ablation recipes/ablation.yaml --small --out runs/ablation",
    )
    parser.add_argument("recipe", type=Path, help="recipes/ablation.yaml or benet_ablation.yaml")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--small", action="store_true", help="the recipe's small form")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="change the recipe: jobs=1 ...",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, measure, write, and print the table."""
    from caer_ros.training.benet.ablation.plan import is_benet_plan

    words = ["caer ablation", str(args.recipe), *(["--small"] if args.small else [])]
    words += ["--set", *args.set] if args.set else []
    command = " ".join([*words, "--out DIR"])
    name = _benet(args, command) if is_benet_plan(args.recipe) else _caer_net(args, command)
    print(f"{args.out / name}: written")
    return 0


def _caer_net(args: argparse.Namespace, command: str) -> str:
    from caer_ros.training.ablation.plan import load_plan
    from caer_ros.training.ablation.report import run_ablation, table

    plan = load_plan(args.recipe, args.small, args.set)
    print(table(run_ablation(plan, args.out, command)))
    return "ablation.md"


def _benet(args: argparse.Namespace, command: str) -> str:
    from caer_ros.training.benet.ablation.plan import load_benet_plan
    from caer_ros.training.benet.ablation.report import NAME, run_benet_ablation
    from caer_ros.training.benet.ablation.tables import table_1

    plan = load_benet_plan(args.recipe, args.small, args.set)
    print(table_1(run_benet_ablation(plan, args.out, command)))
    return f"{NAME}.md"
