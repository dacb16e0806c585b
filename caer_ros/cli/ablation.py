"""`caer ablation`: the paper's Table 3 and Fig. 8 on synthetic scenes, in one command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `ablation` to the program's sub-parsers."""
    parser = subparsers.add_parser(
        "ablation",
        help="train and compare all rows of the paper's Table 3 on synthetic scenes",
        description="Train every row of Table 3 over some seeds on scenes whose truth is known, and"
        " write ablation.md with the table, attention inside the planted object's box and the"
        " face's weight against its ambiguity. After a kill the same command goes on.",
        epilog="Example: caer ablation recipes/ablation.yaml --small --out runs/ablation",
    )
    parser.add_argument("recipe", type=Path, help="YAML file, see recipes/ablation.yaml")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--small", action="store_true", help="the recipe's small form")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="change the recipe: jobs=1 ..."
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, measure, write, and print the table."""
    from caer_ros.training.ablation.plan import load_plan
    from caer_ros.training.ablation.report import run_ablation, table

    plan = load_plan(args.recipe, args.small, args.set)
    words = ["caer ablation", str(args.recipe), *(["--small"] if args.small else [])]
    words += ["--set", *args.set] if args.set else []
    result = run_ablation(plan, args.out, " ".join([*words, "--out DIR"]))
    print(table(result))
    print(f"{args.out / 'ablation.md'}: written")
    return 0
