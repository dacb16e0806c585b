"""An ablation from start to ablation.md: table in the paper's layout, measures, pictures."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from caer_ros.bundles import write_atomically
from caer_ros.networks.caer_net_config import TABLE_3, CaerNetConfig
from caer_ros.training.ablation.figures import draw_attention, draw_weights
from caer_ros.training.ablation.jobs import cores
from caer_ros.training.ablation.ledger import check_plan, seconds_in_all
from caer_ros.training.ablation.measure import (
    AttentionResult,
    FormResult,
    RowResult,
    WeightCurve,
    measure_attention,
    measure_forms,
    measure_rows,
    measure_weights,
)
from caer_ros.training.ablation.plan import FULL, AblationPlan
from caer_ros.training.ablation.runs import planned_runs, train_all


@dataclass(frozen=True)
class AblationResult:
    """Everything that was measured; `ceilings` are Bayes-optimal accuracies."""

    rows: tuple[RowResult, ...]
    forms: tuple[FormResult, ...]
    ceilings: dict[str, float]
    attention: tuple[AttentionResult, ...]
    weights: WeightCurve
    minutes: float

    def mean(self, row: str) -> float:
        """Mean accuracy of a row over its seeds."""
        return float(np.mean(next(r.accuracy for r in self.rows if r.row == row)))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def run_ablation(plan: AblationPlan, out: Path, command: str) -> AblationResult:
    """Train, measure and write ablation.md, ablation.json and the pictures into `out`.

    Called again after a kill it goes on; runs of another plan are refused.

    Raises:
        InputError: `out` holds an ablation by another plan.
    """
    out.mkdir(parents=True, exist_ok=True)
    check_plan(plan, out)
    started = time.monotonic()
    train_all(plan, out)
    hidings = (True, False) if plan.without_hiding else (True,)
    result = AblationResult(
        tuple(measure_rows(plan, out)),
        tuple(measure_forms(plan, out)),
        plan.scenes.controls.ceilings().as_dict(),
        tuple(measure_attention(plan, out, hide) for hide in hidings),
        measure_weights(plan, out),
        round(seconds_in_all(out, time.monotonic() - started) / 60, 1),
    )
    draw_weights(result.weights, out / "ablation-weights.png")
    draw_attention(plan, out, out / "ablation-attention.png")
    write_atomically(out / "ablation.json", json.dumps(result.as_dict(), indent=1).encode())
    write_atomically(out / "ablation.md", report(plan, result, command).encode())
    return result


def table(result: AblationResult) -> str:
    """Table 3 in the paper's layout, as Markdown, with the best that anybody could do."""
    lines = [
        "| Methods | w/F | w/C | w/cA | w/fA | Acc. (%) | balanced (%) | λ_face | ceiling (%) |",
        "| --- | :-: | :-: | :-: | :-: | --- | --- | --- | --- |",
    ]
    for row in result.rows:
        config = CaerNetConfig(**TABLE_3[row.row])
        both = config.reads_face and config.reads_context
        ticks = (
            config.reads_face,
            config.reads_context,
            config.reads_context and config.context_attention,
            both and config.fusion == "adaptive",
        )
        ceiling = result.ceilings[_sees(config)]
        weight = f"{np.mean(row.face_weight):.2f}" if ticks[3] else "–"
        cells = ["✓" if tick else "" for tick in ticks]
        accuracies = [_spread(row.accuracy), _spread(row.balanced_accuracy)]
        lines.append(
            "| " + " | ".join(["CAER-Net-S", *cells, *accuracies, weight, _percent(ceiling)]) + " |"
        )
    return "\n".join(lines)


