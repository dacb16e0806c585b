"""`caer data scenes`: draw a data set in which what face and context tell is known exactly."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from caer_ros.core import InputError


def add_parser(subparsers: Any) -> None:
    """Add `scenes` to the sub-parsers of `caer data`."""
    parser = subparsers.add_parser(
        "scenes",
        help="draw scenes whose face and context cues are controlled",
        description="Draw people and things in invented scenes, laid out like CAER-S, CAER or"
        " EMOTIC. How much the face tells and how far the planted object can be trusted are"
        " controlled, and the best accuracy that anybody can reach is computed and printed. The"
        " same seed gives the same bytes.",
    )
    parser.add_argument("out", type=Path, help="new folder to write")
    parser.add_argument(
        "--layout",
        choices=("caer-s", "caer", "emotic"),
        default="caer-s",
        help="pictures, clips, or pictures with EMOTIC's annotations (default: %(default)s)",
    )
    for split, count in (("train", 700), ("validation", 0), ("test", 140)):
        parser.add_argument(
            f"--{split}",
            type=int,
            default=count,
            metavar="N",
            help="samples (default: %(default)s)",
        )
    _add_controls(parser)
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--contact-sheet", action="store_true", help="write only the two pictures to look at"
    )
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(run=run_scenes)


def _add_controls(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the scenes tell")
    group.add_argument(
        "--ambiguity",
        default="0.8",
        metavar="A[:B]",
        help="of faces, 0 to 1, or a range: 0 tells the emotion, 1 leaves two (%(default)s)",
    )
    group.add_argument(
        "--reliability",
        type=float,
        default=0.9,
        metavar="P",
        help="probability that the planted object is of the right emotion (%(default)s)",
    )
    group.add_argument(
        "--absent",
        type=float,
        default=0.25,
        metavar="P",
        help="share of the other scenes that have no object at all (%(default)s)",
    )
    group.add_argument("--companions", type=int, default=0, help="most other people (%(default)s)")
    group.add_argument(
        "--agreement",
        type=float,
        default=1 / 7,
        metavar="P",
        help="probability that a companion shows the subject's emotion (1/7)",
    )
    group.add_argument("--distractors", type=int, default=4, help="most idle things (%(default)s)")
    group.add_argument(
        "--motion", action="store_true", help="clips: how a head moves tells the two apart"
    )
    group.add_argument(
        "--frames", type=int, default=24, help="of a clip, 10 a second (%(default)s)"
    )
    group.add_argument("--size", default="320x240", metavar="WxH", help="pixels (%(default)s)")


def run_scenes(args: argparse.Namespace) -> int:
    """Write the data set (or only its sheets) and say what it holds and what can be reached."""
    from caer_ros.datasets.scenes.folders import SceneSet, make_folder, write_scenes, write_sheets
    from caer_ros.datasets.scenes.spec import SceneControls

    width, height = _size(args.size)
    controls = SceneControls(
        ambiguity=_range(args.ambiguity),
        reliability=args.reliability,
        absent=args.absent,
        companions=args.companions,
        agreement=args.agreement,
        distractors=args.distractors,
        motion=args.motion,
        width=width,
        height=height,
    )
    counts = {"train": args.train, "validation": args.validation, "test": args.test}
    wanted = SceneSet(args.layout, counts, args.seed, controls, args.frames)
    if args.contact_sheet:
        make_folder(args.out)
        write_sheets(args.out, wanted)
        counts = {}
    else:
        counts = write_scenes(args.out, wanted)
    _report(args, counts, controls.ceilings().as_dict())
    return 0


def _report(args: argparse.Namespace, counts: dict[str, int], best: dict[str, float]) -> None:
    if args.json:
        print(json.dumps({"out": str(args.out), "counts": counts, "ceilings": best}))
        return
    if counts:
        unit = "clips" if args.layout == "caer" else "pictures"
        print(f"{args.out}: " + ", ".join(f"{n} {unit} in {s}" for s, n in counts.items()))
    print(
        "Best accuracy anybody can reach on stills: "
        + ", ".join(f"{name} {value:.3f}" for name, value in best.items())
    )
    print(f"Look at {args.out / 'contact_sheet.png'} and {args.out / 'vocabulary.png'}.")


def _range(text: str) -> float | tuple[float, float]:
    try:
        values = [float(part) for part in text.split(":")]
    except ValueError:
        values = []
    if len(values) == 1:
        return values[0]
    if len(values) == 2:
        return values[0], values[1]
    raise InputError(f"--ambiguity {text} is no number and no range.", "Write 0.8 or 0.2:1.")


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        raise InputError(f"--size {text} is no size.", "Write it like 320x240.")
    return int(parts[0]), int(parts[1])
