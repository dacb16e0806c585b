"""From probabilities to named emotions: one threshold an emotion, and how good the names are.

Beyond the paper, which only ranks. The thresholds are chosen on the validation split. Five
annotators were asked there, three for the test split and one for the training split, and every
emotion that any of them named counts: 6.2, 4.4 and 2.0 emotions a person. Expect thresholds to be
somewhat low on the test split.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from caer_ros.core import EMOTIC26
from caer_ros.evaluation.benet.average_precision import check_arrays


@dataclass(frozen=True, eq=False)
class Thresholds:
    """An emotion is named where its probability is `values` or more, and `chosen`.

    Attributes:
        names: of the E emotions.
        values: float64 [E]; 1 where not chosen.
        chosen: bool [E]; False where nobody was annotated with the emotion. It is never named, even
            at a probability of 1.
    """

    names: tuple[str, ...]
    values: np.ndarray
    chosen: np.ndarray

    def named(self, emotions: np.ndarray) -> np.ndarray:
        """bool [N, E], the emotions that probabilities float [N, E] reach."""
        return (emotions >= self.values) & self.chosen

    def as_dict(self) -> dict[str, float | None]:
        """For JSON: name to threshold, None where not chosen."""
        rows = zip(self.names, self.values, self.chosen, strict=True)
        return {name: float(value) if chosen else None for name, value, chosen in rows}


@dataclass(frozen=True)
class NamedCategory:
    """One emotion: precision, recall and F1 in [0, 1] (0 where undefined); people annotated with it
    and people who got its name."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int
    named: int


@dataclass(frozen=True)
class NamedScores:
    """Precision, recall and F1 of named emotions, in [0, 1].

    Attributes:
        micro_precision, micro_recall, micro_f1: of all pairs of person and emotion together.
        macro_precision, macro_recall, macro_f1: means over the emotions somebody is annotated with.
        categories: one row an emotion.
    """

    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    categories: tuple[NamedCategory, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def choose_thresholds(
    emotions: np.ndarray,
    positives: np.ndarray,
    known: np.ndarray,
    names: tuple[str, ...] = EMOTIC26,
) -> Thresholds:
    """Per emotion the threshold with the largest F1; of equal ones the lowest.

    Args:
        emotions: float [N, E], probabilities of the validation split.
        positives, known: bool [N, E].
        names: of the E emotions.

    Raises:
        InputError: the arrays do not fit each other.
    """
    check_arrays(emotions, positives, known, names)
    values = np.ones(len(names))
    chosen = (positives & known).any(axis=0)
    for index in np.flatnonzero(chosen):
        of = known[:, index]
        values[index] = _best(emotions[of, index], positives[of, index])
    return Thresholds(names, values, chosen)


def named_scores(
    emotions: np.ndarray, positives: np.ndarray, known: np.ndarray, thresholds: Thresholds
) -> NamedScores:
    """Scores of the emotions that `thresholds` name, of another split than it was chosen on.

    Args:
        emotions: float [N, E], probabilities.
        positives, known: bool [N, E].
        thresholds: of the same E emotions.

    Raises:
        InputError: the arrays do not fit each other.
    """
    check_arrays(emotions, positives, known, thresholds.names)
    named = thresholds.named(emotions) & known
    true = positives & known
    hits, given, wanted = ((a.sum(axis=0)) for a in (named & true, named, true))
    rows = tuple(
        NamedCategory(name, *_rates(*counts), support=int(counts[2]), named=int(counts[1]))
        for name, *counts in zip(thresholds.names, hits, given, wanted, strict=True)
    )
    counted = [(row.precision, row.recall, row.f1) for row in rows if row.support]
    macro = np.mean(counted, axis=0) if counted else np.zeros(3)
    return NamedScores(*_rates(hits.sum(), given.sum(), wanted.sum()), *map(float, macro), rows)


def _best(scores: np.ndarray, positives: np.ndarray) -> float:
    """Every distinct score is a candidate: between two of them nothing changes."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # of each run of equal scores
    hits = np.cumsum(positives[order])[last]
    named = np.arange(1, len(scores) + 1)[last]
    f1 = 2 * hits / (named + positives.sum())
    best = len(f1) - 1 - int(f1[::-1].argmax())
    return float(scores[order][last][best])


def _rates(hits: int, named: int, support: int) -> tuple[float, float, float]:
    """Precision, recall and F1 from counts."""
    return (
        float(hits / named) if named else 0.0,
        float(hits / support) if support else 0.0,
        float(2 * hits / (named + support)) if named + support else 0.0,
    )
