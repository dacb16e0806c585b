"""Who is in a picture, as far as detectors are sure of it: pseudo-labels instead of annotators.

A person who is there and not labelled teaches that nobody is there, so that a picture in which
somebody may have been missed is worth less than none: it is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from caer_ros.core import Box
from caer_ros.datasets.person_detectors import (
    SAME_PERSON,
    PersonDetector,
    distinct,
    may_be_one,
    same_people,
)

Together = Literal["agree", "join"]
# Why a picture is left out, in the order in which they are looked for.
NOBODY, UNSURE, DISAGREE, MISSED = "nobody", "unsure", "disagree", "missed"
REASONS = {
    NOBODY: "nobody is found",
    UNSURE: "it is not sure how many are there",
    DISAGREE: "the detectors find different people",
    MISSED: "a face lies outside everybody's box",
}


@dataclass(frozen=True)
class Finder:
    """One or two detectors.

    Attributes:
        first: whose boxes count where both find somebody.
        second: another one, or None.
        together: `agree`: both must be sure of the same people. `join`: somebody whom one of them
            is sure of is there, and so is somebody whom both find unsurely. Either way nobody more
            may be there whom either finds unsurely.
    """

    first: PersonDetector
    second: PersonDetector | None = None
    together: Together = "agree"

    def find(self, bgr: np.ndarray) -> tuple[list[Box], str]:
        """Everybody in a uint8 BGR picture [H, W, 3], or nobody and why it is to be left out.

        Returns:
            boxes in its pixels, clipped to it, best first, and a key of REASONS; one of both is
            empty.

        Raises:
            EngineError: a network failed.
        """
        found = self.first.detect(bgr)
        sure = [box for box in found if box.score >= self.first.sure]
        if self.second is None:
            return _judged(sure, [box for box in found if box.score < self.first.sure])
        other = self.second.detect(bgr)
        sure_too = [box for box in other if box.score >= self.second.sure]
        doubtful = [box for box in found if box.score < self.first.sure]
        doubtful_too = [box for box in other if box.score < self.second.sure]
        if self.together == "agree":
            if not same_people(sure, sure_too):
                return [], DISAGREE
            return _judged(sure, [*doubtful, *doubtful_too])
        both = [box for box in doubtful if _any_same(box, other)]
        # Not by score, which means something else to each: the first one's boxes go before.
        people = distinct([*sure, *both, *sure_too])
        return _judged(people, [*doubtful, *doubtful_too])


def missed(faces: Sequence[Box], people: Sequence[Box]) -> bool:
    """Whether a face's middle lies outside everybody's box."""
    return any(not any(holds(person, face) for person in people) for face in faces)


def holds(person: Box, face: Box) -> bool:
    """Whether a face's middle lies in a person's box."""
    x, y = (face.x1 + face.x2) / 2, (face.y1 + face.y2) / 2
    return person.x1 <= x <= person.x2 and person.y1 <= y <= person.y2


def _judged(people: list[Box], doubtful: list[Box]) -> tuple[list[Box], str]:
    if len(distinct([*people, *doubtful])) > len(people) or may_be_one(people):
        return [], UNSURE
    return (people, "") if people else ([], NOBODY)


def _any_same(box: Box, others: Sequence[Box]) -> bool:
    return any(box.iou(other) >= SAME_PERSON for other in others)
