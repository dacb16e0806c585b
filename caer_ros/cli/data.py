"""`caer data`: make data sets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caer_ros.cli import (
    data_aggregate,
    data_boxes,
    data_build,
    data_check,
    data_facekit,
    data_people,
    data_scenes,
)
from caer_ros.core import InputError

if TYPE_CHECKING:
    from caer_ros.datasets.ict_face import FaceModel


def add_parser(subparsers: Any) -> None:
    """Add `data` and its own commands to the program's sub-parsers."""
    parser = subparsers.add_parser("data", help="make data sets")
    commands = parser.add_subparsers(dest="data_command", required=True)
    _add_synth(commands)
    _add_faces(commands)
    for module in (
        data_facekit,
        data_scenes,
        data_check,
        data_boxes,
        data_build,
        data_aggregate,
        data_people,
    ):
        module.add_parser(commands)


def _add_synth(commands: Any) -> None:
    synth = commands.add_parser(
        "synth",
        help="render posed faces in invented scenes, laid out like CAER-S",
        description="Render ICT-FaceKit people posing the seven emotions in procedural scenes, some"
        " with a planted cue. The same seed gives the same bytes.",
    )
    synth.add_argument("out", type=Path, help="new folder to write")
    synth.add_argument("--face-model", type=Path, required=True, help="packed ICT-FaceKit .npz")
    synth.add_argument("--count", type=int, default=700, help="pictures (default: %(default)s)")
    synth.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    synth.add_argument(
        "--photoreal",
        action="store_true",
        help="people close to photographs: skin, hair, clothes, light and camera",
    )
    group = synth.add_argument_group("with --photoreal only")
    group.add_argument("--jobs", type=int, default=1, help="processes (default: %(default)s)")
    group.add_argument(
        "--layout",
        choices=("caer-s", "caer", "emotic"),
        default="caer-s",
        help="pictures, clips, or pictures of several people (default: %(default)s)",
    )
    group.add_argument(
        "--frames", type=int, default=16, help="of a clip, 10 a second (default: %(default)s)"
    )
    group.add_argument(
        "--cues",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of pictures in which a thing, the light, arms or company go with the emotion (0)",
    )
    group.add_argument(
        "--masks",
        action="store_true",
        help="also write masks/ (0 nobody, k person k, 1 the subject) and parts/ (plan.json names"
        " the values): grey PNGs named as the pictures, of clips a folder with one a frame",
    )
    synth.set_defaults(run=run_synth)


def _add_faces(commands: Any) -> None:
    faces = commands.add_parser(
        "faces",
        help="cut unlabelled faces out of pictures and films, with warped expressions",
        description="Detect faces, cut them out with room to spare, and write further copies whose"
        " expression is warped by the face model. No labels: training asks the teacher.",
    )
    faces.add_argument("sources", type=Path, nargs="+", help="pictures, films or folders of them")
    faces.add_argument("--out", type=Path, required=True, help="new folder to write")
    faces.add_argument("--detector", type=Path, required=True, help="YuNet .onnx, dynamic size")
    faces.add_argument("--face-model", type=Path, required=True, help="packed ICT-FaceKit .npz")
    faces.add_argument("--warps", type=int, default=7, help="copies a face (default: %(default)s)")
    faces.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    faces.set_defaults(run=run_faces)


def run_synth(args: argparse.Namespace) -> int:
    """Write the rendered data set and say what is in it."""
    from caer_ros.datasets.ict_face import load_face_model
    from caer_ros.datasets.synthetic import write_dataset

    if not args.photoreal and (args.layout != "caer-s" or args.cues or args.masks):
        raise InputError("--layout, --cues and --masks need --photoreal.", "Add --photoreal.")
    model = load_face_model(args.face_model)
    if args.photoreal:
        counts = _write_photoreal(model, args)
    else:
        counts = write_dataset(model, args.out, args.count, args.seed)
    unit = "clips" if args.layout == "caer" else "pictures"
    print(f"{args.out}: " + ", ".join(f"{n} {unit} in {split}" for split, n in counts.items()))
    return 0


def _write_photoreal(model: FaceModel, args: argparse.Namespace) -> dict[str, int]:
    from caer_ros.datasets.photoreal.clip_set import write_clips
    from caer_ros.datasets.photoreal.dataset import write_photoreal
    from caer_ros.datasets.photoreal.group_set import write_groups

    if args.layout == "caer":
        return write_clips(
            model,
            args.out,
            args.count,
            args.seed,
            args.jobs,
            args.cues,
            args.frames,
            args.masks,
        )
    write = write_groups if args.layout == "emotic" else write_photoreal
    return write(model, args.out, args.count, args.seed, args.jobs, args.cues, args.masks)


def run_faces(args: argparse.Namespace) -> int:
    """Write the cut-out faces and say how many each source gave."""
    from caer_ros.datasets.found_sources import list_sources
    from caer_ros.datasets.ict_face import load_face_model
    from caer_ros.datasets.real_faces import write_faces

    counts = write_faces(
        list_sources(args.sources),
        args.out,
        args.detector,
        load_face_model(args.face_model),
        args.warps,
        args.seed,
    )
    for source, faces in counts.items():
        print(f"{source}: {faces} faces")
        if faces == 0:
            print(f"caer: no face found in {source}", file=sys.stderr)
    return 0
