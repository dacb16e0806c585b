"""Masks of a picture: who, and what, each pixel shows.

They are exact where a camera is: of the surface that the z-buffer found in front, at the picture's
own pixels, before blur, grain and JPEG, none of which moves anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from caer_ros.datasets.photoreal.parts import Part
from caer_ros.datasets.photoreal.render import Shot
from caer_ros.datasets.photoreal.things import SEEN

# A pixel is somebody's where that person covers more than this share of it; as of exact boxes.
_HALF = 0.5


@dataclass(frozen=True)
class Masks:
    """people uint8 [H, W]: 0 is nobody, k is person k, the subject 1; parts uint8 [H, W]: Part."""

    people: np.ndarray
    parts: np.ndarray


def merge_masks(
    shots: Sequence[Shot],
    thing: np.ndarray | None = None,
    held: np.ndarray | None = None,
    numbers: Sequence[int] | None = None,
) -> Masks:
    """Masks of people before a place.

    Args:
        shots: of people with their parts, the last in front.
        thing: float32 [H, W] in [0, 1], how much of each pixel a thing of the place covers.
        held: uint8 [H, W] of 255, how much what is held before a face covers.
        numbers: 1 to 255, of each person in the masks; by default the front one has 1.
    """
    numbers = range(len(shots), 0, -1) if numbers is None else numbers
    height, width = shots[0].alpha.shape
    people, parts = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    before = np.zeros((height, width), np.float32)
    if held is not None:
        before = held / np.float32(255)
        parts[before > _HALF] = Part.HELD
    for shot, number in zip(reversed(shots), reversed(numbers), strict=True):
        assert shot.parts is not None, "shoot with masks"
        seen = shot.alpha * (1 - before) > _HALF
        people[seen], parts[seen] = number, shot.parts[seen]
        before = np.maximum(before, shot.alpha)
    if thing is not None:
        parts[(thing * (1 - before) > SEEN) & (parts == Part.BACKGROUND)] = Part.THING
    return Masks(people, parts)
