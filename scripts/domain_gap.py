#!/usr/bin/env python3
"""How far rendered people are from real ones, and what each means against that is worth.

    scripts/domain_gap.py ict_facekit.npz people films --teacher face-api/package

The same people are rendered with all means, with one of them switched off at a time, with none, and
by the older, drawn generator. REAL are folders of `caer data faces`. Writes docs/domain-gap.md and a
picture.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from gap_measures import COMPARED, Faces, Real, Rendered
from gap_page import PICTURE, page
from gap_switches import MEANS, Means, switched_off
from tqdm import tqdm

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7, Box, CaerError
from caer_ros.datasets.ict_face import load_face_model
from caer_ros.datasets.patches import FACE, cut_face
from caer_ros.datasets.photoreal.person import Studio, open_studio
from caer_ros.datasets.photoreal.picture import person_of, take
from caer_ros.datasets.real_faces import YuNet, list_faces, named
from caer_ros.datasets.synthetic import render_scene
from caer_ros.training.teacher import Teacher, load_teacher, steady_features

ROOT = Path(__file__).resolve().parents[1]
# Somebody with hair, glasses and clothes, near enough to see them.
SHOWN = (8, "Surprise")
# Least IoU of a detection and the face.
_SAME = 0.4


@dataclass(frozen=True)
class Variant:
    """Renders of one kind; `without` says what they lack. `means` None: the drawn generator."""

    name: str
    without: str
    means: tuple[Means, ...] | None


VARIANTS = (
    Variant("full", "nothing: as `caer data synth --photoreal` makes them", ()),
    *(Variant(f"no {one.name}", one.without, (one,)) for one in MEANS),
    Variant("none of these", "all of the above", MEANS),
    Variant("drawn", "all: `caer data synth` without `--photoreal`", None),
)


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
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder (%(default)s)")
    args = parser.parse_args()
    teacher = load_teacher(args.teacher)
    reals = [read_real(folder, args.leave_out, teacher) for folder in args.real]
    find = YuNet(args.detector) if args.detector else None
    studio = open_studio(load_face_model(args.face_model))
    write_atomically(args.out / PICTURE, show(studio, args.seed))
    rendered = [
        photograph(variant, studio, args.seed, args.people, teacher, find) for variant in VARIANTS
    ]
    text = page(rendered, reals, command(sys.argv[1:]))
    write_atomically(args.out / "domain-gap.md", text.encode())
    print(text)
    return 0


def camera(variant: Variant, studio: Studio, seed: int) -> Callable[[int], list]:
    """What takes a person's seven pictures (with `image` and `box`), in the order of CAER7."""

    def drawn(number: int) -> list:
        return [render_scene(studio.model, seed, number, label) for label in CAER7]

    def photoreal(number: int) -> list:
        with switched_off(variant.means or ()):
            person = person_of(studio, seed, number)
            return [take(studio, person, seed, number, label) for label in CAER7]

    return drawn if variant.means is None else photoreal


def photograph(
    variant: Variant,
    studio: Studio,
    seed: int,
    people: int,
    teacher: Teacher,
    find: YuNet | None,
) -> Rendered:
    """Render `people` in all seven poses and have them looked at."""
    pictures = camera(variant, studio, seed)
    crops, found = [], []
    for number in tqdm(range(people), variant.name, unit="person"):
        for picture in pictures(number):
            seen = None if find is None else detect(find, picture.image, picture.box)
            crops.append(cut_face(picture.image, seen or picture.box, "rgb8"))
            found.append(seen is not None)
    features, said = look(teacher, np.stack(crops))
    pose, who = np.tile(np.arange(len(CAER7)), people), np.repeat(np.arange(people), len(CAER7))
    faces = Faces(features, pose, who)
    seen_by = None if find is None else np.array(found)
    return Rendered(variant.name, variant.without, faces, said, seen_by)


def detect(find: YuNet, image: np.ndarray, box: Box) -> Box | None:
    """The detection that is the face in `box` of an RGB picture."""
    boxes = [face.box for face in find(np.ascontiguousarray(image[..., ::-1]))]
    best = max(boxes, key=box.iou, default=None)
    return best if best is not None and box.iou(best) >= _SAME else None


def look(teacher: Teacher, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The teacher's features float64 [N, 256] of crops, and the emotions int [N] that it names."""
    features = steady_features(teacher, crops)
    said = teacher.classify(features).argmax(dim=1)
    return features.numpy().astype(np.float64), said.numpy()


def read_real(folder: Path, leave_out: list[str], teacher: Teacher) -> Real:
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
    crops = np.empty((len(rows), FACE, FACE, 3), np.uint8)
    for crop, (path, _, box) in zip(crops, rows, strict=True):
        crop[:] = cut_face(cv2.imread(str(path)), box, "bgr8")
    features, said = look(teacher, crops)
    who = np.unique([source for _, source, _ in rows], return_inverse=True)[1]
    kept = np.isin(said, COMPARED)
    return Real(folder.name, Faces(features, said, who).of(kept), len(rows))


def show(studio: Studio, seed: int) -> bytes:
    """One person's same picture in every variant, labelled: a JPEG file."""
    tiles = []
    for variant in VARIANTS:
        image = camera(variant, studio, seed)(SHOWN[0])[CAER7.index(SHOWN[1])].image
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


def command(words: list[str]) -> str:
    """The command that was given, with names for paths."""
    short = [Path(word).name if "/" in word else word for word in words]
    quoted = [f"'{word}'" if set("*?[") & set(word) else word for word in short]
    return " ".join(["scripts/domain_gap.py", *quoted])


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except CaerError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