def report(plan: AblationPlan, result: AblationResult, command: str) -> str:
    """ablation.md."""
    data, scenes = plan.recipe.data, plan.scenes
    controls = scenes.controls
    return f"""# Ablation on synthetic scenes

`{command}`: {len(planned_runs(plan))} runs, {result.minutes} minutes
({platform.machine()}, {cores()} cores, {plan.jobs} runs at a time, torch {torch.__version__},
{plan.recipe.precision}).

Each scene has a person whose face shows the label mixed with one of its two neighbours (ambiguity
{_range(controls.ambiguity)}: at 1 the face can not tell the two apart) and, planted in the room, an
object that goes with the label with probability {controls.reliability:g}; of the other scenes
{controls.absent:.0%} have no object and the rest have one that misleads. {scenes.train} scenes to
train, {scenes.validation} to choose the epoch, {scenes.test} to test; no person, room or noise is
in two of them. Faces have {data.face_size} and contexts {data.context_size} pixels a side, less
than the paper's, to save time. All rows and seeds see the same scenes; the spread over
{len(plan.seeds)} seed(s) is that of initial weights, order and dropout.

## Table 3

{table(result)}

Mean ± standard deviation over seeds. The ceiling is the accuracy of the best possible observer of
what a row sees (Bayes, computed exactly; see
`caer_ros/datasets/scenes/ceilings.py`).{_judged(plan)}

Full above face only by {_points(result.mean(FULL), _best(result, "face"))}, above context only by
{_points(result.mean(FULL), _best(result, "context"))} points.{_fusion_costs(plan, result)}

{_forms(result.forms)}## Attention, with and without hiding the face

{_attention_table(result.attention)}

Shares of the context attention's mass over test scenes with an object; "even" is what attention
spread evenly would give. Each network sees contexts as in its training.

![attention](ablation-attention.png)

Each pair of rows: context with the true label, and its attention with the predicted one; first
trained with faces hidden{_second_pair(plan)}. White frames are the planted objects' boxes; red is
each map's own maximum.

## λ_face against the face's ambiguity

{_weight_table(result.weights)}

![face weight](ablation-weights.png)

Full networks, one a seed, trained like those of the table but at ambiguities of
{_range(plan.weighed)}, asked about {plan.level_scenes} unseen scenes a level. A very ambiguous face
may by chance show one emotion clearly, the wrong one even, and nobody can see that; so the second
table goes by what can be seen, how even the mixture in each face is.
Bands reach from the lowest seed to the highest.
"""


def _sees(config: CaerNetConfig) -> str:
    return config.streams


def _best(result: AblationResult, streams: str) -> float:
    """Mean accuracy of the best row that has only that stream; NaN where there is none."""
    found = [
        result.mean(row.row)
        for row in result.rows
        if _sees(CaerNetConfig(**TABLE_3[row.row])) == streams
    ]
    return max(found, default=float("nan"))


def _judged(plan: AblationPlan) -> str:
    if not plan.recipe.judges:
        return ""
    return " Rows with\nboth streams were trained with judges (`caer_ros/training/judges.py`)."


def _fusion_costs(plan: AblationPlan, result: AblationResult) -> str:
    """What adaptive fusion adds to the two vectors side by side, where both rows are there."""
    if "F+C+cA" not in plan.rows:
        return ""
    points = _points(result.mean(FULL), result.mean("F+C+cA"))
    return f" Adaptive fusion\nchanges it by {points} points against the two vectors side by side."


def _forms(results: Sequence[FormResult]) -> str:
    if not results:
        return ""
    lines = [
        "## Forms of the full network",
        "",
        "| form | Acc. (%) | λ_face | of clear faces | of mixed faces | attention in the box |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for r in results:
        weights = (f"{np.mean(w):.3f}" for w in (r.face_weight, r.clear, r.mixed))
        cells = [r.form, _spread(r.accuracy), *weights, _spread(r.on_object)]
        lines.append("| " + " | ".join(cells) + " |")
    told = "The changes are those of `forms` in the recipe; all else is as in Table 3's last row."
    return "\n".join([*lines, "", told, "", ""])


def _attention_table(results: Sequence[AttentionResult]) -> str:
    lines = [
        "| trained with the face | in the object's box | even | in the face's box | even |",
        "| --- | --- | --- | --- | --- |",
    ]
    for r in results:
        name = "hidden" if r.hide_faces else "visible"
        cells = [name, _spread(r.on_object), _percent(r.even_object)]
        lines.append("| " + " | ".join([*cells, _spread(r.on_face), _percent(r.even_face)]) + " |")
    return "\n".join(lines)


def _weight_table(curve: WeightCurve) -> str:
    bins = [f"{low:g}–{high:g}" for low, high in pairwise(curve.mixture_edges)]
    parts = [
        ("ambiguity of the scenes", [f"{x:g}" for x in curve.levels], curve.by_level),
        ("mixture in the face", bins, curve.by_mixture),
    ]
    return "\n\n".join(_weights(*part) for part in parts if part[1])


def _weights(name: str, heads: list[str], values: Sequence[Any]) -> str:
    cells = [f"{np.mean(v):.3f}" if np.size(v) else "–" for v in values]
    return "\n".join(
        [
            f"| {name} | " + " | ".join(heads) + " |",
            "| --- |" + " --- |" * len(heads),
            "| mean λ_face | " + " | ".join(cells) + " |",
        ]
    )


def _second_pair(plan: AblationPlan) -> str:
    return ", then with faces visible" if plan.without_hiding else ""


def _spread(values: Sequence[float]) -> str:
    mean = _percent(float(np.mean(values)))
    return f"{mean} ± {100 * np.std(values, ddof=1):.2f}" if len(values) > 1 else mean


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _points(value: float, other: float) -> str:
    return f"{100 * (value - other):.1f}"


def _range(value: float | tuple[float, float]) -> str:
    return f"{value[0]:g} to {value[1]:g}" if isinstance(value, tuple) else f"{value:g}"
