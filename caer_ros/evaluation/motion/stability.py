"""How right and how steady answers are, and whether a difference is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from caer_ros.core import InputError
from caer_ros.evaluation.motion.rivals import Said

_DRAWS = 2000


@dataclass(frozen=True)
class Stability:
    """Of all frames that were judged.

    Attributes:
        accuracy: share of frames whose shown label is the clip's.
        changes: share of frames whose shown label is not that of the frame before.
        movement: mean over frames of half the sum over labels of |Δp| since the frame before: the
            share of the probability that went from one label to another.
        lag: mean age of what the answers rest on, in seconds.
        answered: share of the frames of which anything was said, before the frames to be judged
            were chosen.
    """

    accuracy: float
    changes: float
    movement: float
    lag: float
    answered: float

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts a clip, from which everything else is made.

    Attributes:
        frames, right, pairs, changes: int64 [clips]; pairs are of frames one after the other.
        movement, lag: float64 [clips], sums over pairs and over frames.
        answered, asked: int64 [clips], frames.
    """

    frames: np.ndarray
    right: np.ndarray
    pairs: np.ndarray
    changes: np.ndarray
    movement: np.ndarray
    lag: np.ndarray
    answered: np.ndarray
    asked: np.ndarray

    def stability(self) -> Stability:
        """Over all clips, each frame counting once.

        Raises:
            InputError: no frame was judged.
        """
        frames, pairs = int(self.frames.sum()), max(int(self.pairs.sum()), 1)
        if not frames:
            raise InputError(
                "There is no frame that all models answered.",
                "Take longer clips: a model of clips needs 16 frames before it says anything.",
            )
        return Stability(
            float(self.right.sum() / frames),
            float(self.changes.sum() / pairs),
            float(self.movement.sum() / pairs),
            float(self.lag.sum() / frames),
            float(self.answered.sum() / self.asked.sum()),
        )


def judged_frames(answers: Sequence[Said], since: Sequence[int], first: int) -> np.ndarray:
    """bool [T]: frames that all have answered, from tick `first` on, so that all are compared on
    the same ones. `since`: the frames' ticks."""
    late = np.asarray(since) >= first
    return np.logical_and.reduce([late, *(answer.spoke for answer in answers)])


def tally(
    answers: Sequence[Said],
    labels: Sequence[int],
    judged: Sequence[np.ndarray],
    asked: Sequence[np.ndarray],
) -> Tally:
    """Count, clip by clip.

    Args:
        answers: one a clip.
        labels: of the clips.
        judged: bool [T] a clip, see `judged_frames`.
        asked: bool [T] a clip, frames of which something should be said.
    """
    rows = [_tally_clip(*each) for each in zip(answers, labels, judged, asked, strict=True)]
    return Tally(*(np.array(column) for column in zip(*rows, strict=True)))


def _tally_clip(
    answer: Said, label: int, judged: np.ndarray, asked: np.ndarray
) -> tuple[float, ...]:
    pairs = judged[1:] & judged[:-1]
    steps = np.abs(np.diff(answer.probabilities, axis=0)).sum(axis=1) / 2
    return (
        int(judged.sum()),
        int((answer.shown[judged] == label).sum()),
        int(pairs.sum()),
        int((np.diff(answer.shown) != 0)[pairs].sum()),
        float(steps[pairs].sum()),
        float(answer.lag[judged].sum()),
        int((answer.spoke & asked).sum()),
        int(asked.sum()),
    )


@dataclass(frozen=True)
class Gain:
    """By how much one's accuracy is above the other's, and the middle 95 % of what other clips of
    the same kind would have given: clips drawn again and again, with replacement."""

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or `none`: the interval holds 0."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "none"

    def as_dict(self) -> dict[str, float | str]:
        """For JSON."""
        return asdict(self) | {"verdict": self.verdict}


def gain(one: Tally, other: Tally, seed: int = 0) -> Gain:
    """Accuracy of `one` less that of `other`, on the same clips.

    Frames of a clip are alike, so clips are drawn, not frames.
    """
    frames, difference = one.frames, one.right - other.right
    rows = np.random.default_rng(seed).integers(0, len(frames), (_DRAWS, len(frames)))
    counts = np.maximum(frames[rows].sum(axis=1), 1)
    low, high = np.percentile(difference[rows].sum(axis=1) / counts, (2.5, 97.5))
    return Gain(float(difference.sum() / frames.sum()), float(low), float(high))
