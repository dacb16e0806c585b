"""`caer bench people`: what a frame costs with more and more people in it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caer_ros.bundles import Bundle

_UNTRAINED = "untrained weights: cost only"
# Those that change what is measured; a page names the ones that were given.
_DEFAULTS: dict[str, Any] = {
    "people": [1, 2, 5, 10, 15, 20, 30],
    "rounds": 15,
    "width": 480,
    "height": 480,
    "short_side": 384,
    "backbone": "benet",
    "channels": None,
    "caer": "caer_net_s",
    "backend": "auto",
    "threads": 0,
}


def add_parser(subparsers: Any) -> None:
    """Add `people` to the sub-parsers of `bench`."""
    parser = subparsers.add_parser(
        "people",
        help="cost against number of people: BENet beside CAER-Net-S",
        description="Time BENet, which sees everybody in one run, and CAER-Net-S, whose work grows"
        " with every face, with the same numbers of people, in turns. What BENet's network"
        " costs does not depend on its weights: without MODEL they are random, and nobody but"
        " this command sees them.",
        epilog="Example: caer bench people --threads 2 --out docs",
    )
    parser.add_argument(
        "benet",
        nargs="?",
        metavar="MODEL",
        help="BENet: a .safetensors checkpoint, or a bundle's name or folder (default: untrained)",
    )
    parser.add_argument("--people", type=int, nargs="+", metavar="N", help="(1 2 5 10 15 20 30)")
    parser.add_argument("--rounds", type=int, help="measured (%(default)s)")
    parser.add_argument("--width", type=int, help="frame width (%(default)s)")
    parser.add_argument("--height", type=int, help="frame height (%(default)s)")
    parser.add_argument(
        "--short-side",
        type=int,
        metavar="PIXELS",
        help="of BENet's input; a bundle has its own (%(default)s)",
    )
    parser.add_argument(
        "--backbone",
        choices=("benet", "hrnet_w32", "hrnet_w18"),
        help="of the untrained BENet (%(default)s)",
    )
    parser.add_argument(
        "--channels", type=int, help="of its finest map (default: the backbone's own)"
    )
    parser.add_argument("--caer", metavar="MODEL", help="CAER-Net-S bundle (%(default)s)")
    parser.add_argument(
        "--backend",
        choices=("auto", "openvino", "onnxruntime"),
        help="auto takes OpenVINO where it is installed, else ONNX Runtime (%(default)s)",
    )
    parser.add_argument("--threads", type=int, help="0: the back end chooses")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="write the plot")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write people.md and images/people.png"
    )
    parser.set_defaults(run=run, **_DEFAULTS)


def run(args: argparse.Namespace) -> int:
    """Measure, print, write."""
    import tempfile

    from tqdm import tqdm

    from caer_ros.bundles import find_bundle
    from caer_ros.deploy.bench_people import Settings, bench_people
    from caer_ros.deploy.people_report import plot, to_lines, write_page

    settings = Settings(
        tuple(args.people),
        args.width,
        args.height,
        args.rounds,
        backend=_backend(args.backend),
        threads=args.threads,
    )
    caer = find_bundle(args.caer)
    with tempfile.TemporaryDirectory() as scratch:
        report = bench_people(
            _benet(args, Path(scratch)),
            caer,
            settings,
            Path(scratch),
            lambda loop: tqdm(loop, unit="round", disable=None, file=sys.stderr),
        )
    if args.plot:
        plot(report, args.plot)
    if args.out:
        print(f"wrote {write_page(report, args.out, _command(args))}", file=sys.stderr)
    print(json.dumps(report.to_dict(), indent=2) if args.json else "\n".join(to_lines(report)))
    return 0


def _backend(requested: str) -> str:
    """TensorRT is left out: it would need engines built of files that are thrown away."""
    from caer_ros.core import InputError
    from caer_ros.engines import choose_backend

    try:
        return choose_backend("openvino" if requested == "auto" else requested)[0]
    except InputError:
        if requested != "auto":
            raise
        return "onnxruntime"


def _benet(args: argparse.Namespace, scratch: Path) -> Bundle:
    from caer_ros.bundles import find_bundle, read_bundle
    from caer_ros.deploy.card import About
    from caer_ros.deploy.export_benet import MapsOptions, export_for_timing
    from caer_ros.networks.checkpoint import load_benet
    from caer_ros.networks.registry import build_network

    if args.benet and not args.benet.endswith(".safetensors"):
        return find_bundle(args.benet)
    if args.benet:
        path = Path(args.benet)
        network, about = load_benet(path), About(path.stem, "checkpoint", {}, True, "")
    else:
        network = build_network("benet", backbone=args.backbone, width=args.channels).eval()
        name = f"backbone {args.backbone}, {network.config.form.width} channels"
        about = About(name, "untrained", {}, True, _UNTRAINED)
    options = MapsOptions(args.short_side, max(30, *args.people))
    export_for_timing(network, scratch / "benet", about, options)
    return read_bundle(scratch / "benet")


def _command(args: argparse.Namespace) -> str:
    """The call that made a page, less the folders of this machine."""
    given = [Path(args.benet).name] if args.benet else []
    for name, default in _DEFAULTS.items():
        value = getattr(args, name)
        if value != default:
            text = " ".join(map(str, value)) if name == "people" else Path(str(value)).name
            given.append(f"--{name.replace('_', '-')} {text}")
    return " ".join(["caer bench people", *given, "--out docs"])
