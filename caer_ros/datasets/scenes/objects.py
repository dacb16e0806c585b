"""The vocabulary of context cues: which drawings go with which emotion, and which with none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.scenes import distractors as d
from caer_ros.datasets.scenes import objects_bright as bright
from caer_ros.datasets.scenes import objects_dark as dark
from caer_ros.datasets.scenes.pen import Colour, Pen, Placement, pen_on

Drawing = Callable[[Pen, np.random.Generator, Colour], None]

# Neutral has things of its own: without any, "no object" would be Neutral's cue.
CUES: Mapping[str, tuple[Drawing, ...]] = MappingProxyType(
    {
        "Anger": (dark.broken_vase, dark.flame, dark.bomb),
        "Disgust": (dark.bin_of_rubbish, dark.rotten_apple, dark.slime),
        "Fear": (dark.spider, dark.ghost, dark.skull),
        "Happy": (bright.cake, bright.balloons, bright.ice_cream),
        "Neutral": (bright.mug, bright.clock, bright.laptop),
        "Sad": (dark.gravestone, dark.rain_cloud, dark.broken_heart),
        "Surprise": (bright.gift, bright.firework, bright.exclamation),
    }
)
"""Emotion -> drawings of the things that stand for it."""

DISTRACTORS: tuple[Drawing, ...] = (
    d.plant,
    d.picture,
    d.ball,
    d.lamp,
    d.chair,
    d.bottle,
    d.shelf,
    d.carton,
)

REACH = (-1.1, -1.1, 1.1, 1.1)


@dataclass(frozen=True)
class Thing:
    """One drawing somewhere: what it is, where, its free colour (BGR) and its own randomness."""

    drawing: Drawing
    placement: Placement
    colour: Colour
    seed: int

    @property
    def name(self) -> str:
        return self.drawing.__name__

    def draw(self, image: np.ndarray, shift: tuple[float, float] = (0.0, 0.0)) -> Box | None:
        """Draw onto `image` (uint8 [h, w, 3], in place), moved by `shift` pixels.

        Returns:
            the box of the pixels that changed; None where nothing came out inside the image.
        """
        p = self.placement
        moved = Placement(p.x + shift[0], p.y + shift[1], p.scale, p.roll)
        x1, y1, x2, y2 = _window(moved, image.shape[1], image.shape[0])
        before = image[y1:y2, x1:x2].copy()
        with pen_on(image, moved, REACH) as pen:
            self.drawing(pen, np.random.default_rng(self.seed), self.colour)
        changed = (image[y1:y2, x1:x2] != before).any(axis=2)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        if not rows.size:
            return None
        return Box(
            float(x1 + columns[0]),
            float(y1 + rows[0]),
            float(x1 + columns[-1] + 1),
            float(y1 + rows[-1] + 1),
        )


def _window(placement: Placement, width: int, height: int) -> tuple[int, int, int, int]:
    half = placement.scale * 1.6 + 2
    x1, y1 = max(int(placement.x - half), 0), max(int(placement.y - half), 0)
    return x1, y1, min(int(placement.x + half) + 1, width), min(int(placement.y + half) + 1, height)
