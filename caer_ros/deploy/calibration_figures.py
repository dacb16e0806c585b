"""Pictures of a calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from caer_ros.deploy.calibrated import Calibrated
from caer_ros.deploy.quantization.ranges import BINS
from caer_ros.deploy.quantization.scales import LARGEST
from caer_ros.deploy.quantization.sweep import Cost
from caer_ros.evaluation.figures import save_figure

_BARS = 40
_HISTOGRAMS = 6


def draw_costs(costs: Sequence[Cost], kept: Mapping[str, str], path: Path) -> None:
    """A bar a layer, worst first: what rounding it alone changes, and its signal to noise."""
    from matplotlib.figure import Figure

    shown = costs[:_BARS]
    places = np.arange(len(shown))
    colours = ["tab:orange" if cost.layer in kept else "tab:blue" for cost in shown]
    figure = Figure(figsize=(10, 1.4 + 0.2 * max(len(shown), 1)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    left.barh(places, [cost.damage for cost in shown], color=colours)
    left.set_xlabel("mean |Δp| of the answers")
    right.barh(places, [cost.sqnr for cost in shown], color=colours)
    right.set_xlabel("signal to rounding noise, dB")
    left.set_yticks(places, [_short(cost.layer) for cost in shown], fontsize=7)
    left.invert_yaxis()
    figure.suptitle("each layer rounded alone (orange: left in higher precision)", fontsize=10)
    save_figure(figure, path)


def draw_histograms(result: Calibrated, path: Path) -> None:
    """What the worst layers read: how often each |value| was seen, and where INT8 ends."""
    from matplotlib.figure import Figure

    inputs = {layer.name: layer.input for layer in result.plan.layers}
    shown = result.costs[:_HISTOGRAMS]
    figure = Figure(figsize=(10, 6), layout="constrained")
    grid = figure.subplots(2, _HISTOGRAMS // 2).ravel()
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    for axes, cost in zip(grid, shown, strict=False):
        tensor = inputs[cost.layer]
        index = result.ranges.tensors.index(tensor)
        top = result.ranges.largest[index]
        # 16 bins in one: the picture has fewer pixels.
        counts = result.ranges.counts[index].reshape(-1, 16).sum(axis=1)
        edges = np.linspace(0, top, BINS // 16 + 1)
        axes.stairs(counts, edges, fill=True, color="tab:blue")
        axes.axvline(result.table.activation[tensor] * LARGEST, color="tab:red")
        axes.set_yscale("symlog")
        axes.set_title(_short(cost.layer), fontsize=7)
        axes.tick_params(labelsize=7)
    figure.suptitle("|values| that the worst layers read (red: the largest that INT8 keeps)")
    save_figure(figure, path)


def _short(name: str, length: int = 48) -> str:
    return name if len(name) <= length else "…" + name[1 - length :]
