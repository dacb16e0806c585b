"""The folder of a run: whether it may be written into, and what a finished run said."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from caer_ros.core import InputError
from caer_ros.training.run_state import NAME as STATE
from caer_ros.training.run_state import check_same

METRICS = "metrics.json"
# What best.safetensors was trained by.
_BEST = "best.json"
_TRACES = (METRICS, "log.csv", "last.safetensors", STATE)


def as_json(value: dict[str, Any]) -> dict[str, Any]:
    """As a file will give it back: lists for tuples, text for paths."""
    return json.loads(json.dumps(value, default=str))


def as_written(recipe: Any) -> dict[str, Any]:
    """A recipe, a dataclass, `as_json`."""
    return as_json(asdict(recipe))


def finished_run(out: Path, resume: bool, recipe: Any) -> dict[str, Any] | None:
    """The metrics of a run in `out` that is over, when asked to resume it; else None.

    Args:
        recipe: of the run, a dataclass.

    Raises:
        InputError: `out` holds a run, and not `resume`; or a run that is over and is of another
            recipe.
    """
    if (out / METRICS).is_file() and resume:
        before = out / _BEST
        try:
            written = json.loads(before.read_text())["extra"]["recipe"]
            metrics = json.loads((out / METRICS).read_text())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{out} holds a run whose files are damaged ({error!r}).", "Name a new --out."
            ) from None
        check_same(before, written, as_written(recipe))
        return metrics
    if not resume and any((out / name).exists() for name in _TRACES):
        raise InputError(
            f"{out} already holds a run.", "Go on with it (--resume), or give another --out."
        )
    return None
