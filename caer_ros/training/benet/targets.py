"""What BENet's maps should say of a batch: heat maps, and for each person where, how large, what.

Section 2.1: "only the value of the pixel at the center of each subject's bounding box is imposed".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from caer_ros.core import EMOTIC26, InputError
from caer_ros.datasets.emotic.records import AnnotatedPerson

# Of the Gaussian round a centre, in cells, at both resolutions: the published code's. CenterNet,
# which the paper follows, makes it wider for larger people.
SIGMA = 2
RADIUS = 3 * SIGMA + 1


class ImagePeople(NamedTuple):
    """The people of one image as the network gets it; k may be 0.

    boxes: float32 [k, 4], x1, y1, x2, y2 in pixels of the network's input.
    categories: float32 [k, E], 1 where the emotion is annotated, else 0.
    known: bool [k, E], False where the annotation says nothing of it.
    vad: float32 [k, 3], in [-1, 1], NaN where it is not annotated.
    """

    boxes: np.ndarray
    categories: np.ndarray
    known: np.ndarray
    vad: np.ndarray


class VectorTargets(NamedTuple):
    """What a head that puts out one vector an image should say: n images of ImagePeople's labels.

    categories: float32 [n, E]. known: bool [n, E]. vad: float32 [n, 3], NaN where unknown.
    """

    categories: Tensor
    known: Tensor
    vad: Tensor

    def to(self, device: torch.device | str) -> VectorTargets:
        return VectorTargets(*(field.to(device, non_blocking=True) for field in self))


class MapTargets(NamedTuple):
    """What the maps of n images with N people in all should say, at one resolution.

    heat: float32 [n, 1, h, w], a Gaussian round each centre, exactly 1 there; where two overlap,
        the larger value.
    centres: int64 [N, 3], a row a person: the image's row, then y and x in cells. Two people may
        have the same centre: both stay, and the network learns what lies between them.
    sizes: float32 [N, 2], height and width in cells.
    people: their labels, N rows.
    """

    heat: Tensor
    centres: Tensor
    sizes: Tensor
    people: VectorTargets

    def to(self, device: torch.device | str) -> MapTargets:
        return MapTargets(*(field.to(device) for field in self))


def image_people(people: Sequence[AnnotatedPerson]) -> ImagePeople:
    """Annotated people as arrays, their boxes in pixels of the picture."""
    if not people:
        raise InputError("An image without people has no labels.", "Leave it out.")
    boxes = [(p.box.x1, p.box.y1, p.box.x2, p.box.y2) for p in people]
    return ImagePeople(
        np.array(boxes, np.float32),
        np.stack([p.categories for p in people]).astype(np.float32),
        np.stack([p.known for p in people]).astype(bool),
        np.stack([p.vad for p in people]).astype(np.float32),
    )


def map_targets(
    images: Sequence[ImagePeople],
    height: int,
    width: int,
    stride: int,
    emotions: int = len(EMOTIC26),
) -> MapTargets:
    """Targets of the maps at 1 / `stride` of inputs of `height` x `width` pixels; n may be 0.

    People whose centre lies outside the input are left out, at both resolutions alike: random
    perspective and scale push people out, and no cell could stand for them.

    Raises:
        InputError: a box without area or with a coordinate that is not finite, or sides that do
            not divide by `stride`.
    """
    if height % stride or width % stride:
        raise InputError(
            f"Images of {width}x{height} pixels have no maps at 1/{stride}.",
            "Give images whose sides divide by 32.",
        )
    cells = height // stride, width // stride
    heat = np.zeros((len(images), 1, *cells), np.float32)
    centres, sizes = [np.zeros((0, 3), np.int64)], [np.zeros((0, 2), np.float32)]
    labels = [[np.zeros((0, columns)) for columns in (emotions, emotions, 3)]]
    for row, people in enumerate(images):
        inside, places, extent = _places(people.boxes, cells, stride)
        for y, x in places:
            _draw(heat[row, 0], int(y), int(x))
        centres.append(np.insert(places, 0, row, axis=1))
        sizes.append(extent)
        labels.append([field[inside] for field in people[1:]])
    categories, known, vad = (np.concatenate(fields) for fields in zip(*labels, strict=True))
    return MapTargets(
        torch.from_numpy(heat),
        torch.from_numpy(np.concatenate(centres)),
        torch.from_numpy(np.concatenate(sizes)),
        _vectors(categories, known, vad),
    )


def person_targets(people: ImagePeople, index: int) -> VectorTargets:
    """Labels of person `index` for the person-centric head: one row (section 2.3)."""
    chosen = slice(index, index + 1)
    return _vectors(people.categories[chosen], people.known[chosen], people.vad[chosen])


def background_targets(people: ImagePeople) -> VectorTargets:
    """Labels of the whole image for the background head: one row (section 2.3).

    An emotion is there where it is annotated for anybody. It is known to be absent only where it
    is known of everybody. Valence, arousal and dominance are the mean of those annotated.
    """
    present = (people.categories > 0) & people.known
    known = present.any(axis=0) | people.known.all(axis=0)
    annotated = np.isfinite(people.vad)
    total = np.where(annotated, people.vad, 0).sum(axis=0)
    count = annotated.sum(axis=0)
    vad = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return _vectors(present.any(axis=0)[None], known[None], vad[None])


def stack_targets(targets: Sequence[VectorTargets], emotions: int = len(EMOTIC26)) -> VectorTargets:
    """Rows of several images together; none at all gives 0 rows of `emotions` columns."""
    nobody = _vectors(*(np.zeros((0, columns)) for columns in (emotions, emotions, 3)))
    return VectorTargets(*(torch.cat(fields) for fields in zip(nobody, *targets, strict=True)))


def _vectors(categories: np.ndarray, known: np.ndarray, vad: np.ndarray) -> VectorTargets:
    return VectorTargets(
        torch.from_numpy(categories.astype(np.float32)),
        torch.from_numpy(known.astype(bool)),
        torch.from_numpy(vad.astype(np.float32)),
    )


def _places(
    boxes: np.ndarray, cells: tuple[int, int], stride: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who is inside (bool [k]), and of those: centres int64 [m, 2], sizes float32 [m, 2]."""
    corners = np.asarray(boxes, np.float64).reshape(-1, 4) / stride
    extent = corners[:, 2:] - corners[:, :2]
    if not (np.isfinite(corners).all() and (extent > 0).all()):
        raise InputError(
            "A person's box has no area, or a coordinate that is not finite.",
            "Clip boxes to the image and leave out those outside.",
        )
    # Floor, not int(): a centre just outside the left edge is not in the first column.
    centres = np.floor((corners[:, :2] + corners[:, 2:]) / 2).astype(np.int64)[:, ::-1]
    inside = ((centres >= 0) & (centres < cells)).all(axis=1)
    return inside, centres[inside], extent[inside, ::-1].astype(np.float32)


def _draw(heat: np.ndarray, y: int, x: int) -> None:
    """Merge the Gaussian round cell (y, x) into `heat`, in place, by maximum."""
    height, width = heat.shape
    top, left = max(y - RADIUS, 0), max(x - RADIUS, 0)
    bottom, right = min(y + RADIUS + 1, height), min(x + RADIUS + 1, width)
    across = np.exp(-((np.arange(left, right) - x) ** 2) / (2 * SIGMA**2))
    down = np.exp(-((np.arange(top, bottom) - y) ** 2) / (2 * SIGMA**2))
    patch = heat[top:bottom, left:right]
    np.maximum(patch, np.outer(down, across), out=patch)
