"""`caer data`: make data sets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from caer_ros.cli import data_aggregate, data_boxes, data_build, data_check, data_scenes


def add_parser(subparsers: Any) -> None:
    """Add `data` and its own commands to the program's sub-parsers."""
    parser = subparsers.add_parser("data", help="make data sets")
    commands = parser.add_subparsers(dest="data_command", required=True)
    _add_synth(commands)
    _add_faces(commands)
    for module in (data_scenes, data_check, data_boxes, data_build, data_aggregate):
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
    synth.add_argument("--jobs", type=int, default=1, help="processes, with --photoreal only")
    synth.set_defaults(run=run_synth)


def _add_faces(commands: Any) -> None:
    faces = commands.add_parser(
        "faces",
        help="cut unlabelled faces out of pictures and films, with warped expressions",
        description="Detect faces, cut them out with room to spare, and write further copies whose"
        " expression is warped by the face model. No labels: training asks the teacher.",
    )
    faces.add_argument("sources", type=Path, nargs="+", help="pictures or films")
    faces.add_argument("--out", type=Path, required=True, help="new folder to write")
    faces.add_argument("--detector", type=Path, required=True, help="YuNet .onnx, dynamic size")
    faces.add_argument("--face-model", type=Path, required=True, help="packed ICT-FaceKit .npz")
    faces.add_argument("--warps", type=int, default=7, help="copies a face (default: %(default)s)")
    faces.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    faces.set_defaults(run=run_faces)


def run_synth(args: argparse.Namespace) -> int:
    """Write the rendered data set and say what is in it."""
    from caer_ros.datasets.ict_face import load_face_model
    from caer_ros.datasets.photoreal.dataset import write_photoreal
    from caer_ros.datasets.synthetic import write_dataset

    model = load_face_model(args.face_model)
    if args.photoreal:
        counts = write_photoreal(model, args.out, args.count, args.seed, args.jobs)
    else:
        counts = write_dataset(model, args.out, args.count, args.seed)
    print(f"{args.out}: " + ", ".join(f"{n} pictures in {split}" for split, n in counts.items()))
    return 0


def run_faces(args: argparse.Namespace) -> int:
    """Write the cut-out faces and say how many each source gave."""
    from caer_ros.datasets.ict_face import load_face_model
    from caer_ros.datasets.real_faces import write_faces

    counts = write_faces(
        args.sources,
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
