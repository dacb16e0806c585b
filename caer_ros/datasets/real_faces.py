"""Unlabelled faces from pictures and films, cut with room to spare for augmentation.

Layout: OUT/faces.csv with lines `SOURCE/NAME.png,x1,y1,x2,y2` and square patches of PATCH pixels;
SOURCE/FRAME_scene.png is each frame as the context stream sees it, faces hidden.
SOURCE is the file's name without its ending: hold out whole sources to hold out people.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.expression_warp import fit_pose, warp_expression
from caer_ros.datasets.expressions import sample_expression
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.patches import PATCH, cut_context, cut_patch, in_patch

_SMALLEST_FACE = 20
_FILM_STEP = 2
FILMS = (".gif", ".mp4", ".avi", ".mkv", ".mov", ".webm")


@dataclass(frozen=True)
class Detection:
    """A face box and its five landmarks float64 [5, 2], in the picture's pixels."""

    box: Box
    landmarks: np.ndarray


class YuNet:
    """OpenCV's YuNet with landmarks, which the robot's detectors do not need."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(f"Face detector {path} does not exist.", "Give a YuNet .onnx file.")
        try:
            self._net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), 0.7)
        except cv2.error as error:
            raise InputError(
                f"OpenCV can not read {path} ({error.err}).", "Give a YuNet .onnx file."
            ) from None

    def __call__(self, bgr: np.ndarray) -> list[Detection]:
        """All faces of a uint8 BGR picture [H, W, 3]."""
        self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
        found = self._net.detect(bgr)[1]
        rows = [] if found is None else found.astype(np.float64)
        return [
            Detection(
                Box(r[0], r[1], r[0] + r[2], r[1] + r[3], float(r[14])), r[4:14].reshape(5, 2)
            )
            for r in rows
        ]


def read_frames(path: Path) -> Iterator[np.ndarray]:
    """uint8 BGR frames of a film (every second one) or the one of a picture.

    Raises:
        InputError: the file is missing or is neither.
    """
    remedy = f"Give a picture or a film ({', '.join(FILMS)})."
    if path.suffix.lower() not in FILMS:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise InputError(f"{path} can not be read.", remedy)
        yield image
        return
    film = cv2.VideoCapture(str(path))
    try:
        if not film.isOpened():
            raise InputError(f"{path} can not be read.", remedy)
        number = 0
        while True:
            more, frame = film.read()
            if not more:
                return
            if number % _FILM_STEP == 0:
                yield frame
            number += 1
    finally:
        film.release()


def write_faces(
    sources: Sequence[Path],
    out: Path,
    detector: Path,
    model: FaceModel,
    warps: int,
    seed: int,
) -> dict[str, int]:
    """Write every face of `sources` and `warps` warped copies of each; faces found by source.

    Raises:
        InputError: `out` is not empty, two sources have the same name, or a source or the detector
            can not be read.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty.", "Name a new folder.")
    _check_names(sources)
    find = YuNet(detector)
    counts: dict[str, int] = {}
    rows: list[list[str]] = []
    for source in sources:
        counts[source.stem] = 0
        frames = tqdm(read_frames(source), desc=source.stem, unit="frame")
        for number, frame in enumerate(frames):
            found = find(frame)
            _write_scene(frame, found, out / source.stem / f"{number:04d}_scene.png")
            for place, face in enumerate(found):
                if face.box.height < _SMALLEST_FACE:
                    continue
                counts[source.stem] += 1
                rng = np.random.default_rng([seed, len(counts), number, place])
                patches, box = cut_patches(frame, face, model, warps, rng)
                corners = (box.x1, box.y1, box.x2, box.y2)
                for index, picture in enumerate(patches):
                    name = f"{source.stem}/{number:04d}_{place}_{index:02d}.png"
                    _write_png(out / name, picture)
                    rows.append([name, *(f"{v:.1f}" for v in corners)])
    _write_table(out / "faces.csv", rows)
    return counts


def _check_names(sources: Sequence[Path]) -> None:
    """A source's faces lie in a folder of its name, and people are held out by it."""
    seen: dict[str, Path] = {}
    for source in sources:
        other = seen.setdefault(source.stem, source)
        if other is not source:
            raise InputError(
                f"{other} and {source} would both be written as '{source.stem}'.",
                "Rename one of them.",
            )


def cut_patches(
    frame: np.ndarray, face: Detection, model: FaceModel, warps: int, rng: np.random.Generator
) -> tuple[list[np.ndarray], Box]:
    """The face of a BGR frame and warped copies, uint8 RGB [PATCH, PATCH, 3], and its box there.

    Where no pose fits the landmarks, only the unchanged patch comes back.
    """
    patch, box = cut_patch(frame, face.box, "bgr8")
    pose = fit_pose(model, in_patch(face.landmarks, face.box), PATCH)
    if pose is None:
        return [patch], box
    weights = (_any_expression(model, rng) for _ in range(warps))
    return [patch, *(warp_expression(patch, pose, model, w) for w in weights)], box


def _write_scene(frame: np.ndarray, faces: list[Detection], path: Path) -> None:
    _write_png(path, cut_context(frame, [face.box for face in faces], "bgr8"))


def _write_png(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.stem + ".tmp.png")
    cv2.imwrite(str(temporary), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    os.replace(temporary, path)


def _any_expression(model: FaceModel, rng: np.random.Generator) -> dict[str, float]:
    """A blend of two posed recipes: more kinds of faces than the seven poses."""
    labels = rng.choice(CAER7, 2, replace=False)
    first, second = (sample_expression(str(label), rng, model.expressions) for label in labels)
    share = rng.choice([0.0, 0.0, rng.uniform(0, 0.5)])
    strength = rng.uniform(0.8, 1.5)
    names = first.keys() | second.keys()
    return {
        name: strength * ((1 - share) * first.get(name, 0.0) + share * second.get(name, 0.0))
        for name in sorted(names)
    }


def _write_table(path: Path, rows: list[list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    os.replace(temporary, path)


def list_faces(root: Path) -> list[tuple[Path, str, Box]]:
    """All patches of `root`: path, source, face box in the patch.

    Raises:
        InputError: `root` was not written by `write_faces`.
    """
    table = root / "faces.csv"
    if not table.is_file():
        raise InputError(f"{table} does not exist.", "Make the folder with `caer data faces`.")
    with table.open(newline="") as stream:
        try:
            return [
                (root / name, name.split("/")[0], Box(*(float(v) for v in corners)))
                for name, *corners in csv.reader(stream)
            ]
        except (ValueError, TypeError):
            raise InputError(
                f"{table} has a line that is not 'SOURCE/NAME.png,x1,y1,x2,y2'.",
                "Make the folder anew with `caer data faces`.",
            ) from None


def named(source: str, names: Iterable[str]) -> bool:
    """Whether a source is one of `names`, or fits one that is a pattern as `portraits_A*`."""
    return any(fnmatchcase(source, name) for name in names)


def list_scenes(root: Path) -> list[tuple[Path, str]]:
    """All contexts of `root`: path and source."""
    return [(path, path.parent.name) for path in sorted(root.glob("*/*_scene.png"))]


def frame_of(path: Path) -> str:
    """`SOURCE/FRAME` of a patch or a context: what a face and its scene have in common."""
    return f"{path.parent.name}/{path.name.split('_')[0]}"
