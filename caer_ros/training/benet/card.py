"""The README.md of a run of BENet: what was trained, on what, how well, and how to use it."""

from __future__ import annotations

import json
from typing import Any

from caer_ros.evaluation.benet.judge_benet import BenetVerdict, refined_table
from caer_ros.evaluation.benet.tables import report_text
from caer_ros.networks.benet.benet import BENet


def benet_card(
    network: BENet,
    recipe: dict[str, Any],
    metrics: dict[str, Any],
    trained_on: int,
    verdict: BenetVerdict,
) -> str:
    """Markdown of a finished run; `recipe` and `metrics` as JSON types."""
    parameters = sum(p.numel() for p in network.parameters())
    parts = [
        f"# BENet, {parameters:,} parameters",
        f"Trained on {trained_on} samples from {_origin(recipe['data'])}, {metrics['epochs']} "
        f"epochs; the best by validation {recipe['select']} was epoch {metrics['best_epoch']}. "
        "What follows is of the validation pictures, by that epoch.",
        report_text(recipe["row"] or "this network", verdict.scores).strip(),
    ]
    if verdict.refined:
        parts.append(f"Emotions, true boxes, joined (Table 4):\n\n{refined_table(verdict)}")
    if network.config.fusion == "learned":
        parts.append("The learned fusion was fitted on these very pictures: judge it on others.")
    return "\n\n".join([*parts, _HOW_TO, f"```json\n{json.dumps(recipe, indent=1)}\n```"]) + "\n"


_HOW_TO = """- `best.safetensors`, `last.safetensors`: weights; the `.json` beside each has the
  network's switches and the recipe, that of `best` thresholds and calibration too.
- `caer evaluate best.safetensors --data FOLDER` scores it.
- `log.csv`, `curves.png`, `tensorboard/`: how training went.

Emotion labels are opinions of annotators about what people and scenes show, not about what people
feel."""


def _origin(data: dict[str, Any]) -> str:
    if data["scenes"] is not None:
        return "synthetic scenes (caer_ros.datasets.scenes)"
    more = f" and {data['heco']} (HECO)" if data["heco"] else ""
    return f"the folder {data['folder']} (EMOTIC){more}"
