"""The folder of a run: whether it may be written into, and what a finished run said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from caer_ros.core import InputError
from caer_ros.training.run_state import NAME as STATE

METRICS = "metrics.json"
_TRACES = (METRICS, "log.csv", "last.safetensors", STATE)


def finished_run(out: Path, resume: bool) -> dict[str, Any] | None:
    """The metrics of a run in `out` that is over, when asked to resume it; else None.

    Raises:
        InputError: `out` holds a run, and not `resume`.
    """
    if (out / METRICS).is_file() and resume:
        return json.loads((out / METRICS).read_text())
    if not resume and any((out / name).exists() for name in _TRACES):
        raise InputError(
            f"{out} already holds a run.", "Go on with it (--resume), or give another --out."
        )
    return None
