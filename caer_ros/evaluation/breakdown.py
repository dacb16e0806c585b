"""For whom a bundle is right and how sure of it: scores by face size, head pose and skin tone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from caer_ros.evaluation.sample_facts import Facts, numbers_of
from caer_ros.evaluation.scores import confusion_matrix, expected_calibration_error


@dataclass(frozen=True)
class Axis:
    """How people are told apart.

    Attributes:
        title: for people, with the unit.
        edges: values at which the next group begins.
        names: of the groups, one more than edges; lowest values first.
        key: of the number in the data set's manifest; empty: the bundle's answers have it.
        mirrored: whether both directions are the same.
    """

    title: str
    edges: tuple[float, ...]
    names: tuple[str, ...]
    key: str = ""
    mirrored: bool = False


def _steps(edges: tuple[float, ...], unit: str) -> tuple[str, ...]:
    inner = [f"{low:g} to {high:g} {unit}" for low, high in pairwise(edges)]
    return (f"under {edges[0]:g} {unit}", *inner, f"{edges[-1]:g} {unit} and more")


_SIZES = (24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 192.0)
_TURNS = (15.0, 30.0, 45.0, 60.0)
AXES = {
    "face_size": Axis("shorter side of the face", _SIZES, _steps(_SIZES, "px")),
    "yaw": Axis("head turned to a side", _TURNS, _steps(_TURNS, "°"), "yaw", True),
    "pitch": Axis("head turned up or down", _TURNS, _steps(_TURNS, "°"), "pitch", True),
    # Individual typology angle, classes of Chardon et al. 1991.
    "skin_tone": Axis(
        "skin tone (ITA)",
        (-30.0, 10.0, 28.0, 41.0, 55.0),
        ("dark", "brown", "tan", "intermediate", "light", "very light"),
        "ita",
    ),
}


@dataclass(frozen=True)
class GroupScore:
    """One group: samples; accuracy, mean recall of the classes that occur, and expected calibration
    error, each in [0, 1]. With few samples the last is large by chance alone."""

    name: str
    samples: int
    accuracy: float
    balanced_accuracy: float
    calibration_error: float


Breakdown = Mapping[str, Sequence[GroupScore]]


def break_down(
    probabilities: np.ndarray,
    labels: np.ndarray,
    faces: np.ndarray,
    facts: Facts,
    names: Sequence[str],
) -> dict[str, tuple[GroupScore, ...]]:
    """Scores of each group that has anybody, by key of AXES; what the data do not say is left out.

    Args:
        probabilities: float [N, K], rows sum to 1.
        labels: int [N].
        faces: float [N], shorter sides of the faces in pixels.
        facts: see `read_sample_facts`; pose and skin in degrees.
        names: of the N samples in `facts`.
    """
    found = {}
    for key, axis in AXES.items():
        values = numbers_of(facts, names, axis.key) if axis.key else faces
        groups = _groups(probabilities, labels, values, axis)
        if groups:
            found[key] = groups
    return found


def breakdown_dict(found: Breakdown) -> dict[str, list[dict[str, Any]]]:
    """For JSON."""
    return {key: [vars(group) for group in groups] for key, groups in found.items()}


def breakdown_text(found: Breakdown) -> str:
    """A table an axis."""
    lines = []
    for key, groups in found.items():
        lines += ["", f"{AXES[key].title:<28}{'samples':>8}{'accuracy':>10}{'recall':>8}{'ECE':>8}"]
        lines += [
            f"{g.name:<28}{g.samples:>8}{g.accuracy:>10.4f}{g.balanced_accuracy:>8.4f}"
            f"{g.calibration_error:>8.4f}"
            for g in groups
        ]
    return "\n".join(lines)


def _groups(
    probabilities: np.ndarray, labels: np.ndarray, values: np.ndarray, axis: Axis
) -> tuple[GroupScore, ...]:
    values = np.abs(values) if axis.mirrored else values
    place = np.where(np.isnan(values), -1, np.searchsorted(axis.edges, values, side="right"))
    return tuple(
        _score(name, probabilities[place == index], labels[place == index])
        for index, name in enumerate(axis.names)
        if (place == index).any()
    )


def _score(name: str, probabilities: np.ndarray, labels: np.ndarray) -> GroupScore:
    top = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, top, probabilities.shape[1])
    support = confusion.sum(axis=1)
    recall = confusion.diagonal()[support > 0] / support[support > 0]
    return GroupScore(
        name,
        len(labels),
        float((top == labels).mean()),
        float(recall.mean()),
        expected_calibration_error(probabilities, labels),
    )
