"""One person's record of EMOTIC's annotations as an AnnotatedPerson."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from caer_ros.core import EMOTIC26, Box, InputError
from caer_ros.datasets.emotic.mat_file import as_list
from caer_ros.datasets.emotic.names import emotic_place
from caer_ros.datasets.emotic.records import AnnotatedPerson
from caer_ros.datasets.emotic.splits import Tally

LABELS = ("combined", "majority")
_DIMENSIONS = ("valence", "arousal", "dominance")


def categories_of(record: Mapping[str, Any], labels: str, where: str) -> np.ndarray | None:
    """float32 [26], 1 where the emotion counts as annotated; None where no annotator named any.

    Args:
        record: of one person, nested like those of Annotations.mat.
        labels: `combined` takes `combined_categories`, which is the union of the annotators (a
            category that one of five named counts), and where that is missing joins them itself.
            `majority` takes what more than half of the annotators named, which may be nothing at
            all; this is not the published protocol. With one annotator, both are the same.
        where: file and person, for complaints.

    Raises:
        InputError: an unknown name, or `majority` where the single annotators are not known.
    """
    answers = [
        {emotic_place(str(name), where) for name in as_list(_field(answer, "categories"))}
        for answer in as_list(record.get("annotations_categories"))
    ]
    answers = [answer for answer in answers if answer]
    combined = {emotic_place(str(n), where) for n in as_list(record.get("combined_categories"))}
    if not answers and not combined:
        return None
    if labels == "majority":
        if not answers:
            raise InputError(
                f"{where}: the single annotators are not in this file, so there is no majority.",
                "Read Annotations.mat, or use labels 'combined'.",
            )
        votes = Counter(place for answer in answers for place in answer)
        chosen = {place for place, count in votes.items() if 2 * count > len(answers)}
    else:
        chosen = combined or set().union(*answers)
    return one_hot(chosen)


def known_of(record: Mapping[str, Any], where: str) -> np.ndarray | None:
    """bool [26], of which categories anything is known; None where the record does not say.

    EMOTIC has no such field: its annotators looked for all 26. `known_categories` lists the names
    for people whom nobody annotated, as `caer data people` writes them; it may be empty.

    Raises:
        InputError: an unknown name.
    """
    if record.get("known_categories") is None:
        return None
    names = as_list(record["known_categories"])
    return one_hot({emotic_place(str(name), where) for name in names}) > 0


def vad_of(record: Mapping[str, Any], where: str) -> tuple[np.ndarray, bool]:
    """Valence, arousal, dominance: float32 [3] in [-1, 1], (x - 5.5) / 4.5 of EMOTIC's 1 to 10.

    `combined_continuous` where it has a number, else the mean of the annotators who gave one, else
    NaN. A number that is not within 1 to 10 counts as not given.

    Returns:
        the three, and whether a number was outside 1 to 10.

    Raises:
        InputError: a value is no number.
    """
    combined = as_list(record.get("combined_continuous"))[:1]
    answers = as_list(record.get("annotations_continuous"))
    values, odd = np.full(3, np.nan), False
    for place, name in enumerate(_DIMENSIONS):
        for group in (combined, answers):
            given = [_number(_field(item, name), where) for item in group]
            good = [value for value in given if 1 <= value <= 10]
            odd |= len(good) < sum(not math.isnan(value) for value in given)
            if good:
                values[place] = np.mean(good)
                break
    return unit_vad(values), odd


def unit_vad(values: np.ndarray) -> np.ndarray:
    """EMOTIC's 1 to 10 as float32 in [-1, 1]: (x - 5.5) / 4.5."""
    return ((values - 5.5) / 4.5).astype(np.float32)


def corners_of(value: Any, where: str) -> tuple[float, float, float, float]:
    """Four finite numbers x1, y1, x2, y2.

    Raises:
        InputError: they are not.
    """
    numbers = [_number(item, where) for item in as_list(value)]
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise InputError(f"{where}: the box {value} is not four numbers.", "Write x1, y1, x2, y2.")
    x1, y1, x2, y2 = numbers
    return x1, y1, x2, y2


def clip_box(
    corners: Sequence[float], size: tuple[int, int], tally: Tally, where: str
) -> Box | None:
    """The part of a box inside a picture of that width and height; None where there is no area.

    Both clipping and leaving out are counted in `tally`.
    """
    x1, x2 = (min(max(x, 0.0), float(size[0])) for x in corners[::2])
    y1, y2 = (min(max(y, 0.0), float(size[1])) for y in corners[1::2])
    if x2 <= x1 or y2 <= y1:
        text = ", ".join(f"{value:g}" for value in corners)
        tally.outside.append(
            f"{where}: the box ({text}) has no area inside the {size[0]}x{size[1]} picture. "
            "Correct or remove it."
        )
        return None
    tally.clipped += (x1, y1, x2, y2) != tuple(corners)
    return Box(x1, y1, x2, y2)


def one_hot(places: set[int]) -> np.ndarray:
    """float32 [26]."""
    vector = np.zeros(len(EMOTIC26), np.float32)
    vector[sorted(places)] = 1
    return vector


def emotic_person(
    box: Box, categories: np.ndarray, vad: np.ndarray, known: np.ndarray | None = None
) -> AnnotatedPerson:
    """A person of EMOTIC: what is not annotated is absent, for all 26 categories or for `known`.

    What is annotated is known, whatever `known` (bool [26]) says.
    """
    if known is None:
        known = np.ones(len(EMOTIC26), bool)
    return AnnotatedPerson(box, categories, known | (categories > 0), vad)


def _field(record: Any, name: str) -> Any:
    return record.get(name) if isinstance(record, Mapping) else None


def _number(value: Any, where: str) -> float:
    # MATLAB's empty matrix comes as an empty list.
    if value is None or value == []:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{where}: '{value}' is no number.", "Correct the annotation.")
    return float(value)
