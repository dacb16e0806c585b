"""The reliability diagram of a network before and after temperature scaling, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.evaluation.confidence import ConfidenceBins
from caer_ros.evaluation.figures import save_figure
from caer_ros.evaluation.temperature import Scaling


def draw_reliability(scaling: Scaling, name: str, path: Path) -> None:
    """Accuracy by confidence, before and after, over how many answers were how sure, as PNG.

    Args:
        name: of the network.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.6), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True, height_ratios=[3, 1])
    sides = (
        ("before, T = 1", scaling.bins_before),
        (f"after, T = {scaling.temperature:.3f}", scaling.bins_after),
    )
    for column, (title, bins) in enumerate(sides):
        _draw_side(grid[0, column], grid[1, column], title, bins)
    grid[0, 0].set_ylabel("right")
    grid[1, 0].set_ylabel("share of answers")
    figure.suptitle(
        f"{name}: {scaling.answers} answers for {scaling.people} people; after: by temperatures"
        " fitted on others",
        fontsize=10,
    )
    save_figure(figure, path)


def _draw_side(upper: Any, lower: Any, title: str, bins: ConfidenceBins) -> None:
    edges = np.linspace(0, 1, len(bins.count) + 1)
    width = edges[1]
    there = bins.count > 0
    middle = edges[:-1][there] + width / 2
    upper.bar(middle, bins.accuracy[there], width * 0.9, color="tab:blue", label="right")
    upper.plot(bins.confidence[there], bins.accuracy[there], "k.", markersize=4)
    upper.plot([0, 1], [0, 1], "--", color="tab:red", linewidth=1, label="as sure as right")
    upper.set_title(f"{title}: ECE {bins.error:.4f}", fontsize=10)
    upper.set_ylim(0, 1.03)
    upper.legend(loc="upper left", fontsize=8)
    lower.bar(middle, bins.count[there] / bins.count.sum(), width * 0.9, color="tab:grey")
    lower.set_xlabel("confidence")
    lower.set_xlim(0, 1)
