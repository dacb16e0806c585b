"""Pictures of BENet's scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from caer_ros.evaluation.benet.average_precision import AveragePrecision
from caer_ros.evaluation.benet.calibration import CalibrationScores
from caer_ros.evaluation.benet.joint import JointAP
from caer_ros.evaluation.figures import save_figure

_MARKERS = {"literal": "o", "strict": "s", "legacy_iou": "^"}


def draw_categories(scores: AveragePrecision, path: Path) -> None:
    """A bar an emotion, best first, with a mark where chance is, as PNG.

    Emotions nobody is annotated with stand at the end, without bar and mark, and say so.
    """
    from matplotlib.figure import Figure

    rows = sorted(scores.categories, key=lambda row: -1 if row.ap is None else row.ap)
    places = np.arange(len(rows))
    counted = np.array([row.ap is not None for row in rows])
    figure = Figure(figsize=(7, 0.8 + 0.27 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.barh(places, [row.ap or 0 for row in rows], color="tab:blue", label="AP")
    axes.plot(
        [row.prevalence for row, counts in zip(rows, counted, strict=True) if counts],
        places[counted],
        "|",
        color="black",
        markersize=9,
        markeredgewidth=2,
        label="chance (prevalence)",
    )
    for place, row in zip(places, rows, strict=True):
        text = "annotated nowhere" if row.ap is None else f"{row.ap:.1f}  ({row.support})"
        edge = max(row.ap or 0, row.prevalence or 0)
        axes.text(edge + 1.5, place, text, va="center", fontsize=7)
    axes.set_yticks(places, [row.name for row in rows], fontsize=8)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlim(0, 114)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("average precision, percent (people annotated)")
    axes.set_title(f"mAP {scores.mean:.2f}, chance {scores.chance:.2f}")
    axes.legend(loc="lower right", fontsize=8)
    save_figure(figure, path)


def draw_joint(forms: Sequence[JointAP], chance: float, path: Path) -> None:
    """mAP with found boxes against the threshold of IoU, a line a form (Table 3), as PNG.

    Args:
        forms: at least one.
        chance: mean prevalence in percent, to which literal and legacy_iou sink without detections.
        path: of the picture.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for form in forms:
        label = f"{form.form.replace('_', ' ')}, average {form.average:.2f}"
        axes.plot(form.thresholds, form.means, label=label, marker=_MARKERS.get(form.form, "."))
    axes.axhline(chance, color="gray", linestyle="--", label=f"chance {chance:.2f}")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("IoU from which a person is found")
    axes.set_ylabel("mAP of emotions, percent")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    save_figure(figure, path)


def draw_reliability(scores: CalibrationScores, path: Path) -> None:
    """Shares against probabilities before and after calibration, all emotions together, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="gray", linestyle="--", label="perfect")
    lines = (
        ("before", scores.before, scores.error_before, "o"),
        ("after", scores.after, scores.error_after, "s"),
    )
    for name, curve, error, marker in lines:
        label = f"{name} calibration, error {error:.3f}"
        axes.plot(curve.predicted, curve.observed, marker=marker, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    axes.set_xlabel("mean probability")
    axes.set_ylabel("share that is annotated")
    axes.set_title("errors: means over emotions", fontsize=9)
    axes.legend(fontsize=8, loc="upper left")
    save_figure(figure, path)
