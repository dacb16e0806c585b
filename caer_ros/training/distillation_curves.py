"""Loss curves of the demonstration's training as a picture, from the table that the run keeps."""

from __future__ import annotations

import csv
from pathlib import Path

from caer_ros.evaluation.figures import save_figure

_SCORES = {"agreement": "photographs: same label as the teacher", "renders": "renders: as posed"}


def draw_log(log: Path, path: Path) -> None:
    """Loss and validation scores by optimiser step as a PNG.

    Args:
        log: log.csv of the run: stage, step in the stage, loss (its moving mean), agreement,
            divergence, renders.
        path: of the picture.
    """
    from matplotlib.figure import Figure

    with log.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    face = max((int(row["step"]) for row in rows if row["stage"] == "face"), default=0)
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for stage, before, title in (("face", 0, "face stream alone"), ("joint", face, "all of it")):
        chosen = [row for row in rows if row["stage"] == stage]
        steps = [before + int(row["step"]) for row in chosen]
        left.plot(steps, [float(row["loss"]) for row in chosen], marker=".", label=title)
    steps = [int(row["step"]) + (face if row["stage"] == "joint" else 0) for row in rows]
    for name, title in _SCORES.items():
        right.plot(steps, [float(row[name]) for row in rows], marker=".", label=title)
    right.axvline(face, color="0.7", linewidth=1)
    right.set_ylim(0, 1)
    for axes, title in ((left, "training loss"), (right, "validation")):
        axes.set_xlabel("step")
        axes.set_title(title)
        axes.legend(fontsize="small")
    save_figure(figure, path)
