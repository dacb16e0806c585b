"""How well anybody can do: Bayes-optimal accuracies of face, context and both, exactly.

The model behind the scenes, with a = ambiguity, r = reliability, n = absent (share of the failing
scenes without an object):

- The label is uniform over 7. The pair is the label and one of its two neighbours on the ring, each
  half the time, so every pair is equally frequent.
- The face shows the pair and a place x on it, 0 the prototype of its first emotion A, 1 that of its
  second B. t is triangular on [0, 1] (peak at 1/2); x = a t if the label is A, 1 - a t if it is B.
- The planted object is of the label's class with probability r; else there is none with probability
  n, else it is of one of the 6 other classes, each with q = (1 - r)(1 - n) / 6.
- Given label and pair, face and object are independent; nothing else depends on the label.

These are ceilings: an observer who reads x without error reaches them, and the differences between
people's faces, light, noise and small pictures cost a real network something. They hold for one
still; with the motion cue a clip tells the pair apart whatever its ambiguity is. They also suppose
that the context stream sees no face (CAER-Net hides all), else "context" could read the face.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from caer_ros.core import CAER7, InputError

CLASSES = len(CAER7)
_LEAST = 1e-9
Range = tuple[float, float]


@dataclass(frozen=True)
class Ceilings:
    """Bayes-optimal accuracies in [1/7, 1] of the face alone, the context alone, and both."""

    face: float
    context: float
    both: float

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def as_range(ambiguity: float | Range) -> Range:
    """(low, high) of an ambiguity given as a number or as a range.

    Raises:
        InputError: not in [0, 1], or low above high.
    """
    low, high = ambiguity if isinstance(ambiguity, tuple) else (ambiguity, ambiguity)
    if not 0 <= low <= high <= 1:
        raise InputError(
            f"Ambiguity {low:g} to {high:g} is not within 0 to 1.",
            "0: the face tells the emotion; 1: it can not tell the emotion from its confuser.",
        )
    return float(low), float(high)


def check_share(name: str, value: float) -> None:
    """Raise InputError unless `value` is a probability."""
    if not 0 <= value <= 1:
        raise InputError(f"{name} {value:g} is not within 0 to 1.", "It is a probability.")


def face_ceiling(ambiguity: float | Range) -> float:
    """Accuracy of the best guess from the face alone, in [1/2, 1].

    For one number it is 1 up to a = 1/2, then 1 - 2 (1 - 1/(2a))^2. Between the prototypes the
    nearer one is the best guess whatever a is, so a range (uniform) gives the plain mean.

    Raises:
        InputError: ambiguity is not in [0, 1].
    """
    low, high = as_range(ambiguity)
    return float(np.mean([_nearer_wins(a) for a in _nodes(low, high)]))


def context_ceiling(reliability: float, absent: float = 0.0) -> float:
    """Accuracy of the best guess from the object alone, in [1/7, 1].

    An object names its class (or, where it is right more seldom than chance, any other one);
    without an object all seven are equally likely. Rises with `reliability` wherever objects are
    right more often than chance.

    Raises:
        InputError: an argument is no probability.
    """
    _, other, none = object_odds(reliability, absent)
    return max(reliability, other) + none / CLASSES


def both_ceiling(ambiguity: float | Range, reliability: float, absent: float = 0.0) -> float:
    """Accuracy of the best guess from face and object, in [1/2, 1].

    Of the pair that the face leaves, the object may name one, the other, or neither. For a range of
    ambiguities (uniform) the observer does not know which one a face has.

    Raises:
        InputError: an argument is not in [0, 1].
    """
    low, high = as_range(ambiguity)
    right, other, none = object_odds(reliability, absent)
    nodes = _nodes(low, high)
    neither = (5 * other + none) * face_ceiling(ambiguity)
    return _weighed_win(nodes, right, other) + neither


def object_odds(reliability: float, absent: float = 0.0) -> tuple[float, float, float]:
    """P(object of the label's class), P(object of one certain other class), P(no object).

    Raises:
        InputError: an argument is no probability.
    """
    check_share("Reliability", reliability)
    check_share("Absent share", absent)
    return reliability, (1 - reliability) * (1 - absent) / (CLASSES - 1), (1 - reliability) * absent


def ceilings(ambiguity: float | Range, reliability: float, absent: float = 0.0) -> Ceilings:
    """All three at once; `both` is never below either of the others.

    Raises:
        InputError: an argument is not in [0, 1].
    """
    return Ceilings(
        face_ceiling(ambiguity),
        context_ceiling(reliability, absent),
        both_ceiling(ambiguity, reliability, absent),
    )


def face_posterior(share: float, ambiguity: float | Range) -> float:
    """P(label | face) of one face with `share` of the confuser: 1 certain, 1/2 no idea, 0 misled.

    Raises:
        InputError: ambiguity is not in [0, 1].
    """
    nodes = _nodes(*as_range(ambiguity))
    mine, theirs = (_density(place, nodes) for place in (share, 1 - share))
    if mine + theirs == 0:
        # Ambiguity 0 puts all the weight on the prototype itself.
        return 1.0 if share < 0.5 else 0.0
    return mine / (mine + theirs)


def _nodes(low: float, high: float) -> np.ndarray:
    """Midpoints that stand for a uniform range; one number stands for itself."""
    count = 1 if low == high else 256
    nodes = low + (high - low) * (np.arange(count) + 0.5) / count
    # Next to nothing counts as nothing: it would overflow as a divisor.
    return np.where(nodes < _LEAST, 0.0, nodes)


def _triangle_cdf(t: float) -> float:
    """P(T <= t) of the triangular distribution on [0, 1] with its peak at 1/2."""
    if t <= 0.5:
        return 2 * max(t, 0.0) ** 2
    return 1 - 2 * (1 - min(t, 1.0)) ** 2


def _cdf(place: float, nodes: np.ndarray) -> float:
    """P(share <= place), mean over ambiguities; ambiguity 0 puts all weight on share 0."""
    return float(np.mean([_triangle_cdf(place / a) if a > 0 else float(place >= 0) for a in nodes]))


def _density(place: float, nodes: np.ndarray) -> float:
    positive = nodes[nodes > 0]
    if not positive.size:
        return 0.0
    t = place / positive
    return float(np.sum(np.clip(4 * np.minimum(t, 1 - t), 0, None) / positive) / len(nodes))


def _nearer_wins(a: float) -> float:
    return _triangle_cdf(1 / (2 * a)) if a > 0 else 1.0


def _weighed_win(nodes: np.ndarray, right: float, other: float) -> float:
    """Probability that A is meant, the object is A's or B's, and the best guess is right.

    By symmetry A stands for both. A wins where p_A(x) right > p_B(x) other, which is where x lies
    below a threshold: p_A / p_B falls with x, as p_A is p_B mirrored and both have one peak.
    """
    strong, weak = max(right, other), min(right, other)
    low, high = 0.5, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _density(middle, nodes) * strong > _density(1 - middle, nodes) * weak:
            low = middle
        else:
            high = middle
    threshold = (low + high) / 2
    # P(B's place <= x) is 1 - P(share >= 1 - x) seen from B, with the sides swapped.
    return strong * _cdf(threshold, nodes) + weak * _cdf(1 - threshold, nodes)
