"""Means of the photoreal generator against the domain gap, each of which can be switched off.

A switch replaces functions in the generator's modules for a while. What it replaces is called all
the same and then overruled, so that all that is not switched off throws the same dice: the picture
stays the same person in the same pose at the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from caer_ros.datasets.photoreal import features, looks, person, picture, shade, skin, tint, wear
from caer_ros.datasets.photoreal.light import COUNT, Light
from caer_ros.datasets.photoreal.looks import Looks
from caer_ros.datasets.photoreal.wear import TORSO, Mesh

Function = Callable[..., Any]
# The layer of `paint_skin`'s map that holds how much the skin shines.
_GLOSS = 4


@dataclass(frozen=True)
class Patch:
    """`module.name` is replaced by `make(what it was)`."""

    module: ModuleType
    name: str
    make: Callable[[Function], Function]


@dataclass(frozen=True)
class Means:
    """One means: its name, what is left of a picture without it, and how it is switched off."""

    name: str
    without: str
    patches: tuple[Patch, ...]


@contextmanager
def switched_off(means: Iterable[Means]) -> Iterator[None]:
    """Render without `means` until the block ends, however it ends."""
    with ExitStack() as undo:
        for patch in (patch for one in means for patch in one.patches):
            original = getattr(patch.module, patch.name)
            undo.callback(setattr, patch.module, patch.name, original)
            setattr(patch.module, patch.name, patch.make(original))
        yield


def _zero(original: Function) -> Function:
    return lambda *args: 0 * original(*args)


def _on_a_copy(original: Function) -> Function:
    """`original`, which changes its first argument in place, without that change."""
    return lambda first, *rest: original(first.copy(), *rest)


def _none(original: Function) -> Function:
    def thrown_away(*args: Any) -> None:
        original(*args)

    return thrown_away


def _matt(paint: Function) -> Function:
    def paint_skin(*args: Any) -> np.ndarray:
        layers = paint(*args)
        layers[..., _GLOSS] = 0
        return layers

    return paint_skin


def _with_noise(hairline: Function) -> Function:
    """The hair's edge stays ragged where skin has lost its noise."""

    def ragged(*args: Any) -> np.ndarray:
        with switched_off([Means("", "", (Patch(skin, "cloud", lambda _: looks.cloud),))]):
            return hairline(*args)

    return ragged


def _no_folds(activity: Function) -> Function:
    return lambda weights: {}


def _bare_neck(paint: Function) -> Function:
    return lambda canvas, of, rng: paint(canvas, replace(of, cloth=of.skin), rng)


def _bare(dress: Function) -> Function:
    """The torso alone, in the skin's colour."""

    def undressed(base: np.ndarray, of: Looks, rng: np.random.Generator) -> tuple[Mesh, float]:
        worn, _ = dress(base, of, rng)
        count = TORSO[0] * TORSO[1]
        mine = (worn.quads < count).all(axis=1)
        paint = np.tile(of.skin.astype(np.float32), (count, 1))
        torso = worn.points[:count], worn.quads[mine], paint, worn.gloss[:count], worn.parts[mine]
        return Mesh(*torso), 0.0

    return undressed


def _even(sample: Function) -> Function:
    """The same grey light from all sides; a face turned to the camera gets 1."""

    def light(rng: np.random.Generator) -> Light:
        sample(rng)
        sky = np.ones((COUNT, 3), np.float32)
        return Light(sky, np.array([0, 0, 1], np.float32), np.zeros(3, np.float32))

    return light


def _flat_eye(colour: Function) -> Function:
    """A plain disc on a plain ball."""

    def plain(local: np.ndarray, radius: float, gaze: np.ndarray, iris: np.ndarray, _: float):
        way = local / np.maximum(np.linalg.norm(local, axis=1, keepdims=True), 1e-6)
        inside = np.arccos(np.clip(way @ gaze, -1, 1)) * radius < 0.6
        return np.where(inside[:, None], iris, [0.62, 0.57, 0.54])

    return plain


def _flat_mouth(mouth: Function) -> Function:
    """Teeth and throat have their colours, but the light of the face."""

    def lit(weights: dict[str, float], pixels: Any) -> None:
        before = pixels.light.copy()
        mouth(weights, pixels)
        pixels.light[:] = before

    return lit


def _grey(draw: Function) -> Function:
    return lambda *args: np.full_like(draw(*args), 128)


def _faultless(develop: Function) -> Function:
    # The last to throw dice: nothing has to be thrown for others.
    return lambda rgb, *args: rgb


MEANS: tuple[Means, ...] = (
    Means("skin", "one even, matt tone: no blotches, redness, freckles, relief or shine", (
        Patch(skin, "cloud", _zero), Patch(skin, "_hairline", _with_noise),
        Patch(features, "redness", _zero), Patch(features, "spots", _on_a_copy),
        Patch(person, "paint_skin", _matt),
    )),
    Means("wrinkles", "no folds, neither of movement nor of age", (
        Patch(tint, "activity", _no_folds),
    )),
    Means("hair", "bald and shaved; brows stay", (
        Patch(person, "grow", _none), Patch(person, "scalp", _zero),
        Patch(skin, "_hairline", _zero), Patch(features, "beard", _zero),
    )),
    Means("wear", "no glasses, hats or clothes; shoulders in the skin's colour", (
        Patch(wear, "dress", _bare), Patch(person, "paint_skin", _bare_neck),
    )),
    Means("features", "no brows, shaded lids, lashes, lip colour; eyes and teeth in flat colours", (
        Patch(features, "brows", _zero), Patch(features, "line_eyes", _on_a_copy),
        Patch(features, "paint_lips", _on_a_copy), Patch(shade, "eye_colour", _flat_eye),
        Patch(tint, "_mouth", _flat_mouth),
    )),
    Means("light", "the same even, grey light for everybody", (
        Patch(picture, "sample_light", _even),
    )),
    Means("ground", "plain grey behind everybody", (Patch(picture, "draw_ground", _grey),)),
    Means("camera", "no blur, noise, colour cast, sharpening or JPEG", (
        Patch(picture, "develop", _faultless),
    )),
)  # fmt: skip
