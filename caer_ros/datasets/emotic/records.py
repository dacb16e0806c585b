"""What EMOTIC and HECO say of a picture: its people, each with a box and emotions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caer_ros.core import Box


@dataclass(frozen=True, eq=False)
class AnnotatedPerson:
    """One annotated person.

    Attributes:
        box: of the whole body, in pixels of the picture, clipped to it.
        categories: float32 [26], 1 where the emotion of EMOTIC26 is annotated, else 0.
        known: bool [26], whose absence means something: all of EMOTIC's; of HECO's, which have one
            of eight labels, only those that have a counterpart. The rest must not be trained on.
        vad: float32 [3], valence, arousal, dominance in [-1, 1] ((x - 5.5) / 4.5 of EMOTIC's 1 to
            10); NaN where it is not annotated.
    """

    box: Box
    categories: np.ndarray
    known: np.ndarray
    vad: np.ndarray


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """One picture and all its annotated people, at least one.

    Attributes:
        path: the picture's file.
        width, height: in pixels.
        people: in the order of the annotation.
        split: `train`, `validation` or `test`.
        dataset: `emotic` or `heco`.
    """

    path: Path
    width: int
    height: int
    people: tuple[AnnotatedPerson, ...]
    split: str
    dataset: str = "emotic"
