#!/usr/bin/env python3
"""How far rendered people are from real ones, and what each means against that is worth.

    scripts/domain_gap.py ict_facekit.npz people films --teacher face-api/package

The same people are rendered with all means, with one of them switched off at a time, with none, and
by the older, drawn generator. REAL are folders of `caer data faces`. Writes docs/domain-gap.md and
a picture.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import cv2
import numpy as np
from gap_measures import COMPARED, Faces, Real
from gap_page import PICTURE, page
from gap_renders import VARIANTS, Kept, look, photograph, shoot

from caer_ros.bundles import write_atomically
from caer_ros.core import CaerError
from caer_ros.datasets.ict_face import load_face_model
from caer_ros.datasets.patches import FACE, cut_face
from caer_ros.datasets.photoreal.person import Studio, open_studio
from caer_ros.datasets.real_faces import YuNet, list_faces, named
from caer_ros.training.teacher import Teacher, load_teacher

ROOT = Path(__file__).resolve().parents[1]
# Somebody with hair, glasses and clothes, near enough to see them.
SHOWN = (8, "Surprise")


def main() -> int:
    """Render, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("face_model", type=Path, help="packed by `caer data facekit`")
    parser.add_argument("real", type=Path, nargs="+", help="folders of `caer data faces`")
    parser.add_argument("--teacher", type=Path, required=True, help="unpacked face-api package")
    parser.add_argument("--detector", type=Path, help="YuNet; else faces are cut by exact boxes")
    parser.add_argument("--leave-out", nargs="*", default=[], help="patterns of sources' names")
    parser.add_argument("--people", type=int, default=20, help="rendered (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the renders (%(default)s)")
    parser.add_argument(
        "--work", type=Path, help="keep what is measured there, to go on after a cut"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder (%(default)s)")
    args = parser.parse_args()
    teacher = load_teacher(args.teacher)
    find = YuNet(args.detector) if args.detector else None
    studio = open_studio(load_face_model(args.face_model))
    write_atomically(args.out / PICTURE, show(studio, args.seed))
    kept = Kept(args.work, studio, args.seed, args.detector) if args.work else None
    reals = [read_real(folder, args.leave_out, teacher, kept) for folder in args.real]
    rendered = photograph(studio, args.seed, args.people, teacher, find, kept)
    text = page(rendered, reals, command(args))
    write_atomically(args.out / "domain-gap.md", text.encode())
    print(text)
    return 0


def read_real(
    folder: Path, leave_out: list[str], teacher: Teacher, kept: Kept | None = None
) -> Real:
    """The unchanged patches of a folder, cut as the robot cuts faces.

    Raises:
        InputError: it is no folder of `caer data faces`.
    """
    rows = [
        row
        for row in list_faces(folder)
        # The first patch of a face is the photograph, the others are warped.
        if row[0].stem.endswith("_00") and not named(row[1], leave_out)
    ]

    def measure() -> tuple[np.ndarray, np.ndarray]:
        crops = np.empty((len(rows), FACE, FACE, 3), np.uint8)
        for crop, (path, _, box) in zip(crops, rows, strict=True):
            crop[:] = cut_face(cv2.imread(str(path)), box, "bgr8")
        return look(teacher, crops)

    listed = hashlib.sha256(repr([str(row) for row in rows]).encode()).hexdigest()[:12]
    features, said = kept.get(f"real {folder.name} {listed}", measure) if kept else measure()
    who = np.unique([source for _, source, _ in rows], return_inverse=True)[1]
    kept = np.isin(said, COMPARED)
    return Real(folder.name, Faces(features, said, who).of(kept), len(rows))


def show(studio: Studio, seed: int) -> bytes:
    """One person's same picture in every variant, labelled: a JPEG file."""
    tiles = []
    for variant in VARIANTS:
        image = shoot(variant, studio, seed, SHOWN[0], SHOWN[1:])[0].image
        tile = cv2.resize(image, (320, 240), interpolation=cv2.INTER_AREA)[..., ::-1].copy()
        for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
            cv2.putText(
                tile, variant.name, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, thick,
                cv2.LINE_AA,
            )  # fmt: skip
        tiles.append(tile)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % 4)
    sheet = np.vstack([np.hstack(tiles[k : k + 4]) for k in range(0, len(tiles), 4)])
    return cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def command(args: argparse.Namespace) -> str:
    """The command that was given, with names for paths."""
    words = ["scripts/domain_gap.py", args.face_model.name, *(one.name for one in args.real)]
    words += ["--teacher", args.teacher.name]
    words += ["--detector", args.detector.name] if args.detector else []
    words += ["--people", str(args.people), "--seed", str(args.seed)]
    words += ["--leave-out", *(f"'{one}'" for one in args.leave_out)] if args.leave_out else []
    return " ".join(words)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except CaerError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
