"""A verdict for people: text, and the confusion matrix as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from caer_ros.evaluation.figures import save_figure
from caer_ros.evaluation.judge import Verdict
from caer_ros.evaluation.scores import Scores


def verdict_text(verdict: Verdict) -> str:
    """What `caer evaluate` prints."""
    scores = verdict.scores
    lines = [
        f"samples                     {scores.samples}",
        f"accuracy                    {scores.accuracy:.4f}",
        f"class-balanced accuracy     {scores.balanced_accuracy:.4f}",
        f"macro F1                    {scores.macro_f1:.4f}",
        f"commonest class's share     {scores.chance:.4f}",
        f"expected calibration error  {scores.calibration_error:.4f}",
        f"cross-entropy (nats)        {scores.loss:.4f}",
        f"mean face weight            {verdict.face_weight:.4f}",
    ]
    if verdict.without_face:
        judged = verdict.without_face - verdict.left_out
        lines.append(
            f"without a face              {verdict.without_face} ({verdict.left_out} left out, "
            f"{judged} judged by their context)"
        )
    return "\n".join([*lines, "", *_class_table(scores), "", *_confusion_table(scores)])


def draw_confusion(scores: Scores, path: Path) -> None:
    """The confusion matrix as a PNG: colours are shares of each true class (rows)."""
    from matplotlib.figure import Figure

    names = [row.name for row in scores.classes]
    counts = scores.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6, 5.2), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"accuracy {scores.accuracy:.3f}, class-balanced {scores.balanced_accuracy:.3f}")
    for (row, column), share in np.ndenumerate(shares):
        ink = "white" if share > 0.6 else "black"
        axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=ink, fontsize=8)
    figure.colorbar(image, shrink=0.8)
    save_figure(figure, path)


def _class_table(scores: Scores) -> list[str]:
    rows = [f"{'class':<10}{'precision':>10}{'recall':>8}{'F1':>8}{'samples':>9}"]
    rows += [
        f"{c.name:<10}{c.precision:>10.4f}{c.recall:>8.4f}{c.f1:>8.4f}{c.support:>9}"
        for c in scores.classes
    ]
    return rows


def _confusion_table(scores: Scores) -> list[str]:
    names = [row.name for row in scores.classes]
    rows = ["rows: true, columns: predicted", " " * 9 + "".join(f"{n:>9}" for n in names)]
    rows += [
        f"{name:<9}" + "".join(f"{count:>9}" for count in row)
        for name, row in zip(names, scores.confusion, strict=True)
    ]
    return rows
