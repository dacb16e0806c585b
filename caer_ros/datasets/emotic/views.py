"""The pre-transformations of section 3.3: what of a picture a training sample shows.

    extract      ExtractSubject: the subject's box alone, for the person-centric head
    mask_all     MaskAllSubjects: everything but the people, for the background head
    random_mask  RandomMaskSubjects: some of the people, for the bottom-up head
    raw          the picture itself, for the detection head

Masks are black rectangles. Boxes are float64 [N, 4], x1, y1, x2, y2 in pixels of the picture and
inside it. All functions are pure: images are copied, and chance comes from the generator given.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from caer_ros.datasets.emotic.view_mix import ViewMix

# Of a person that stays visible, hidden by the masks of others.
MOST_HIDDEN = 0.4
# With which probability each person but the subject is masked, where that hides no one else.
MASKED = 0.5


@dataclass(frozen=True, eq=False)
class View:
    """What a sample shows.

    Attributes:
        kind: `extract`, `mask_all`, `random_mask` or `raw`.
        image: uint8 [h, w, 3].
        people: int64 [n], places of the people who are to be seen in it.
        boxes: float64 [n, 4], theirs, in pixels of `image`.
    """

    kind: str
    image: np.ndarray
    people: np.ndarray
    boxes: np.ndarray


def draw_view(
    image: np.ndarray,
    boxes: np.ndarray,
    subject: int,
    mix: ViewMix,
    rng: np.random.Generator,
    excluded: Set[str] = frozenset(),
) -> View:
    """One view of a picture, drawn among those that it allows.

    Args:
        subject: place of the person that `extract` would show and `random_mask` never hides.
        excluded: views that are not wanted either.
    """
    height, width = image.shape[:2]
    allowed = mix.without(mix.excluded(boxes, subject, height, width) | excluded)
    kind = str(rng.choice(list(allowed), p=list(allowed.values())))
    if kind == "extract":
        return extract_subject(image, boxes, subject)
    if kind == "mask_all":
        return mask_all_subjects(image, boxes)
    if kind == "random_mask":
        return random_mask_subjects(image, boxes, subject, rng)
    return raw_view(image, boxes)


def extract_subject(image: np.ndarray, boxes: np.ndarray, subject: int) -> View:
    """The picture cut to the pixels that the subject's box touches."""
    x1, y1, x2, y2 = _pixels(boxes[subject], image)
    box = boxes[subject] - [x1, y1, x1, y1]
    return View("extract", image[y1:y2, x1:x2].copy(), np.array([subject]), box[None])


def mask_all_subjects(image: np.ndarray, boxes: np.ndarray) -> View:
    """The picture with every person masked; nobody is to be seen."""
    return View("mask_all", _masked(image, boxes), np.zeros(0, np.int64), np.zeros((0, 4)))


def raw_view(image: np.ndarray, boxes: np.ndarray) -> View:
    """The picture as it is, with everybody."""
    return View("raw", image.copy(), np.arange(len(boxes)), boxes.copy())


def random_mask_subjects(
    image: np.ndarray, boxes: np.ndarray, subject: int, rng: np.random.Generator
) -> View:
    """The picture with some people masked; the subject, at least, stays.

    Each other person is masked with probability 0.5. A mask is taken back where it would hide the
    centre of somebody who stays, or where the masks together would hide more than 40 % of him.
    """
    masked = rng.random(len(boxes)) < MASKED
    masked[subject] = False
    while True:
        culprit = _culprit(boxes, masked, image)
        if culprit is None:
            break
        masked[culprit] = False
    people = np.flatnonzero(~masked)
    return View("random_mask", _masked(image, boxes[masked]), people, boxes[people])


def _culprit(boxes: np.ndarray, masked: np.ndarray, image: np.ndarray) -> int | None:
    """Somebody masked who hides the centre of one who stays, or most of one hidden too much."""
    masks = [(place, _pixels(boxes[place], image)) for place in np.flatnonzero(masked)]
    for staying in boxes[~masked]:
        x1, y1, x2, y2 = _pixels(staying, image)
        hidden = np.zeros((y2 - y1, x2 - x1), bool)
        row = int((staying[1] + staying[3]) / 2) - y1
        column = int((staying[0] + staying[2]) / 2) - x1
        guilt: dict[int, tuple[bool, int]] = {}
        for place, (left, top, right, bottom) in masks:
            part = (
                slice(max(top - y1, 0), max(bottom - y1, 0)),
                slice(max(left - x1, 0), max(right - x1, 0)),
            )
            if hidden[part].size:
                hidden[part] = True
                centre = top <= row + y1 < bottom and left <= column + x1 < right
                guilt[int(place)] = (centre, hidden[part].size)
        if hidden[row, column] or hidden.mean() > MOST_HIDDEN:
            return max(guilt, key=guilt.__getitem__)
    return None


def _masked(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    masked = image.copy()
    for box in boxes:
        x1, y1, x2, y2 = _pixels(box, image)
        masked[y1:y2, x1:x2] = 0
    return masked


def _pixels(box: np.ndarray, image: np.ndarray) -> tuple[int, int, int, int]:
    """Rows and columns of all pixels that a box touches: x1, y1, and x2, y2 exclusive."""
    height, width = image.shape[:2]
    x1, y1 = np.floor(box[:2]).astype(int).tolist()
    x2, y2 = np.ceil(box[2:]).astype(int).tolist()
    return max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
