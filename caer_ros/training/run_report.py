"""What a run leaves for people: a table a program can read, TensorBoard, and a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from caer_ros.bundles import write_atomically
from caer_ros.evaluation.figures import save_figure


class RunReport:
    """Writes RUN/log.csv, and TensorBoard's files below RUN/tensorboard where it is installed.

    A context manager. The table is written anew after every epoch from the run's whole history, so
    that a resumed run has one row an epoch.
    """

    def __init__(self, out: Path, epochs_done: int) -> None:
        self._csv = out / "log.csv"
        self._writer = _tensorboard(out / "tensorboard", epochs_done)

    def add(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Tell of the epoch that has just ended, the last row of `history`."""
        write_atomically(self._csv, table(history).encode())
        if self._writer is None:
            return
        last = history[-1]
        for name, value in last.items():
            if name != "epoch" and isinstance(value, int | float):
                self._writer.add_scalar(name, value, last["epoch"])
        self._writer.flush()

    def __enter__(self) -> RunReport:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()


def table(history: Sequence[Mapping[str, Any]]) -> str:
    """History as CSV with a heading."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return stream.getvalue()


# Validation scores that are drawn: by column of the history, what the picture calls them.
ACCURACIES = {"accuracy": "accuracy", "balanced_accuracy": "class-balanced"}


def draw_curves(
    history: Sequence[Mapping[str, Any]],
    path: Path,
    shown: Mapping[str, str] = ACCURACIES,
    loss: str = "cross-entropy",
) -> None:
    """Loss (what it is called: `loss`) and the scores in `shown` by epoch as a PNG."""
    from matplotlib.figure import Figure

    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [row["train_loss"] for row in history], label="training")
    left.plot(epochs, [row["loss"] for row in history], label="validation")
    for name, title in shown.items():
        right.plot(epochs, [row[name] for row in history], label=title)
    for axes, title in ((left, loss), (right, "validation")):
        axes.set_xlabel("epoch")
        axes.set_title(title)
        axes.legend()
    save_figure(figure, path)


def _tensorboard(folder: Path, epochs_done: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    # Steps from here on may have been written by a run that was killed: hide those.
    return SummaryWriter(str(folder), purge_step=epochs_done + 1)
