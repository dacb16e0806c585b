"""`caer bench data`: samples a second that the loader gives to training."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_SAMPLES = 100_000


def add_parser(subparsers: Any) -> None:
    """Add `data` to the sub-parsers of `bench`."""
    parser = subparsers.add_parser(
        "data",
        help="samples a second from the loader, cut and augmented as in training",
        description="Load training batches as the recipe says, without a network, and time them.",
        epilog="Example: caer bench data recipes/caer_net_s.yaml --set data.folder=CAER-S",
    )
    parser.add_argument("recipe", type=Path, help="YAML file, see recipes/")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2], help="(0 1 2)")
    parser.add_argument("--seconds", type=float, default=10.0, help="a measurement (%(default)s)")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="of the recipe"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from caer_ros.core import InputError
    from caer_ros.datasets.bench_loader import time_batches
    from caer_ros.training.benet.recipe import is_benet

    if args.seconds <= 0 or min(args.workers) < 0:
        raise InputError("--seconds must be above 0, --workers at least 0.")
    about, batches = _benet(args) if is_benet(args.recipe) else _supervised(args)
    speeds = [time_batches(batches(count), count, args.seconds) for count in args.workers]
    if args.json:
        print(json.dumps([speed.as_dict() for speed in speeds], indent=2))
        return 0
    print(about)
    print(f"{'workers':>7}{'samples/s':>12}")
    for speed in speeds:
        print(f"{speed.workers:>7}{speed.samples_per_second:>12.1f}")
    return 0


# What is measured, in words; and a function that starts to load with so many workers. Each loads
# one endless-looking epoch: with few samples the start of workers would be all that is timed.
_Measured = tuple[str, Callable[[int], Iterator[Any]]]


def _supervised(args: argparse.Namespace) -> _Measured:
    import numpy as np

    from caer_ros.datasets.examples import Part
    from caer_ros.networks.registry import build_network
    from caer_ros.training.feed import TrainingFeed
    from caer_ros.training.recipe_data import open_split
    from caer_ros.training.supervised_recipe import load_supervised

    recipe = load_supervised(args.recipe, args.set)
    network = build_network(**recipe.network)
    source = open_split(network, recipe.data, "train")
    again = Part(source, np.resize(np.arange(len(source)), max(len(source), _SAMPLES)))

    def batches(workers: int) -> Iterator[Any]:
        feed = TrainingFeed(again, recipe.batch, recipe.seed, recipe.augment, True, workers)
        return feed.batches(0)

    about = f"{len(source)} samples, batches of {recipe.batch}, for {network.architecture}"
    return about, batches


def _benet(args: argparse.Namespace) -> _Measured:
    from caer_ros.datasets.bench_loader import Again
    from caer_ros.datasets.emotic.source import EmoticSource
    from caer_ros.training.benet.data import open_images
    from caer_ros.training.benet.feed import EmoticFeed
    from caer_ros.training.benet.recipe import load_benet_recipe

    recipe = load_benet_recipe(args.recipe, args.set)
    source = EmoticSource(open_images(recipe.data, "train"), recipe.samples)

    def batches(workers: int) -> Iterator[Any]:
        again = Again(source, max(len(source), _SAMPLES))
        return EmoticFeed(again, recipe.batch, recipe.seed, workers).batches(0)

    size = recipe.data.size
    about = f"{len(source)} samples, batches of {recipe.batch}, for benet at {size} x {size}"
    return about, batches
