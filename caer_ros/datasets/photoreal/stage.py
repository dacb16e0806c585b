"""All that is drawn of a person as one mesh: head, torso, glasses and hat, ribbons of hair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.datasets.face_paint import vertex_normals
from caer_ros.datasets.ict_face import PARTS
from caer_ros.datasets.photoreal import shade
from caer_ros.datasets.photoreal.hair import Ribbons
from caer_ros.datasets.photoreal.light import Light, irradiance, sphere
from caer_ros.datasets.photoreal.parts import Part
from caer_ros.datasets.photoreal.person import Person, Studio
from caer_ros.datasets.photoreal.pose import View, spin, turn
from caer_ros.datasets.photoreal.wear import Mesh
from caer_ros.datasets.photoreal.zbuffer import front_sides

_FLIP = np.array([1, -1, 1], np.float32)
_MATERIALS = {
    "face": shade.SKIN, "head": shade.SKIN, "mouth_socket": shade.SOCKET,
    "eye_sockets": shade.SKIN, "gums": shade.GUM, "teeth": shade.TOOTH,
    "eye_left": shade.EYE, "eye_right": shade.EYE,
}  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """placed [V, 3] before the camera (cm), normals [V, 3], quads [F, 4], material int8 [F], parts
    uint8 [F] (see Part).

    The first vertices are the head's. paint [V, 3] and gloss [V] are of everything else, `light`
    [V, 3] as well: how much comes to the head is worked out only where it is seen.
    """

    placed: np.ndarray
    normals: np.ndarray
    quads: np.ndarray
    material: np.ndarray
    parts: np.ndarray
    paint: np.ndarray
    gloss: np.ndarray
    light: np.ndarray


def set_stage(
    studio: Studio, person: Person, weights: dict[str, float], view: View, light: Light
) -> Stage:
    """Put a person with a face (shape name -> weight) before the camera."""
    parts = [_head(studio, person, weights, view), _worn(person.extras, view, light)]
    if person.limbs is not None:
        parts.append(_worn(person.limbs, view, light, below=True))
    if person.ribbons is not None:
        parts.append(_hair(person.ribbons, person.looks.hair, view, light))
    offsets = np.cumsum([0] + [len(part.placed) for part in parts[:-1]])
    quads = [part.quads + offset for part, offset in zip(parts, offsets, strict=True)]
    return Stage(
        np.concatenate([part.placed for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate(quads),
        np.concatenate([part.material for part in parts]),
        np.concatenate([part.parts for part in parts]),
        np.concatenate([part.paint for part in parts]),
        np.concatenate([part.gloss for part in parts]),
        np.concatenate([part.light for part in parts]),
    )


def _head(studio: Studio, person: Person, weights: dict[str, float], view: View) -> Stage:
    model = studio.model
    head = person.base.copy()
    for name, weight in weights.items():
        if abs(weight) > 0.01:
            head += np.float32(weight) * model.expressions[name]
    placed = turn(head, view)
    normals = vertex_normals(head, model.quads).astype(np.float32)
    quads = model.quads[front_sides(placed * _FLIP, model.quads)]
    material, parts = np.zeros(len(quads), np.int8), np.full(len(quads), Part.FACE, np.uint8)
    for name, kind in _MATERIALS.items():
        low, high = PARTS[name]
        material[(quads[:, 0] >= low) & (quads[:, 0] < high)] = kind
    low, high = PARTS["head"]
    parts[(quads[:, 0] >= low) & (quads[:, 0] < high)] = Part.HEAD
    blank = np.zeros((len(head), 3), np.float32)
    normals = spin(head, normals, view)
    return Stage(placed, normals, quads, material, parts, blank, blank[:, 0], blank)


def _worn(mesh: Mesh, view: View, light: Light, below: bool = False) -> Stage:
    placed = turn(mesh.points, view, below)
    normals = vertex_normals(mesh.points, mesh.quads).astype(np.float32)
    normals = spin(mesh.points, normals, view, below)
    front = front_sides(placed * _FLIP, mesh.quads)
    quads, parts = mesh.quads[front], mesh.parts[front]
    height = mesh.points[:, 1]
    # The chin throws a shadow on the collar.
    shadow = 1 - 0.45 * np.exp(-(((height + 14) / 4) ** 2)) * (height < -10)
    on = irradiance(normals, None, sphere(), light.sky) * shadow[:, None].astype(np.float32)
    material = np.full(len(quads), shade.WEAR, np.int8)
    return Stage(placed, normals, quads, material, parts, mesh.paint, mesh.gloss, on)


def _unit(vectors: np.ndarray, least: float = 1e-6) -> np.ndarray:
    length = np.sqrt(np.einsum("...k,...k->...", vectors, vectors))
    return vectors / np.maximum(length, least)[..., None]


def _hair(ribbons: Ribbons, colour: np.ndarray, view: View, light: Light) -> Stage:
    """Ribbons turned to the camera, lit as rods (Kajiya and Kay 1989)."""
    strands, steps = ribbons.spine.shape[:2]
    placed = turn(ribbons.spine.reshape(-1, 3), view).reshape(strands, steps, 3)
    along = _unit(np.gradient(placed, axis=1))
    # Seen end on a ribbon has no side to turn: it gets thin.
    side = _unit(np.cross(along, np.array([0, 0, 1], np.float32)), 0.15)
    half = ribbons.width[..., None] / 2
    points = np.stack([placed - side * half, placed + side * half], axis=2).reshape(-1, 3)
    out = placed - turn(np.array([[0, 3.5, -0.5]], np.float32), view)[0]
    out[..., 1] *= 0.5
    out = _unit(out)
    out = _unit(out - 0.6 * np.einsum("ijk,ijk->ij", out, along)[..., None] * along)
    on = irradiance(out.reshape(-1, 3), None, sphere(), light.sky)
    on *= np.clip((ribbons.spine[..., 1].reshape(-1, 1) + 14) / 14, 0.35, 1) * 0.9
    across = np.sqrt(np.clip(1 - (along @ light.between()) ** 2, 0, 1)) ** 30
    glint = (across * (out @ light.lamp > 0)).reshape(-1, 1) * light.shine * 0.05
    rise = np.linspace(0.55, 1.15, steps)[None, :] * ribbons.tone[:, None]
    paint = colour * rise.reshape(-1, 1) + glint / np.maximum(on, 0.05)
    index = np.arange(strands * steps * 2).reshape(strands, steps, 2)
    corners = [index[:, :-1, 0], index[:, 1:, 0], index[:, 1:, 1], index[:, :-1, 1]]
    quads = np.stack(corners, axis=-1).reshape(-1, 4)
    quads = quads[(ribbons.width[:, :-1] > 0.01).reshape(-1)]
    return Stage(
        points.astype(np.float32),
        np.repeat(out.reshape(-1, 3), 2, axis=0).astype(np.float32),
        quads,
        np.full(len(quads), shade.HAIR, np.int8),
        np.full(len(quads), Part.HAIR, np.uint8),
        np.repeat(paint, 2, axis=0).astype(np.float32),
        np.full(len(points), 0.3, np.float32),
        np.repeat(on, 2, axis=0).astype(np.float32),
    )
