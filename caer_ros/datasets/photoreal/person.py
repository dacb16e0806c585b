"""Who is rendered: shape of the head, skin, hair, clothes, glasses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.datasets.face_paint import vertex_normals
from caer_ros.datasets.ict_face import FaceModel, part
from caer_ros.datasets.photoreal import colour, wear
from caer_ros.datasets.photoreal.canvas import Canvas, build_canvas
from caer_ros.datasets.photoreal.hair import Ribbons, grow, sample_style
from caer_ros.datasets.photoreal.light import reach
from caer_ros.datasets.photoreal.looks import Looks, scalp, smooth
from caer_ros.datasets.photoreal.shade import slope_of
from caer_ros.datasets.photoreal.skin import paint_skin
from caer_ros.datasets.photoreal.wrinkles import groove_maps


@dataclass(frozen=True)
class Studio:
    """What all people share: the model, its unrolled map, reachability by light, groove maps."""

    model: FaceModel
    canvas: Canvas
    seen: np.ndarray
    grooves: dict[str, np.ndarray]


_LAST: list[Studio] = []


def open_studio(model: FaceModel) -> Studio:
    """Prepare the model: some seconds, once a process."""
    if not _LAST or _LAST[0].model is not model:
        canvas = build_canvas(model)
        _LAST[:] = [Studio(model, canvas, reach(model), groove_maps(canvas))]
    return _LAST[0]


@dataclass(frozen=True)
class Person:
    """base float32 [V, 3]: the neutral head with hair's cap; skin float32 [H, W, 4]
    (albedo, gloss) and slope [H, W, 3] (see `slope_of`): its map; cover uint8 [H, W]: the Part that
    is painted over the skin there (0: none). limbs: what `embody` adds below the shoulders, which
    never turns with the head."""

    looks: Looks
    base: np.ndarray
    skin: np.ndarray
    slope: np.ndarray
    ribbons: Ribbons | None
    extras: wear.Mesh
    lens: float
    cover: np.ndarray
    limbs: wear.Mesh | None = None


def make_person(studio: Studio, rng: np.random.Generator) -> Person:
    """One person, all drawn from `rng`."""
    model = studio.model
    coefficients = np.clip(rng.normal(0, 0.85, len(model.identities)), -2.2, 2.2)
    feminine = bool(rng.random() < 0.5)
    age = float(rng.beta(1.3, 1.8))
    tone, ita = colour.sample_skin(rng)
    grey = max(0.0, age - 0.45) * 1.4
    style = sample_style(feminine, rng)
    bald = not feminine and rng.random() < 0.05 + 0.15 * age
    bearded = (
        0.0
        if feminine or rng.random() < 0.45
        else float(rng.choice([rng.uniform(0.05, 0.3), rng.uniform(0.4, 0.9)]))
    )
    looks = Looks(
        tone, ita, colour.sample_hair(rng, ita, grey), colour.sample_iris(rng, ita),
        colour.sample_cloth(rng), age, bearded, feminine,
        99.0 if bald else float(rng.uniform(8.0, 9.6)) + 0.5 * age * (not feminine),
        float(rng.uniform(-9, -5)), float(rng.uniform(-14.5, -11.0)),
    )  # fmt: skip
    base = model.shape(coefficients, {})
    normals = vertex_normals(base, model.quads)
    ribbons = None if bald else grow(base, normals, looks, style, rng)
    cap = scalp(model.neutral, looks)
    cap[part("head").stop :] = 0
    lump = 1 + 0.15 * np.sin(model.neutral @ rng.normal(0, 1.2, 3))
    # Where hair gives way to skin nothing is lifted: skin would be stretched.
    base = base + normals * (smooth(0.5, 1.0, cap) * style.lift * lump)[:, None]
    skin = paint_skin(studio.canvas, looks, rng)
    extras, lens = wear.dress(base, looks, rng)
    return Person(
        looks,
        base.astype(np.float32),
        skin[..., [0, 1, 2, 4]].copy(),
        slope_of(skin),
        ribbons,
        extras,
        lens,
        skin[..., 6].astype(np.uint8),
    )
