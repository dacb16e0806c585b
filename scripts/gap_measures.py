"""How far rendered faces are from real ones, by a network's features of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from caer_ros.core import CAER7

# What real people do in portraits, and so the renders that are compared with them.
COMPARED = (CAER7.index("Happy"), CAER7.index("Neutral"))
# Strong regularisation: there are more features than faces.
_ALPHA = 100.0
_FOLDS = 5


@dataclass(frozen=True)
class Faces:
    """features float64 [N, D], pose int [N] (a place in CAER7), who int [N] (numbers of people)."""

    features: np.ndarray
    pose: np.ndarray
    who: np.ndarray

    def __len__(self) -> int:
        return len(self.who)

    def of(self, rows: np.ndarray) -> Faces:
        """Those of `rows` (indices or bool)."""
        return Faces(self.features[rows], self.pose[rows], self.who[rows])


@dataclass(frozen=True)
class Rendered:
    """Renders of one kind; `without` says what they lack; said int [N]: the emotion that the
    teacher names; found bool [N]: by the detector, None without one."""

    name: str
    without: str
    faces: Faces
    said: np.ndarray
    found: np.ndarray | None


@dataclass(frozen=True)
class Real:
    """A folder's faces that the teacher calls one of COMPARED, of `total`."""

    name: str
    faces: Faces
    total: int


def even_weights(pose: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Weights float64 [..., N], all poses together weighing the same, in all 1.

    Args:
        pose: int [N].
        times: float [..., N], how often each face is there. A pose that is not there weighs
            nothing.
    """
    out = np.zeros(times.shape)
    for one in np.unique(pose):
        here = times * (pose == one)
        out += here / np.maximum(here.sum(axis=-1, keepdims=True), 1e-9)
    return out / np.maximum(out.sum(axis=-1, keepdims=True), 1e-9)


def main_axes(real: Faces) -> np.ndarray:
    """The principal axes float64 [D, D] of real faces, as columns."""
    weights = even_weights(real.pose, np.ones(len(real)))
    off = real.features - weights @ real.features
    return np.linalg.eigh((off * weights[:, None]).T @ off)[1]


def moments(faces: Faces, axes: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance along `axes`, float64 [..., D] each, of faces there `times` [..., N]."""
    weights = even_weights(faces.pose, times)
    # About their own middle, so that nothing is lost in the difference of squares.
    middle = faces.features.mean(axis=0)
    along = (faces.features - middle) @ axes
    mean = weights @ along
    return mean + middle @ axes, np.maximum(weights @ along**2 - mean**2, 0)


def frechet(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The squared Fréchet distance of two normal distributions with the same axes: float64 [...].

    Args:
        one, other: mean and variance along the axes, float64 [..., D] each.
    """
    shift = ((one[0] - other[0]) ** 2).sum(axis=-1)
    return shift + ((np.sqrt(one[1]) - np.sqrt(other[1])) ** 2).sum(axis=-1)


def draws(who: np.ndarray, rounds: int, rng: np.random.Generator) -> np.ndarray:
    """How often each face is there, float64 [rounds + 1, N]: as it is, then with as many people as
    there are drawn with replacement, each with all of his faces."""
    people, number = np.unique(who, return_inverse=True)
    picked = rng.integers(0, len(people), (rounds, len(people)))
    times = np.stack([np.bincount(row, minlength=len(people)) for row in picked])
    return np.concatenate([np.ones((1, len(who))), times[:, number]])


def distances(
    renders: Faces, real: Faces, axes: np.ndarray, times: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """`frechet` float64 [draws] of faces there `times` ([draws, N] of each), as a share of the real
    faces' own variance: 1 is as far as a real face is, squared and on average, from their mean."""
    there = moments(real, axes, times[1])
    variance = there[1][0].sum()
    return frechet(moments(renders, axes, times[0]), there) / variance


def among_themselves(
    real: Faces, axes: np.ndarray, count: int, rounds: int, rng: np.random.Generator
) -> np.ndarray:
    """Distances float64 [rounds] of one half of the real people, or `count` faces of each pose of
    it, to the other: what nothing can go below."""
    people = np.unique(real.who)
    variance = moments(real, axes, np.ones(len(real)))[1].sum()
    found = []
    for _ in range(rounds):
        mine = np.isin(real.who, rng.permutation(people)[: len(people) // 2])
        some = real.of(mine)
        times = np.zeros(len(some))
        for pose in np.unique(some.pose):
            here = rng.permutation(np.flatnonzero(some.pose == pose))
            times[here[:count]] = 1
        rest = real.of(~mine)
        other = moments(rest, axes, np.ones(len(rest)))
        found.append(frechet(moments(some, axes, times), other) / variance)
    return np.array(found)


@dataclass(frozen=True)
class Tally:
    """How often each render and each real face was asked about, and how often the answer was right:
    float64 [N] each."""

    asked: tuple[np.ndarray, np.ndarray]
    right: tuple[np.ndarray, np.ndarray]

    def accuracy(self, times: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Balanced accuracy float64 [draws] of faces there `times` ([draws, N] of each)."""
        parts = [
            (there @ right) / np.maximum(there @ asked, 1e-9)
            for there, right, asked in zip(times, self.right, self.asked, strict=True)
        ]
        return (parts[0] + parts[1]) / 2


def tell_apart(renders: Faces, real: Faces, rounds: int, seed: int) -> Tally:
    """How well a linear classifier tells renders from real faces of people whom it has not seen.

    In every round as many real faces of each pose as there are renders are drawn anew, and people
    are dealt out to the folds anew. The same seed draws the same for other renders of the same
    people.
    """
    asked = np.zeros(len(renders)), np.zeros(len(real))
    right = np.zeros(len(renders)), np.zeros(len(real))
    for turn in range(rounds):
        rng = np.random.default_rng([seed, turn])
        drawn = [
            rng.permutation(np.flatnonzero(real.pose == pose))[: (renders.pose == pose).sum()]
            for pose in np.unique(renders.pose)
        ]
        rows = np.concatenate(drawn)
        features = np.concatenate([renders.features, real.features[rows]])
        is_real = np.repeat([0, 1], [len(renders), len(rows)])
        who = np.concatenate([renders.who, real.who[rows] + renders.who.max() + 1])
        correct = _answers(features, is_real, who, turn) == is_real
        for kind, at in ((0, np.arange(len(renders))), (1, rows)):
            asked[kind][at] += 1
            right[kind][at] += correct[is_real == kind]
    return Tally(asked, right)


def _answers(features: np.ndarray, kind: np.ndarray, who: np.ndarray, seed: int) -> np.ndarray:
    """What a classifier says of each face that was trained on other people: int [N]."""
    rng = np.random.default_rng([seed, 1])
    fold = np.zeros(len(who), int)
    folds = min(_FOLDS, *(len(np.unique(who[kind == k])) for k in (0, 1)))
    for one in (0, 1):
        people, number = np.unique(who[kind == one], return_inverse=True)
        fold[kind == one] = rng.permutation(len(people))[number] % folds
    said = np.zeros(len(who), int)
    for test in (fold == k for k in range(folds)):
        linear = RidgeClassifier(_ALPHA, class_weight="balanced")
        model = make_pipeline(StandardScaler(), linear).fit(features[~test], kind[~test])
        said[test] = model.predict(features[test])
    return said
