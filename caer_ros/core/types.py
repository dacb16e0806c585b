"""What a frame turns into: people, each with a box and one emotion estimate a model."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from caer_ros.core.naming import named_labels


@dataclass(frozen=True)
class Box:
    """Axis-aligned box in pixels of the source image; (0, 0) is the top-left corner of the image.

    `x1, y1` is the top-left and `x2, y2` the bottom-right corner, as real numbers; a box may reach
    over the image's edge. `score` is the detector's confidence in [0, 1].

    Raises:
        ValueError: a coordinate is not finite, or the box has no area.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    score: float = 1.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (self.x1, self.y1, self.x2, self.y2, self.score)):
            raise ValueError(f"box with a coordinate that is not finite: {self}")
        if self.x2 <= self.x1 or self.y2 <= self.y1:
            raise ValueError(f"box without area: {self}")

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        return self.width * self.height

    def squared(self, margin: float) -> Box:
        """The square round this box's centre; its side is the longer side times (1 + 2 margin)."""
        half = max(self.width, self.height) * (0.5 + margin)
        cx, cy = (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2
        return Box(cx - half, cy - half, cx + half, cy + half, self.score)

    def clipped(self, width: int, height: int) -> Box | None:
        """The part inside a width x height image, or None where nothing is inside."""
        x1, y1 = max(self.x1, 0.0), max(self.y1, 0.0)
        x2, y2 = min(self.x2, float(width)), min(self.y2, float(height))
        if x2 <= x1 or y2 <= y1:
            return None
        return Box(x1, y1, x2, y2, self.score)

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, in [0, 1]."""
        w = min(self.x2, other.x2) - max(self.x1, other.x1)
        h = min(self.y2, other.y2) - max(self.y1, other.y1)
        if w <= 0 or h <= 0:
            return 0.0
        return w * h / (self.area + other.area - w * h)


@dataclass(frozen=True)
class EmotionEstimate:
    """What one model says of one person.

    `probabilities` is float32 of shape (len(labels),), each in [0, 1]. With `multi_label` False
    they are a distribution (sum 1, CAER-Net); with True they are independent (BENet).
    `lambda_face + lambda_context == 1` are CAER-Net's fusion weights (eq. 5), NaN where a model has
    none; so are valence, arousal and dominance in [-1, 1].

    `lag` is the mean age of the pictures that the probabilities rest on, in seconds before the
    frame's stamp, each weighted as it is in them: 0 where that is the frame alone, half a clip's
    length for a clip; a filter adds to it, at most its time constant.

    `thresholds` is float32 of shape (len(labels),): the probability from which each label is better
    named than not, NaN where a label has none. None where the model has none at all. One array for
    all of a model's estimates: not to be written to.
    """

    model: str
    labels: tuple[str, ...]
    probabilities: np.ndarray
    multi_label: bool = False
    lambda_face: float = math.nan
    lambda_context: float = math.nan
    valence: float = math.nan
    arousal: float = math.nan
    dominance: float = math.nan
    lag: float = 0.0
    thresholds: np.ndarray | None = None

    @property
    def top_index(self) -> int:
        return int(np.argmax(self.probabilities))

    @property
    def top_label(self) -> str:
        return self.labels[self.top_index]

    @property
    def confidence(self) -> float:
        """Probability of the top label, in [0, 1]."""
        return float(self.probabilities[self.top_index])

    def named(self) -> np.ndarray | None:
        """Indices of the labels that reach their threshold, int64, the largest margin first.

        None where the model has no thresholds, and nobody knows which probability is enough.
        """
        if self.thresholds is None:
            return None
        return named_labels(self.probabilities, self.thresholds)

    def order(self) -> np.ndarray:
        """Indices of the labels to show, int64, first things first: those that are `named`; where
        the model has no thresholds, all of them, the likeliest first, equals as in `labels`."""
        named = self.named()
        return np.argsort(-self.probabilities, kind="stable") if named is None else named


@dataclass(frozen=True)
class PersonEmotion:
    """One person in one frame. `track_id` is empty where nobody tracks."""

    face: Box | None = None
    body: Box | None = None
    estimates: tuple[EmotionEstimate, ...] = field(default_factory=tuple)
    track_id: str = ""
