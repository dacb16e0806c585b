"""What two files' answers have in common."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """Answers of a smaller file against those of FP32, on samples not calibrated on.

    Attributes:
        compared: people; where the model finds them itself, those that FP32 found.
        top_label: share of them with the same strongest label; of several independent labels, a
            near tie counts as the same. None where both found nobody in common.
        mean_delta, max_delta: of |Δ probability|, over people and labels.
        boxes: share of boxes that both found (F1 at IoU 0.5); None where a model finds none.
        accuracy: of FP32 and of this file, in percent, where labels are known; else None.
        mean_ap: likewise, of emotions of people who were found (`strict`, IoU 0.5), as far as they
            are known.
        person_ap: likewise, of finding people (COCO's).
    """

    compared: int
    top_label: float | None
    mean_delta: float
    max_delta: float
    boxes: float | None = None
    accuracy: tuple[float, float] | None = None
    mean_ap: tuple[float, float] | None = None
    person_ap: tuple[float, float] | None = None

    def with_scores(
        self, mean_ap: tuple[float, float] | None, person_ap: tuple[float, float]
    ) -> Comparison:
        """The same with scores against annotations; `mean_ap` is None where they say of nobody
        that he has an emotion."""
        return replace(self, mean_ap=mean_ap, person_ap=person_ap)

    def all_finite(self) -> bool:
        """Whether every figure is a finite number; answers that are not make one that is not."""
        pairs = [pair for pair in (self.accuracy, self.mean_ap, self.person_ap) if pair is not None]
        alone = (self.top_label, self.mean_delta, self.max_delta, self.boxes)
        return bool(np.isfinite([v for v in (*alone, *sum(pairs, ())) if v is not None]).all())

    def as_dict(self) -> dict[str, Any]:
        """For model.yaml: what was measured, rounded."""
        names = {
            "compared": "people",
            "top_label": "top_label_agreement",
            "mean_delta": "mean_delta_p",
            "max_delta": "max_delta_p",
            "boxes": "box_agreement",
        }
        found: dict[str, Any] = {}
        for name, value in asdict(self).items():
            name = names.get(name, name)
            if isinstance(value, tuple):
                found[name] = {"fp32": round(value[0], 2), "this": round(value[1], 2)}
            elif value is not None:
                found[name] = value if isinstance(value, int) else float(f"{value:.4g}")
        return found


def compare_labels(
    wanted: np.ndarray, got: np.ndarray, labels: np.ndarray | None = None
) -> Comparison:
    """Of distributions float [N, K] over labels of which one holds.

    labels: int [N], -1 where unknown.
    """
    delta = np.abs(wanted - got)
    tops = wanted.argmax(axis=1), got.argmax(axis=1)
    accuracy = None
    if labels is not None and (labels >= 0).any():
        of = labels >= 0
        accuracy = tuple(100 * float((top[of] == labels[of]).mean()) for top in tops)
    return Comparison(
        len(wanted),
        float((tops[0] == tops[1]).mean()),
        float(delta.mean()),
        float(delta.max()),
        accuracy=accuracy,
    )
