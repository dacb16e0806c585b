"""`caer bench motion`: what a model of clips gains over a smoothed static one when things move."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caer_ros.bundles import Bundle
    from caer_ros.evaluation.motion.material import Clips


def add_parser(subparsers: Any) -> None:
    """Add `motion` to the sub-parsers of `bench`."""
    parser = subparsers.add_parser(
        "motion",
        help="a static and a clip model on the same clips: moved, blurred, flickering, noisy",
        description="Run a CAER-Net-S and a CAER-Net bundle as the robot would, with and without "
        "its smoothing, on clips as they are and made worse in seven ways at three strengths. Says "
        "how often each is right, how often its label changes from frame to frame, and whether 3D "
        "gains anything over the static model with smoothing. Face boxes are the data's.",
        epilog="Example: caer bench motion models/caer_net_s models/caer_net --data CAER",
    )
    parser.add_argument("static", help="CAER-Net-S bundle, name or folder")
    parser.add_argument("clip", help="CAER-Net bundle, name or folder")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder laid out like CAER, or a recipe of scenes"
    )
    parser.add_argument(
        "--split", default="test", choices=("train", "validation", "test"), help="(%(default)s)"
    )
    parser.add_argument("--clips", type=int, default=70, help="most clips (%(default)s)")
    parser.add_argument("--frames", type=int, default=40, help="of each, 17 or more (%(default)s)")
    parser.add_argument(
        "--kinds", nargs="+", action="extend", metavar="KIND", help="which corruptions (all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the corruptions (%(default)s)")
    _add_model_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--out", type=Path, help="folder for motion.json, motion.txt, motion.png")
    parser.set_defaults(run=run)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    from caer_ros.engines import BACKENDS
    from caer_ros.perception import PipelineConfig

    default = PipelineConfig()
    group = parser.add_argument_group("models")
    group.add_argument("--precision", default=default.precision, help="(%(default)s)")
    group.add_argument("--backend", default=default.backend, choices=BACKENDS, help="(%(default)s)")
    group.add_argument("--threads", type=int, default=0, help="0: the back end chooses")
    group.add_argument("--hop", type=int, help="frames between two clips (the bundle's)")
    for flag, name in (
        ("--smoothing", "smoothing_s"),
        ("--label-margin", "label_margin"),
        ("--label-time", "label_time_s"),
    ):
        value = getattr(default, name)
        group.add_argument(
            flag, dest=name, type=float, default=value, help="as in caer run (%(default)s)"
        )


def run(args: argparse.Namespace) -> int:
    """Measure, write and print."""
    from tqdm import tqdm

    from caer_ros.bundles import find_bundle, write_atomically
    from caer_ros.core import InputError
    from caer_ros.engines import choose_backend
    from caer_ros.evaluation.motion.corrupt import KINDS
    from caer_ros.evaluation.motion.material import spread
    from caer_ros.evaluation.motion.measure import conditions, measure
    from caer_ros.evaluation.motion.report import draw, summary, table
    from caer_ros.evaluation.motion.rivals import Rivals
    from caer_ros.perception.smoothing_config import SmoothingConfig

    static, clip = find_bundle(args.static), find_bundle(args.clip)
    smoothing = SmoothingConfig(args.smoothing_s, args.label_margin, args.label_time_s)
    clips = _open_clips(args, clip)
    kinds = args.kinds or list(KINDS)
    if args.clips < 1 or args.seed < 0:
        raise InputError("--clips must be at least 1, --seed at least 0.")
    places = spread(clips.labels, args.clips)
    backend, _ = choose_backend(args.backend)
    with (
        Rivals(static, clip, args.precision, backend, smoothing, args.hop, args.threads) as rivals,
        tqdm(
            total=len(places) * len(conditions(kinds)), unit="clip", file=sys.stderr, disable=None
        ) as bar,
    ):
        if args.frames <= rivals.clip_config.frames:
            raise InputError(
                f"--frames is {args.frames}, and the clip model reads {rivals.clip_config.frames}.",
                "Take more, to see how its answers change.",
            )
        rows = measure(rivals, clips, places, args.frames, kinds, args.seed, bar.update)
    about = {
        "static": f"{static.name} {static.version}",
        "clip": f"{clip.name} {clip.version}",
        "precision": args.precision,
        "backend": backend,
        "data": str(args.data),
        "split": args.split,
        "clips": len(places),
        "frames": args.frames,
        "rate": rivals.clip_config.rate,
        "hop": rivals.clip_config.hop,
        "seed": args.seed,
        "smoothing": vars(smoothing),
    }
    told = json.dumps({"about": about, "rows": [row.as_dict() for row in rows]}, indent=2) + "\n"
    text = f"{table(rows)}\n{summary(rows, len(places))}\n"
    if args.out is not None:
        write_atomically(args.out / "motion.json", told.encode())
        write_atomically(args.out / "motion.txt", text.encode())
        draw(rows, args.out / "motion.png")
    print(told if args.json else text, end="")
    return 0


def _open_clips(args: argparse.Namespace, clip: Bundle) -> Clips:
    from caer_ros.cli.labelled import open_labelled
    from caer_ros.datasets.scenes import SceneStream
    from caer_ros.evaluation.clip_answers import Videos
    from caer_ros.evaluation.motion.material import DrawnClips
    from caer_ros.training.recipe_data import data_of

    choice = data_of(args.data, None)
    if choice.scenes is not None:
        stream = SceneStream(choice.scenes.seed, args.split, choice.scenes.controls)
        return DrawnClips(stream, getattr(choice.scenes, args.split))
    videos = open_labelled(clip, args.data, args.split).samples
    assert isinstance(videos, Videos)
    return videos
