"""Random changes to a face and its scene, each stream by its own switches.

Section 5.1 names "flips, contrast, and color changes". Both streams are flipped together or not at
all: a person who looks at something must go on looking at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.examples import Example


@dataclass(frozen=True)
class Change:
    """Light of one stream, changed alike in all frames of a clip.

    Attributes:
        chance: share of the samples that are changed.
        contrast: most that distances from the mean grow or shrink, as a share.
        brightness: most that everything grows or shrinks, as a share.
        colour: most that each of red, green and blue grows or shrinks by itself, as a share.
        erase: share of the changed samples that get a rectangle of one colour, up to a third of
            the side, over them.
    """

    chance: float = 0.0
    contrast: float = 0.3
    brightness: float = 0.3
    colour: float = 0.1
    erase: float = 0.0

    def __post_init__(self) -> None:
        for name in ("chance", "contrast", "brightness", "colour", "erase"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(
                    f"augment: {name} is {getattr(self, name)}.", "Use a number in [0, 1]."
                )


@dataclass(frozen=True)
class Augment:
    """What training changes.

    Attributes:
        flip: probability that both streams are mirrored.
        face, context: changes of each stream, drawn independently.
        together: draw `face`'s change once and apply it to both streams, as a change to the whole
            picture before cutting does; `context` is then ignored.
        face_dropout: probability that a face is taken away, so that the context learns to decide
            alone (λ_face = 0) where the robot finds no face. Networks that do not read both
            streams ignore it.
    """

    flip: float = 0.5
    face: Change = field(default_factory=Change)
    context: Change = field(default_factory=Change)
    together: bool = False
    face_dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "face_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(
                    f"augment.{name} is {getattr(self, name)}.", "Use a number in [0, 1]."
                )


def augment_example(
    example: Example, settings: Augment, rng: np.random.Generator, may_drop_face: bool
) -> Example:
    """A changed copy of an example; `rng` decides everything."""
    face, context = example.face, example.context
    if rng.random() < settings.flip:
        # The second-last axis is the columns', with and without time.
        face, context = face[..., ::-1, :], context[..., ::-1, :]
    dropped = rng.random() < settings.face_dropout and may_drop_face
    face_light, context_light = _draw(settings.face, rng), _draw(settings.context, rng)
    if settings.together:
        context_light = face_light
    face, context = _relight(face, face_light), _relight(context, context_light)
    face, context = _erase(face, settings.face, rng), _erase(context, settings.context, rng)
    if dropped:
        face = np.zeros_like(face)
    return replace(
        example,
        face=np.ascontiguousarray(face),
        context=np.ascontiguousarray(context),
        face_present=example.face_present and not dropped,
    )


@dataclass(frozen=True)
class _Light:
    contrast: float
    gains: np.ndarray


def _draw(change: Change, rng: np.random.Generator) -> _Light | None:
    """Always the same number of draws, so that one stream's switches do not move the other's."""
    on, contrast, brightness = rng.random(), rng.uniform(-1, 1), rng.uniform(-1, 1)
    colours = rng.uniform(-1, 1, 3)
    if on >= change.chance:
        return None
    gains = (1 + change.brightness * brightness) * (1 + change.colour * colours)
    return _Light(1 + change.contrast * contrast, gains)


def _relight(image: np.ndarray, light: _Light | None) -> np.ndarray:
    if light is None:
        return image
    mean = image.mean()
    levels = np.arange(256, dtype=np.float64)
    table = ((levels - mean) * light.contrast + mean)[:, None] * light.gains
    table = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    # Frames below one another make one picture, which is all that OpenCV's look-up takes.
    flat = np.ascontiguousarray(image).reshape(-1, image.shape[-2], 3)
    return cv2.LUT(flat, table[None]).reshape(image.shape)


def _erase(image: np.ndarray, change: Change, rng: np.random.Generator) -> np.ndarray:
    on, share, sizes, places = rng.random(), rng.random(), rng.uniform(0.1, 1 / 3, 2), rng.random(2)
    colour = rng.integers(0, 256, 3)
    if on >= change.chance or share >= change.erase:
        return image
    rows, columns = image.shape[-3], image.shape[-2]
    height, width = int(rows * sizes[0]), int(columns * sizes[1])
    y, x = int((rows - height) * places[0]), int((columns - width) * places[1])
    image = np.array(image)
    image[..., y : y + height, x : x + width, :] = colour
    return image
