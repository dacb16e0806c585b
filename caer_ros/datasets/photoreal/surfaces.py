"""Which part of a person each pixel shows, as the z-buffer found it."""

from __future__ import annotations

import cv2
import numpy as np

from caer_ros.datasets.photoreal import shade
from caer_ros.datasets.photoreal.canvas import HEIGHT, WIDTH
from caer_ros.datasets.photoreal.parts import OF_PEOPLE, Part
from caer_ros.datasets.photoreal.person import Person, Studio
from caer_ros.datasets.photoreal.stage import Stage
from caer_ros.datasets.photoreal.zbuffer import Hits


def parts_of(studio: Studio, person: Person, stage: Stage, hits: Hits) -> np.ndarray:
    """The Part of every hit: uint8 [N].

    Hair and collars that are painted on the skin's map count as what they are painted to be.
    """
    parts = stage.parts[hits.face]
    skin = np.flatnonzero(stage.material[hits.face] == shade.SKIN)
    chosen = Hits(hits.pixel[skin], hits.quad[skin], hits.weight[skin], hits.face[skin])
    columns, rows = shade.lookup(chosen.mix(studio.model.neutral))
    across = np.clip(np.rint(columns).astype(int), 0, WIDTH - 1)
    down = np.clip(np.rint(rows).astype(int), 0, HEIGHT - 1)
    cover = person.cover[down, across]
    parts[skin] = np.where(cover > 0, cover, parts[skin])
    return parts


def shrink_parts(drawn: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Parts uint8 [h, w], drawn larger than they come out, as uint8 [H, W]; `size` is (W, H).

    Each pixel is given to the part that covers most of it, of those that cover any.
    """
    most = np.zeros((size[1], size[0]), np.float32)
    best = np.full((size[1], size[0]), Part.BACKGROUND, np.uint8)
    there = np.bincount(drawn.ravel(), minlength=len(Part))
    for part in OF_PEOPLE:
        if there[part]:
            share = cv2.resize(
                (drawn == part).astype(np.float32), size, interpolation=cv2.INTER_AREA
            )
            best[share > most] = part
            most = np.maximum(most, share)
    return best
