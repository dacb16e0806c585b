"""The robot's side as it is used: `caer bench` and ROS's messages, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# Precision and back end of the emotion model; the detector is FP32.
COMBINATIONS = (
    ("fp32", "openvino"),
    ("int8", "openvino"),
    ("fp32", "onnxruntime"),
    ("int8", "onnxruntime"),
)


@dataclass(frozen=True)
class PipelineRun:
    """One `caer bench`: its report as a mapping, or why there is none."""

    precision: str
    backend: str
    report: dict[str, Any]
    why_not: str

    def stage_ms(self, stage: str) -> float | None:
        """Median of a stage; None where it did not run."""
        rows = self.report.get("rows", ())
        return next((float(row["p50_ms"]) for row in rows if row["stage"] == stage), None)

    def with_messages(self, messages_ms: float) -> float:
        """The whole way from message to message over the bare networks."""
        bare = self.stage_ms("bare networks") or float("nan")
        return float(self.report["bare_ratio"]) + messages_ms / bare


def run_pipelines(
    options: Sequence[str], say: Callable[[str], None] = lambda line: None
) -> list[PipelineRun]:
    """All COMBINATIONS of the default model, one after the other; `options` of `caer bench`."""
    runs = []
    for precision, backend in COMBINATIONS:
        say(f"the pipeline with {precision} on {backend}")
        call = ["caer_ros.cli.main", "bench", "--json", *options]
        found, why = _json_of([*call, "--precision", precision, "--backend", backend])
        runs.append(PipelineRun(precision, backend, found, why))
    return runs


def run_messages(width: int, height: int) -> tuple[dict[str, float], str]:
    """Milliseconds by step of ROS's messages around a frame, or why they are not known."""
    call = ["caer_ros.ros.message_cost", "--width", str(width), "--height", str(height)]
    return _json_of(call)


def run_node(options: Sequence[str]) -> tuple[dict[str, Any], str]:
    """What `caer bench node` says of the node over DDS, or why it does not; `options` of it."""
    return _json_of(["caer_ros.cli.main", "bench", "node", "--json", *options])


def _json_of(module: Sequence[str]) -> tuple[dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", *module], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout)
        return found, ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return {}, lines[-1].strip() if lines else f"ended with {done.returncode}"
