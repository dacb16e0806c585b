"""What a bundle says of labelled pictures, in the robot's own code and with any of its files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from tqdm import tqdm

from caer_ros.bundles import Bundle
from caer_ros.core import CAER7, Box, CaerError, EmotionEstimate, InputError
from caer_ros.perception.caer_static import CaerStatic

OnBad = Callable[[CaerError], None]
Read = TypeVar("Read")


class Pictures(Protocol):
    """Labelled whole pictures."""

    @property
    def labels(self) -> np.ndarray:
        """int64 [N]."""
        ...

    def __len__(self) -> int: ...

    def picture(self, index: int) -> tuple[np.ndarray, Box | None, list[Box]]:
        """uint8 BGR [H, W, 3], the subject's face or None, all faces."""
        ...


class Answer(NamedTuple):
    """One answer: the sample's place, logits float [K] before and the estimate after decoding, and
    the shorter side of the face in pixels of the frame (of a clip, the mean over its frames)."""

    sample: int
    logits: np.ndarray
    estimate: EmotionEstimate
    face: float


@dataclass(frozen=True, eq=False)
class Answers:
    """N answers, in the order of samples; of a video there are several.

    Attributes:
        sample: int64 [N], place in what was asked.
        logits: float64 [N, K], as the network put them out.
        probabilities: float64 [N, K], as the robot gives them.
        face_weight: float64 [N], λ_face.
        face: float64 [N], see Answer.
        silent: samples without an answer, for nobody's face was found in them (long enough).
    """

    sample: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    face_weight: np.ndarray
    face: np.ndarray
    silent: int

    @classmethod
    def of(cls, rows: Sequence[Answer], silent: int) -> Answers:
        """Stack answers.

        Raises:
            InputError: there is none.
        """
        if not rows:
            raise InputError(
                "No sample has a face, and the target reads nothing else.",
                "Give face boxes (`caer data boxes`), or another split.",
            )
        return cls(
            np.array([row.sample for row in rows], np.int64),
            np.stack([row.logits for row in rows]).astype(np.float64),
            np.stack([row.estimate.probabilities for row in rows]).astype(np.float64),
            np.array([row.estimate.lambda_face for row in rows], np.float64),
            np.array([row.face for row in rows], np.float64),
            silent,
        )

    def by_sample(self) -> Answers:
        """One answer a sample: the mean of all, of probabilities and logits alike."""
        sample, starts, counts = np.unique(self.sample, return_index=True, return_counts=True)

        def mean(values: np.ndarray) -> np.ndarray:
            summed = np.add.reduceat(values, starts)
            return summed / counts.reshape(-1, *[1] * (values.ndim - 1))

        rows = (self.logits, self.probabilities, self.face_weight, self.face)
        return Answers(sample, *map(mean, rows), self.silent)


def ask_pictures(
    bundle: Bundle,
    pictures: Pictures,
    precision: str,
    backend: str,
    on_bad: OnBad | None = None,
    cpu_hint: str = "auto",
) -> Answers:
    """Ask a CAER-Net-S bundle picture by picture.

    Args:
        bundle, precision, backend, cpu_hint: see CaerStatic.
        pictures: what it is asked about.
        on_bad: told of each unreadable picture, which is then left out; without it, that raises.

    Raises:
        InputError: the bundle's labels are not CAER's seven, a picture can not be read, or nobody
            has a face.
        BundleError: it is of another task, or has no such precision.
    """
    check_labels(bundle)
    model = CaerStatic(bundle, precision, backend, max_people=1, cpu_hint=cpu_hint)
    rows, silent = [], 0
    try:
        for index, read in each(len(pictures), "picture", pictures.picture, on_bad):
            image, subject, faces = read
            if subject is None:
                silent += 1
                continue
            model.prepare(image, "bgr8", [subject], faces)
            outputs = model.infer(1, want_attention=False)
            logits = outputs["logits"][0].copy()
            (estimate,) = model.decode(outputs).estimates
            rows.append(Answer(index, logits, estimate, min(subject.width, subject.height)))
    finally:
        model.close()
    return Answers.of(rows, silent)


def check_labels(bundle: Bundle) -> None:
    """Raise InputError unless the bundle's labels are CAER's seven."""
    if bundle.labels != CAER7:
        raise InputError(
            f"Bundle '{bundle.name}' has the labels {', '.join(bundle.labels)}.",
            "Only bundles with CAER's seven labels can be scored on CAER's layouts.",
        )


def each(
    count: int, unit: str, read: Callable[[int], Read], on_bad: OnBad | None
) -> Iterator[tuple[int, Read]]:
    """The places of `count` samples and what is read there, with a bar where somebody looks.

    Those that can not be read are left out and told to `on_bad`; without it, that raises.
    """
    for index in tqdm(range(count), unit=unit, file=sys.stderr, disable=None):
        try:
            found = read(index)
        except CaerError as error:
            if on_bad is None:
                raise
            on_bad(error)
            continue
        yield index, found
