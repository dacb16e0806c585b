"""What each layer's rounding costs, all others in FP32: the sensitivity sweep."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from caer_ros.core import InputError
from caer_ros.datasets.journal import Journal, read_journal
from caer_ros.deploy.judging.judge import Judge
from caer_ros.deploy.quantization.graph import Graph
from caer_ros.deploy.quantization.layers import Layer
from caer_ros.deploy.quantization.runner import Arrays, Runner
from caer_ros.deploy.quantization.scales import Scales
from caer_ros.deploy.quantization.switches import switch_feed, with_switches

NAME = "sweep.jsonl"


@dataclass(frozen=True)
class Cost:
    """What rounding one layer, and no other, does.

    Attributes:
        layer: name.
        damage: mean |Δ probability| of the answers, in [0, 1].
        sqnr: signal to rounding noise of what the layer puts out, in dB.
    """

    layer: str
    damage: float
    sqnr: float

    def __str__(self) -> str:
        return f"{self.layer} (alone: mean |Δp| {self.damage:.5f}, {self.sqnr:.1f} dB)"


def sweep(
    graph: Graph,
    layers: Sequence[Layer],
    scales: Scales,
    judge: Judge,
    feeds: Sequence[Callable[[], Arrays]],
    folder: Path,
    work: dict[str, Any],
) -> list[Cost]:
    """Costs of all layers, worst first, with progress on stderr.

    A killed sweep goes on at the batch where it was: FOLDER/sweep.jsonl.

    Args:
        feeds: each makes a batch of inputs, not calibrated on.
        work: what this is of.

    Raises:
        InputError: another process sweeps in the same folder.
        EngineError: the network failed.
    """
    runner = Runner(with_switches(graph, layers, scales), [layer.raw for layer in layers])
    path = folder / NAME
    _forget_other(path, work)
    with Journal(path, work) as journal:
        bar = tqdm(
            total=len(feeds) * len(layers),
            initial=len(journal.rows) * len(layers),
            desc="sensitivity",
            unit="layer",
            file=sys.stderr,
            disable=None,
        )
        with bar:
            for make in feeds[len(journal.rows) :]:
                journal.append(_batch(runner, layers, judge, make(), bar.update))
        rows = journal.rows
    table = {key: np.array([row[key] for row in rows]) for key in ("damage", "signal", "noise")}
    damage = table["damage"].mean(axis=0)
    noise = np.maximum(table["noise"].sum(axis=0), 1e-30)
    sqnr = 10 * np.log10(np.maximum(table["signal"].sum(axis=0), 1e-30) / noise)
    costs = [
        Cost(layer.name, float(d), float(s))
        for layer, d, s in zip(layers, damage, sqnr, strict=True)
    ]
    # Of equal damage the noisier one is worse.
    return sorted(costs, key=lambda cost: (-cost.damage, cost.sqnr))


def _batch(
    runner: Runner,
    layers: Sequence[Layer],
    judge: Judge,
    feed: Arrays,
    done: Callable[[], Any],
) -> dict[str, list[float]]:
    made = runner.run(
        {**feed, **switch_feed(layers, ())}, [*judge.outputs, *(layer.raw for layer in layers)]
    )
    wanted = judge.read(made)
    row: dict[str, list[float]] = {"damage": [], "signal": [], "noise": []}
    for layer in layers:
        got = runner.run({**feed, **switch_feed(layers, [layer.name])}, [*judge.outputs, layer.raw])
        before = made[layer.raw].astype(np.float64)
        row["damage"].append(judge.distance(wanted, judge.read(got)))
        row["signal"].append(float((before**2).sum()))
        row["noise"].append(float(((got[layer.raw] - before) ** 2).sum()))
        done()
    return row


def _forget_other(path: Path, work: dict[str, Any]) -> None:
    """A journal of other work makes room for this one."""
    if not path.is_file():
        return
    try:
        header, _ = read_journal(path)
    except InputError:
        header = {}
    if header != json.loads(json.dumps(work)):
        print(f"caer: {path} is of another calibration: begun anew.", file=sys.stderr)
        path.unlink()
