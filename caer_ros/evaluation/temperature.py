"""Temperature scaling: one number that makes a network as sure as it is right.

Guo et al. 2017, section 4.2: probabilities are softmax(logits / T), with the T that has the least
cross-entropy on samples that the network did not learn from. No top label changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from caer_ros.core import InputError
from caer_ros.evaluation.confidence import ConfidenceBins, Quality, confidence_bins, quality
from caer_ros.evaluation.predict import softmax
from caer_ros.evaluation.sample_facts import in_order

LEAST, MOST = 0.05, 20.0
LEAST_PEOPLE = 50
FOLDS = 5
# Halvings of the range of log T, which is 6 wide: T is then right to 11 digits.
_STEPS = 40


@dataclass(frozen=True, eq=False)
class Scaling:
    """A temperature, and what it does to people whom it was not fitted on.

    Attributes:
        temperature: T, fitted on everybody.
        fold_temperatures: T of each fold, fitted on the people of all other folds.
        people, answers: how many.
        before: of softmax(logits), over all answers.
        after: of softmax(logits / T) with each answer under the T of its own person's fold.
        bins_before, bins_after: of the same.
    """

    temperature: float
    fold_temperatures: tuple[float, ...]
    people: int
    answers: int
    before: Quality
    after: Quality
    bins_before: ConfidenceBins
    bins_after: ConfidenceBins


def fit_temperature(logits: np.ndarray, truths: np.ndarray) -> float:
    """The T with the least mean cross-entropy of softmax(logits / T) against the truths.

    The cross-entropy is convex in 1/T, so its slope changes sign once, which is bisected for.

    Args:
        logits, truths: float [N, K]; rows of `truths` sum to 1.

    Raises:
        InputError: it falls all the way to LEAST or MOST: the top labels are always right, or the
            logits say nothing of the truth.
    """
    low, high = np.log(LEAST), np.log(MOST)
    if _slope(logits, truths, LEAST) <= 0 or _slope(logits, truths, MOST) >= 0:
        raise InputError(
            f"No temperature from {LEAST:g} to {MOST:g} is best: on these samples the network is "
            "either always right, or no better than chance.",
            "Give other or more people whom the network did not learn from; see `caer evaluate`.",
        )
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _slope(logits, truths, float(np.exp(middle))) > 0:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


def scale(
    logits: np.ndarray, truths: np.ndarray, people: Sequence[str], data: np.ndarray
) -> Scaling:
    """Fit T on everybody, and measure by cross-fitting what it does to others.

    Args:
        logits, truths: float [N, K]; rows of `truths` sum to 1.
        people, data: see `folds_of`.

    Raises:
        InputError: fewer than LEAST_PEOPLE people, a single class, or see `fit_temperature`.
    """
    count = len(set(zip(data.tolist(), people, strict=True)))
    check_enough(count, truths)
    folds = folds_of(people, data)
    after = np.empty(logits.shape)
    temperatures = []
    for fold in range(FOLDS):
        own = folds == fold
        temperatures.append(fit_temperature(logits[~own], truths[~own]))
        after[own] = softmax(logits[own] / temperatures[-1])
    before = softmax(logits)
    return Scaling(
        fit_temperature(logits, truths),
        tuple(temperatures),
        count,
        len(logits),
        quality(before, truths),
        quality(after, truths),
        confidence_bins(before, truths),
        confidence_bins(after, truths),
    )


def folds_of(people: Sequence[str], data: np.ndarray) -> np.ndarray:
    """The fold of each answer, int64 [N]: all answers for a person are in one.

    The people of each data set are cut into FOLDS runs of about equal length, in order of their
    names: neighbours, who may be the same person under two names, mostly stay together, and every
    fold has people of every data set.

    Args:
        people: N names, each unique in its data set.
        data: int [N], which data set an answer is of.
    """
    folds = np.zeros(len(people), np.int64)
    for which in np.unique(data):
        places = np.flatnonzero(data == which)
        order = {name: i for i, name in enumerate(in_order(people[p] for p in places))}
        ranks = np.array([order[people[p]] for p in places])
        folds[places] = ranks * FOLDS // len(order)
    return folds


def check_enough(people: int, truths: np.ndarray) -> None:
    """Raise InputError where one person more or less would decide, or nothing is to be told apart.

    Args:
        people: how many there are.
        truths: float [N, K].
    """
    if people < LEAST_PEOPLE:
        raise InputError(
            f"There are {people} people; a temperature needs {LEAST_PEOPLE}.",
            "Give more people with --data, or hold more sources out.",
        )
    if len(np.unique(truths.argmax(axis=1))) < 2:
        raise InputError("Everybody is of one class.", "Give people of several classes.")


def _slope(logits: np.ndarray, truths: np.ndarray, temperature: float) -> float:
    """Derivative of the mean cross-entropy by 1/T; it grows with 1/T."""
    return float(((softmax(logits / temperature) - truths) * logits).sum(axis=1).mean())
