"""Packs a downloaded ICT-FaceKit (MIT licence) into the one file that `ict_face` reads.

Its folder FaceXModel holds one OBJ mesh a shape, all with the same vertices and faces:
generic_neutral_mesh.obj, identity000.obj to identity099.obj, and jawOpen.obj and the like.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from caer_ros.bundles import write_atomically
from caer_ros.core import CaerError, InputError
from caer_ros.datasets.ict_face import VERTICES
from caer_ros.datasets.obj_mesh import ObjFile

FACES = 26384
NEUTRAL = "generic_neutral_mesh"
IDENTITIES = tuple(f"identity{n:03}" for n in range(100))
_SHAPES = {
    "": "PupilDilate_",
    "brow": "Down_ InnerUp_ OuterUp_",
    "cheek": "Puff_ Raiser_ Squint_",
    "eye": "Blink_ LookDown_ LookIn_ LookOut_ LookUp_ Squint_ Wide_",
    "jaw": "Forward Left Open Right",
    "mouth": "Close Dimple_ Frown_ Funnel Left LowerDown_ Press_ Pucker Right RollLower RollUpper"
    " ShrugLower ShrugUpper Smile_ Stretch_ UpperUp_",
    "nose": "Sneer_",
}  # a trailing _ stands for two: _L and _R
EXPRESSIONS = tuple(
    sorted(
        part + shape + side
        for part, shapes in _SHAPES.items()
        for shape in shapes.split()
        for side in ("LR" if shape.endswith("_") else ("",))
    )
)

_REMEDY = "Give ICT-FaceKit's folder FaceXModel as it was published; download it again if need be."


@dataclass(frozen=True)
class FaceKit:
    """Neutral float32 [V, 3] in cm, quads int32 [F, 4] (of a triangle, the last corner twice).

    Identities float16 [100, V, 3] and expressions [57, V, 3] are the ways from neutral to each.
    """

    neutral: np.ndarray
    quads: np.ndarray
    identities: np.ndarray
    expressions: np.ndarray


def read_face_kit(folder: Path) -> FaceKit:
    """Read the 158 meshes of FaceXModel; the folder around it will do as well.

    Raises:
        InputError: a mesh is missing, is damaged or does not fit the neutral one.
    """
    folder = _model_folder(folder)
    neutral, quads = _read_neutral(folder / f"{NEUTRAL}.obj")
    names = IDENTITIES + EXPRESSIONS
    # Filled as they are read: 25 MB for all shapes, where their text has 400.
    moves = np.empty((len(names), *neutral.shape), np.float16)
    for row, move in enumerate(_moves(folder, names, neutral)):
        moves[row] = move
    people = len(IDENTITIES)
    return FaceKit(neutral, quads, moves[:people], moves[people:])


def write_face_kit(kit: FaceKit, path: Path) -> None:
    """Write the packed .npz, as `ict_face.load_face_model` reads it.

    Raises:
        CaerError: the file can not be written.
    """
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        N=kit.neutral,
        Q=kit.quads,
        I=kit.identities,
        X=kit.expressions,
        names=np.array(EXPRESSIONS),
    )
    try:
        write_atomically(path, packed.getvalue())
    except OSError as error:
        raise CaerError(
            f"{path} can not be written ({error.strerror}).", "Give another --out."
        ) from None


def _model_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.", "Give the folder FaceXModel of ICT-FaceKit.")
    if (folder / "FaceXModel").is_dir():
        folder = folder / "FaceXModel"
    names = (NEUTRAL, *IDENTITIES, *EXPRESSIONS)
    missing = [f"{name}.obj" for name in names if not (folder / f"{name}.obj").is_file()]
    if missing:
        told = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise InputError(f"{folder} lacks {len(missing)} of {len(names)} meshes: {told}.", _REMEDY)
    return folder


def _read_neutral(path: Path) -> tuple[np.ndarray, np.ndarray]:
    mesh = ObjFile(path)
    neutral, quads = mesh.vertices(), mesh.quads()
    _check_counts(path, len(neutral), len(quads))
    if quads.min() < 0 or quads.max() >= VERTICES:
        raise InputError(f"{path} has a face with unknown vertices.", _REMEDY)
    return neutral, quads.astype(np.int32)


def _moves(folder: Path, names: tuple[str, ...], neutral: np.ndarray) -> Iterator[np.ndarray]:
    """Each shape less the neutral one, float16 [V, 3]."""
    for name in tqdm(names, unit="mesh", file=sys.stderr, disable=None):
        path = folder / f"{name}.obj"
        mesh = ObjFile(path)
        vertices = mesh.vertices()
        _check_counts(path, len(vertices), mesh.faces)
        with np.errstate(over="ignore"):
            move = (vertices - neutral).astype(np.float16)
        if not np.isfinite(move).all():
            raise InputError(f"{path} has a vertex far out of the face.", _REMEDY)
        yield move


def _check_counts(path: Path, vertices: int, faces: int) -> None:
    """Faces follow the vertices: a file that was cut short has too few."""
    if vertices != VERTICES:
        raise InputError(f"{path} has {vertices} vertices, not {VERTICES}.", _REMEDY)
    if faces != FACES:
        why = "triangulated" if faces > FACES else "cut short"
        raise InputError(f"{path} has {faces} faces, not {FACES}: {why}.", _REMEDY)
