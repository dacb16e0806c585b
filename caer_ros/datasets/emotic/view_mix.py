"""Which of the views of section 3.3 are drawn, and when a picture does not allow one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from caer_ros.core import InputError

VIEWS = ("extract", "mask_all", "random_mask", "raw")


@dataclass(frozen=True)
class ViewMix:
    """Which views are drawn, with which probabilities, and what a picture must be like for them.

    Attributes:
        extract, mask_all, random_mask, raw: probabilities; their sum is 1. A head that is not
            trained has 0.
        most_covered: share of the subject's box that others' boxes may cover, in sum, for
            `extract`. The paper leaves it out where the box "contain[s] other people", the
            published code above 0.4.
        most_masked: sum of all boxes' areas as a share of the picture's, up to which `mask_all` is
            possible.

    Raises:
        InputError: a value is out of its range, or only views are left that some pictures do not
            allow.
    """

    extract: float = 0.25
    mask_all: float = 0.25
    random_mask: float = 0.25
    raw: float = 0.25
    most_covered: float = 0.4
    most_masked: float = 0.4

    def __post_init__(self) -> None:
        wanted = [getattr(self, name) for name in VIEWS]
        if min(wanted) < 0 or abs(sum(wanted) - 1) > 1e-6:
            raise InputError(
                f"The views' probabilities {wanted} are none.",
                "They must be 0 or more and add to 1.",
            )
        if min(self.most_covered, self.most_masked) < 0:
            raise InputError("most_covered or most_masked is below 0.", "Use 0 or more.")
        if not self.random_mask + self.raw:
            raise InputError(
                "Some pictures allow neither extract nor mask_all.",
                "Give random_mask or raw a probability.",
            )

    def excluded(self, boxes: np.ndarray, subject: int, height: int, width: int) -> set[str]:
        """Views that a height x width picture does not allow: `extract`, `mask_all`, both or none.

        The areas are summed as the paper says: what two boxes share counts twice.
        """
        excluded = set()
        if covered_share(boxes, subject) > self.most_covered:
            excluded.add("extract")
        if (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).sum() > self.most_masked * height * width:
            excluded.add("mask_all")
        return excluded

    def without(self, excluded: set[str]) -> Mapping[str, float]:
        """Probability by view where some are not possible: theirs is shared equally by the rest."""
        wanted = {name: getattr(self, name) for name in VIEWS}
        rest = {name: p for name, p in wanted.items() if p > 0 and name not in excluded}
        freed = 1 - sum(rest.values())
        return {name: p + freed / len(rest) for name, p in rest.items()}


def covered_share(boxes: np.ndarray, subject: int) -> float:
    """How much of the subject's box others' boxes cover, in sum: what two cover counts twice."""
    own = boxes[subject]
    size = np.minimum(boxes[:, 2:], own[2:]) - np.maximum(boxes[:, :2], own[:2])
    shared = np.clip(size, 0, None).prod(axis=1)
    return float((shared.sum() - shared[subject]) / shared[subject])
