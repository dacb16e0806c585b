"""Loss curves of the demonstration's training as a picture, from the table that the run keeps."""

from __future__ import annotations

import csv
from pathlib import Path

from caer_ros.evaluation.figures import save_figure

STAGES = {"face": "face stream alone", "scene": "context stream alone", "joint": "all of it"}
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
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    before = 0
    for stage, title in STAGES.items():
        chosen = [row for row in rows if row["stage"] == stage]
        if not chosen:
            continue
        steps = [before + int(row["step"]) for row in chosen]
        left.plot(steps, [float(row["loss"]) for row in chosen], marker=".", label=title)
        for number, (name, score) in enumerate(_SCORES.items()):
            # Scenes alone have nothing to say of the teacher's faces.
            if stage != "scene" or name == "renders":
                label = score if stage == "face" else None
                values = [float(row[name]) for row in chosen]
                right.plot(steps, values, marker=".", color=f"C{number}", label=label)
        before = steps[-1]
        right.axvline(before, color="0.7", linewidth=1)
    right.set_ylim(0, 1)
    for axes, title in ((left, "training loss"), (right, "validation")):
        axes.set_xlabel("step")
        axes.set_title(title)
        axes.legend(fontsize="small")
    save_figure(figure, path)


def seconds_in(log: Path) -> float:
    """How long the stages of log.csv took, all together."""
    with log.open(newline="") as stream:
        last = {row["stage"]: float(row["seconds"]) for row in csv.DictReader(stream)}
    return sum(last.values())
