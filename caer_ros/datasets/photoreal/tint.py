"""The light that comes from every pixel of a person: albedo, relief, shine, mouth and eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.datasets.photoreal import shade
from caer_ros.datasets.photoreal.light import Light, irradiance, sphere
from caer_ros.datasets.photoreal.person import Person, Studio
from caer_ros.datasets.photoreal.pose import View
from caer_ros.datasets.photoreal.stage import Stage
from caer_ros.datasets.photoreal.wrinkles import activity, aged
from caer_ros.datasets.photoreal.zbuffer import Hits

# Widths in cm of a texel on the face, for slopes.
_TEXEL = 0.068


@dataclass
class _Pixels:
    """Of N pixels: light [N, 3], normal [N, 3], place on the mean head [N, 3], albedo, gloss."""

    light: np.ndarray
    normal: np.ndarray
    place: np.ndarray
    albedo: np.ndarray
    gloss: np.ndarray
    material: np.ndarray


def tint(
    studio: Studio,
    person: Person,
    weights: dict[str, float],
    view: View,
    light: Light,
    stage: Stage,
    hits: Hits,
) -> np.ndarray:
    """Linear colour float32 [N, 3], >= 0, of every hit."""
    pixels = _gather(studio, view, light, stage, hits)
    _skin(studio, person, weights, view, light, pixels)
    _mouth(weights, pixels)
    _eyes(studio, person, view, light, pixels)
    facing = np.clip(pixels.normal @ light.between(), 0, 1)
    gleam = 0.55 * facing**18 + 0.9 * facing**70
    rim = 0.25 * (1 - np.clip(pixels.normal[:, 2], 0, 1)) ** 4
    lit = np.clip(pixels.light @ np.full(3, 1 / 3, np.float32), 0, 1.5)
    sheen = pixels.gloss * (0.16 * gleam * (0.3 + lit) + 0.10 * rim * lit)
    colour = pixels.albedo * pixels.light
    colour += sheen[:, None] * (np.minimum(light.shine, 2.0) * 0.8).astype(np.float32)
    return np.maximum(colour, 0)


def _gather(studio: Studio, view: View, light: Light, stage: Stage, hits: Hits) -> _Pixels:
    """Interpolate what the vertices know; the head's own light first, where it is seen."""
    count = len(studio.model.neutral)
    used = np.zeros(len(stage.placed), bool)
    used[hits.quad] = True
    seen = np.flatnonzero(used[:count])
    on = stage.light.copy()
    on[seen] = irradiance(stage.normals[seen], studio.seen[seen], sphere(), light.sky)
    place = np.zeros((len(stage.placed), 3), np.float32)
    place[:count] = studio.model.neutral
    values = [on, stage.normals, place, stage.paint, stage.gloss[:, None]]
    mixed = hits.mix(np.concatenate(values, axis=1))
    return _Pixels(
        mixed[:, :3].copy(),
        _unit(mixed[:, 3:6]),
        mixed[:, 6:9].copy(),
        mixed[:, 9:12].copy(),
        mixed[:, 12].copy(),
        stage.material[hits.face],
    )


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.einsum("nk,nk->n", vectors, vectors))
    return vectors / np.maximum(length, 1e-6)[:, None]


def _skin(
    studio: Studio,
    person: Person,
    weights: dict[str, float],
    view: View,
    light: Light,
    pixels: _Pixels,
) -> None:
    """Colour from the person's map; its relief bends the normals and so changes the light."""
    skin = np.flatnonzero(pixels.material == shade.SKIN)
    if len(skin) == 0:
        return
    deep = aged(activity(weights), person.looks.age)
    colour, slope = shade.skin_maps(person.skin, person.slope, studio.grooves, deep)
    place = pixels.place[skin]
    columns, rows = shade.lookup(place)
    base = shade.fetch(colour, columns, rows)
    tilt = shade.fetch(slope, columns, rows)
    pixels.albedo[skin], pixels.gloss[skin] = base[:, :3], base[:, 3] * 0.6
    # Along the map's columns, in the head's axes.
    across = _unit(np.stack([place[:, 2], np.zeros(len(skin), np.float32), -place[:, 0]], 1))
    relief = tilt[:, :1] * across
    relief[:, 1] -= tilt[:, 1]
    normal = pixels.normal[skin]
    bent = _unit(normal - relief @ view.head().T / np.float32(_TEXEL))
    ways = sphere()
    pull = (light.sky * np.clip(ways[:, 2:], 0, 1) ** 0.5).T @ ways * np.float32(4 / len(ways))
    on = pixels.light[skin]
    level = on @ np.full(3, 1 / 3, np.float32)
    level = np.minimum(level / max(float(level.mean()), 1e-6), 1.2)[:, None]
    pixels.light[skin] = np.maximum(on + (bent - normal) @ pull.T * level * 0.6, 0.15 * on)
    pixels.normal[skin] = bent


def _mouth(weights: dict[str, float], pixels: _Pixels) -> None:
    """Teeth, tongue and the dark behind them; light comes in as the mouth opens."""
    lifted = max(
        weights.get(k, 0.0) for k in ("mouthUpperUp_L", "mouthLowerDown_L", "mouthSmile_L")
    )
    gape = weights.get("jawOpen", 0.0) + 0.3 * weights.get("mouthFunnel", 0.0) + 0.35 * lifted
    gape = min(gape, 1.0)
    for kind, colour, low, high, strength in (
        (shade.TOOTH, (0.72, 0.67, 0.56), 7.5, 10.6, 0.20 + 0.65 * gape),
        (shade.GUM, (0.42, 0.16, 0.15), 6.0, 10.8, 0.12 + 0.45 * gape),
        (shade.SOCKET, (0.30, 0.08, 0.08), 5.0, 11.0, 0.04 + 0.16 * gape),
    ):
        here = pixels.material == kind
        depth = np.clip((pixels.place[here, 2] - low) / (high - low), 0, 1)
        pixels.albedo[here] = colour
        pixels.light[here] = 0.5 * pixels.light[here] + (0.8 * strength * depth**1.5)[:, None]


def _eyes(studio: Studio, person: Person, view: View, light: Light, pixels: _Pixels) -> None:
    across, up = np.radians(view.gaze)
    gaze = np.array([np.sin(across) * np.cos(up), np.sin(up), np.cos(across) * np.cos(up)])
    frames = shade.eye_frames(studio.model.neutral)
    ball = pixels.material == shade.EYE
    left = pixels.place[:, 0] > 0
    for here, name in ((ball & left, "eye_left"), (ball & ~left, "eye_right")):
        centre, radius = frames[name]
        local = pixels.place[here] - centre
        colour = shade.eye_colour(local, radius, gaze, person.looks.iris, 0.24)
        # The lamp mirrored in the cornea.
        spot = np.clip((_unit(local @ view.head().T) @ light.between() - 0.9955) / 0.003, 0, 1)
        pixels.albedo[here] = colour + 0.7 * spot[:, None]
        lid = np.clip((4.05 - pixels.place[here, 1]) / 0.5, 0, 1)
        pixels.light[here] = 0.8 * pixels.light[here] * (0.45 + 0.55 * lid)[:, None] + 0.08
        pixels.gloss[here] = 0.2
