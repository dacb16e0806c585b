"""The README.md of a run: what was trained, on what, how well, and how to use it."""

from __future__ import annotations

import json
from typing import Any

from caer_ros.networks.interface import EmotionNetwork


def run_card(
    network: EmotionNetwork, recipe: dict[str, Any], metrics: dict[str, Any], trained_on: int
) -> str:
    """Markdown of a finished run; `recipe` and `metrics` as JSON types."""
    scores = metrics["validation"]
    parameters = sum(p.numel() for p in network.parameters())
    rows = "\n".join(
        f"| {c['name']} | {c['precision']:.3f} | {c['recall']:.3f} | {c['f1']:.3f} "
        f"| {c['support']} |"
        for c in scores["classes"]
    )
    return f"""# {network.architecture}, {parameters:,} parameters

Trained on {trained_on} samples from {_origin(recipe["data"])}, {metrics["epochs"]} epochs; the best
by validation {recipe["select"].replace("_", " ")} was epoch {metrics["best_epoch"]}.

Validation, {scores["samples"]} samples: accuracy {scores["accuracy"]:.4f}, class-balanced
{scores["balanced_accuracy"]:.4f} (always naming the commonest class: {scores["chance"]:.4f}),
expected calibration error {scores["calibration_error"]:.4f}.

| class | precision | recall | F1 | samples |
| --- | --- | --- | --- | --- |
{rows}

- `best.safetensors`, `last.safetensors`: weights; the `.json` beside each has the network's
  switches and the recipe.
- `caer evaluate best.safetensors --data FOLDER` scores it, `caer export` makes a bundle of it.
- `log.csv`, `curves.png`, `tensorboard/`: how training went.

Emotion labels are opinions of annotators about what a face and a scene show, not about what people
feel.

```json
{json.dumps(recipe, indent=1)}
```
"""


def _origin(data: dict[str, Any]) -> str:
    if data["scenes"] is not None:
        return "synthetic scenes (caer_ros.datasets.scenes)"
    folders = [data["folder"], *data.get("also", ())]
    return f"the folder {' and '.join(folders)}"
