"""docs/performance.md: made from one run of all benchmarks, never by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caer_ros.bundles import write_atomically
from caer_ros.deploy.bench_engines import Report
from caer_ros.deploy.bench_text import ceilings, load, plot, row_of, to_markdown, work
from caer_ros.deploy.bench_whole import PipelineRun
from caer_ros.deploy.performance_notes import EXPLAINED

_STAGES = (
    "read",
    "detect",
    "preprocess",
    "infer",
    "decode",
    "track",
    "report",
    "total",
    "bare networks",
)
# BENet's engine on the robot, which knows the camera's frames; see engines.steady.
_BENET_ROW = "openvino int8 fixed"
_PICTURE = "images/performance.png"


@dataclass(frozen=True)
class Goal:
    """One promise: what, the least or most allowed, and what was measured (None: it was not)."""

    what: str
    limit: float
    measured: float | None
    at_most: bool = False
    unit: str = "×"

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        reached = self.measured <= self.limit if self.at_most else self.measured >= self.limit
        return "reached" if reached else "**missed**"

    def cells(self) -> tuple[str, ...]:
        """Goal, limit, measured, verdict."""
        sign = "≤" if self.at_most else "≥"
        found = "–" if self.measured is None else f"{self.measured:.3g} {self.unit}"
        return self.what, f"{sign} {self.limit:g} {self.unit}", found, self.verdict


def write_page(
    path: Path,
    engines: Sequence[Report],
    pipelines: Sequence[PipelineRun],
    messages: Mapping[str, float],
    no_messages: str,
    command: str,
    node: tuple[Mapping[str, Any], str] = ({}, "not asked for"),
) -> None:
    """Write the page, and its picture below images/ beside it.

    Args:
        engines: of BENet and of CAER-Net-S, in this order, with the same settings.
        messages: milliseconds by step; empty where they are not known, `no_messages` says why.
        command: what made the page.
        node: the report of `caer bench node`, or why there is none.
    """
    plot(engines, path.parent / _PICTURE)
    goals = goals_of(engines, pipelines, sum(messages.values()))
    lines = [
        *_head(engines[0], command),
        *_table(("goal", "limit", "measured", ""), [goal.cells() for goal in goals]),
        f"![Milliseconds of a run on each back end]({_PICTURE})",
        "",
    ]
    for report in engines:
        lines += _engine_part(report)
    lines += _pipeline_part(pipelines, messages, no_messages)
    lines += _node_part(*node)
    write_atomically(path, "\n".join([*lines, *EXPLAINED]).encode())


def goals_of(
    engines: Sequence[Report], pipelines: Sequence[PipelineRun], messages_ms: float
) -> list[Goal]:
    """What was promised for this machine's CPU, batch 1, against torch eager."""
    benet, caer = engines
    memory = [float(run.report["peak_memory_mb"]) for run in pipelines if run.report]
    ratios = [run.with_messages(messages_ms) for run in pipelines if run.report]
    whole = "message to message over the bare networks, slowest combination"
    return [
        Goal("BENet INT8, OpenVINO, times faster", 4.5, _faster(benet, _BENET_ROW)),
        Goal("BENet INT8, ONNX Runtime, times faster", 3, _faster(benet, "onnxruntime int8")),
        Goal("CAER-Net-S INT8, OpenVINO, times faster", 3, _faster(caer, "openvino int8")),
        Goal("CAER-Net-S INT8, ONNX Runtime, times faster", 3, _faster(caer, "onnxruntime int8")),
        Goal(whole, 1.15, max(ratios, default=None), at_most=True),
        Goal("peak memory of the robot's side", 400, max(memory, default=None), True, "MB"),
    ]


def _faster(report: Report, name: str) -> float | None:
    row = row_of(report, name)
    return row.times_faster if row and report.rows[0].row == "torch eager" else None


def _head(report: Report, command: str) -> list[str]:
    machine = ("processor", "instructions", "memory", "system", "versions", "threads", "rounds")
    return [
        "# Performance",
        "",
        f"Made by `{command}`; do not edit. Absolute times belong to this machine and its load"
        " at that hour: read the ratios, which were measured in turns in one run.",
        "",
        *(f"- {name}: {report.about[name]}" for name in machine),
        f"- {ceilings(report)}",
        "",
    ]


def _engine_part(report: Report) -> list[str]:
    note = report.about["note"]
    return [
        f"## {report.about['model']}",
        "",
        f"{report.about['inputs']}; {work(report)}. {load(report).capitalize()}."
        + (f" **{note}**" if note else ""),
        "",
        *to_markdown(report),
        "",
        f"Energy: {report.energy}.",
        "",
    ]


def _pipeline_part(
    pipelines: Sequence[PipelineRun], messages: Mapping[str, float], no_messages: str
) -> list[str]:
    ran = [run for run in pipelines if run.report]
    spent = sum(messages.values())
    head = ("median ms", *(f"{run.precision}, {run.backend}" for run in ran))
    rows = [(stage, *(_ms(run.stage_ms(stage)) for run in ran)) for stage in _STAGES]
    rows.append(("ROS messages", *[_ms(spent if messages else None)] * len(ran)))
    rows.append(("pipeline / bare networks", *(f"{r.report['bare_ratio']:.3f}" for r in ran)))
    if messages:
        rows.append(("with ROS messages", *(f"{r.with_messages(spent):.3f}" for r in ran)))
    rows.append(("peak memory, MB", *(f"{r.report['peak_memory_mb']:.0f}" for r in ran)))
    lines = ["## Pipeline", ""]
    if ran:
        first = ran[0].report
        about = first["about"]
        lines += [
            f"{about['model']} with the detector {about['detector']}; frames of"
            f" {first['width']}x{first['height']} with {first['people']} face(s).",
            "",
        ]
    lines += _table(head, rows)
    lines += [
        f"- {r.precision}, {r.backend}: not measured: {r.why_not}" for r in pipelines if r.why_not
    ]
    if messages:
        steps = ", ".join(f"{name} {ms:.3f}" for name, ms in messages.items())
        return [*lines, f"ROS messages, milliseconds: {steps}.", ""]
    return [*lines, f"ROS messages were not measured: {no_messages}.", ""]


def _node_part(report: Mapping[str, Any], why_not: str) -> list[str]:
    """Over DDS, both ways."""
    lines = ["## Node", ""]
    if not report:
        return [*lines, f"Not measured: {why_not}.", ""]
    what = {
        "bare pipeline": "bare",
        "pipeline inside the node": "inside",
        "image sent to answer received": "end_to_end",
    }
    rows = [(name, *map(_ms, report[key])) for name, key in what.items()]
    return [
        *lines,
        ", ".join(f"{key}: {value}" for key, value in report["about"].items()) + ".",
        "",
        *_table(("", "median ms", "p95"), rows),
        f"The node and DDS both ways add {report['overhead']:.1%} to a frame."
        f" Images lost: {report['lost']}.",
        "",
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
