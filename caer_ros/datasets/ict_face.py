"""ICT-FaceKit's morphable face (MIT licence): identities and FACS expressions as linear shapes.

Reads a packed .npz (`caer data facekit` makes it) with N [V, 3] neutral vertices, Q [F, 4] quads,
I [100, V, 3] identity shapes, X [57, V, 3] expression shapes and names [57]. Units are
centimetres; x points to the face's left, y up, z out of the face.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caer_ros.core import InputError

# Vertex ranges of the parts, from ICT-FaceKit's vertex order.
PARTS: dict[str, tuple[int, int]] = {
    "face": (0, 9409),
    "head": (9409, 11248),
    "mouth_socket": (11248, 13294),
    "eye_sockets": (13294, 14062),
    "gums": (14062, 17039),
    "teeth": (17039, 21451),
    "eye_left": (21451, 23021),
    "eye_right": (23021, 24591),
    "eye_wetness": (24591, 25351),
    "lashes": (25351, 26719),
}
VERTICES = 26719
# Transparent layers over the eye need blending and hide the iris when drawn solid; lashes are thin
# strips that only alias at the sizes drawn here.
_UNDRAWN = ("eye_wetness", "lashes")


@dataclass(frozen=True)
class FaceModel:
    """Neutral vertices [V, 3], drawn quads [F, 4], identity [100, V, 3], expressions by name."""

    neutral: np.ndarray
    quads: np.ndarray
    identities: np.ndarray
    expressions: Mapping[str, np.ndarray]

    def shape(self, identity: np.ndarray, weights: Mapping[str, float]) -> np.ndarray:
        """Vertices float32 [V, 3] of a person (coefficients [100]) making a face (name -> 0..1)."""
        vertices = self.neutral + np.tensordot(identity.astype(np.float32), self.identities, axes=1)
        for name, weight in weights.items():
            vertices += np.float32(weight) * self.expressions[name]
        return vertices


def part(name: str) -> slice:
    """Vertices of one of PARTS."""
    return slice(*PARTS[name])


def load_face_model(path: Path) -> FaceModel:
    """Read the packed model.

    Raises:
        InputError: the file is missing or is not the packed ICT-FaceKit.
    """
    remedy = (
        "Download ICT-FaceKit (MIT licence; `caer data facekit --help` says where from), then: "
        "caer data facekit FaceXModel --out ict_facekit.npz"
    )
    if not path.is_file():
        raise InputError(f"Face model {path} does not exist.", remedy)
    try:
        with np.load(path, allow_pickle=False) as data:
            neutral, quads = data["N"].astype(np.float32), data["Q"]
            identities = data["I"].astype(np.float32)
            shapes, names = data["X"].astype(np.float32), [str(n) for n in data["names"]]
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is not a packed face model ({error}).", remedy) from None
    if neutral.shape != (VERTICES, 3):
        raise InputError(f"{path} has {len(neutral)} vertices, not {VERTICES}.", remedy)
    if identities.shape[1:] != neutral.shape or shapes.shape != (len(names), *neutral.shape):
        raise InputError(f"{path} has shapes that do not fit its vertices.", remedy)
    drawn = np.ones(VERTICES, bool)
    for name in _UNDRAWN:
        drawn[part(name)] = False
    quads = quads[drawn[quads].all(axis=1)]
    return FaceModel(neutral, quads, identities, dict(zip(names, shapes, strict=True)))
