"""Three annotators' answers become a label or none (CAER-Net section 4.1).

"If two or more annotators assigned the same emotion category, the clip remained in the database. We
also removed the clips which have lower confidence average under the 0.5." The average is read as
that of all the clip's annotators, not of those who agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from caer_ros.core import CAER7
from caer_ros.datasets.annotation import Vote

LEAST_AGREEING = 2
LEAST_CONFIDENCE = 0.5
LEAST_ANSWERS = 3


@dataclass(frozen=True)
class Decision:
    """Label (place in CAER7) or None with the reason; mean confidence, and how many agreed."""

    label: int | None
    reason: str
    confidence: float
    agreeing: int


def decide(votes: Sequence[Vote]) -> Decision:
    """One clip's label. With more than three votes a tie for the most is no majority.

    Answers that a clip still lacks are the caller's business; fewer than three decide nothing.
    """
    confidence = float(np.mean([vote.confidence for vote in votes])) if votes else 0.0
    if len(votes) < LEAST_ANSWERS:
        return Decision(None, f"fewer than {LEAST_ANSWERS} answers", confidence, 0)
    ranked = Counter(vote.label for vote in votes).most_common(2)
    label, agreeing = ranked[0]
    tied = len(ranked) > 1 and ranked[1][1] == agreeing
    if agreeing < LEAST_AGREEING or tied:
        return Decision(None, "no majority", confidence, agreeing)
    # Nine tenths and eight more add up to 0.49999...: compare as people count.
    if round(confidence, 9) < LEAST_CONFIDENCE:
        return Decision(None, "confidence below 0.5", confidence, agreeing)
    return Decision(label, "", confidence, agreeing)


def agreement(votes: Mapping[str, Sequence[Vote]]) -> float:
    """Fleiss' kappa of the clips with the same number of answers as most have.

    1: all agree; 0: as by chance. NaN without clips, with one answer each, or one category in all.
    """
    sizes = Counter(len(answers) for answers in votes.values())
    if not sizes:
        return float("nan")
    size = sizes.most_common(1)[0][0]
    rows = [answers for answers in votes.values() if len(answers) == size]
    counts = np.array([[sum(v.label == k for v in a) for k in range(len(CAER7))] for a in rows])
    chance = float(((counts.sum(axis=0) / counts.sum()) ** 2).sum())
    if size < 2 or chance == 1:
        return float("nan")
    observed = float(((counts**2).sum(axis=1) - size).mean() / (size * (size - 1)))
    return (observed - chance) / (1 - chance)
