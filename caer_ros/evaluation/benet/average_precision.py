"""Average precision of emotions with true boxes: the figures of Tables 1 and 4 (section 4.2)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from caer_ros.core import EMOTIC26, InputError


@dataclass(frozen=True)
class CategoryAP:
    """One emotion.

    Attributes:
        name: of the emotion.
        ap: average precision in percent; None where nobody is annotated with it.
        prevalence: how many of `people` are annotated with it, in percent: the AP of an equal score
            for everybody, thus of chance. None where there are none.
        support: people annotated with it.
        people: people of whom it is known whether they have it.
    """

    name: str
    ap: float | None
    prevalence: float | None
    support: int
    people: int


@dataclass(frozen=True)
class AveragePrecision:
    """All emotions.

    Attributes:
        mean: mAP in percent, over the categories that somebody is annotated with.
        chance: mean prevalence of the same categories, in percent.
        categories: one row an emotion, also of those that do not count.
    """

    mean: float
    chance: float
    categories: tuple[CategoryAP, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Emotions nobody is annotated with; they are not in the means."""
        return tuple(row.name for row in self.categories if row.ap is None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"left_out": list(self.left_out)}


def average_precision(
    emotions: np.ndarray,
    positives: np.ndarray,
    known: np.ndarray,
    names: tuple[str, ...] = EMOTIC26,
) -> AveragePrecision:
    """AP of each emotion, and their mean.

    Args:
        emotions: float [N, E], what was predicted; larger is likelier.
        positives: bool [N, E], what is annotated.
        known: bool [N, E]; of a person, an emotion that is not known is not judged.
        names: of the E emotions.

    Raises:
        InputError: the arrays do not fit each other, or nobody has any emotion.
    """
    check_arrays(emotions, positives, known, names)
    rows = []
    for index, name in enumerate(names):
        of = known[:, index]
        truth = positives[of, index]
        ap = area_under_curve(truth, emotions[of, index])
        prevalence = 100 * float(truth.mean()) if len(truth) else None
        rows.append(
            CategoryAP(
                name, None if ap is None else 100 * ap, prevalence, int(truth.sum()), len(truth)
            )
        )
    counted = [row for row in rows if row.ap is not None]
    if not counted:
        raise InputError(
            "Nobody is annotated with any emotion.", "Choose another split, or other annotations."
        )
    return AveragePrecision(
        float(np.mean([row.ap for row in counted])),
        float(np.mean([row.prevalence for row in counted])),
        tuple(rows),
    )


def area_under_curve(positives: np.ndarray, scores: np.ndarray, lost: int = 0) -> float | None:
    """AP in [0, 1] of one emotion, the sum of (R_n - R_(n-1)) P_n over thresholds, not smoothed.

    Args:
        positives: bool [N].
        scores: float [N].
        lost: further positives, whom no threshold reaches: they count in recall's denominator only.

    Returns:
        None where nobody is positive, not even a lost one.
    """
    found = int(positives.sum())
    if not found:
        # Recall stays zero where all positives are lost, and with it the sum.
        return 0.0 if lost else None
    # Recall over all positives is recall over the found ones, smaller by one factor.
    return float(average_precision_score(positives, scores)) * found / (found + lost)


def check_arrays(
    emotions: np.ndarray, positives: np.ndarray, known: np.ndarray, names: tuple[str, ...]
) -> None:
    """Refuse what can not be scored.

    Raises:
        InputError: there is no person, or an array is not [N, len(names)].
    """
    shapes = {array.shape for array in (emotions, positives, known)}
    if shapes != {(len(emotions), len(names))} or not len(emotions):
        raise InputError(
            f"Predictions {emotions.shape}, labels {positives.shape} and known {known.shape} of "
            f"{len(names)} emotions can not be scored.",
            "Give at least one person, and one column an emotion.",
        )
