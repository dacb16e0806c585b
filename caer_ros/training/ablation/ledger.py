"""What an ablation's folder says of itself: its plan, and the time it took."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from caer_ros.bundles import write_atomically
from caer_ros.core import InputError


def check_plan(plan: Any, out: Path) -> None:
    """Keep the plan (a dataclass) beside its runs, so that another's are not taken for them.

    Raises:
        InputError: `out` holds runs of another plan.
    """
    path = out / "plan.json"
    # How many runs go at a time changes nothing but the time.
    now = json.dumps({**asdict(plan), "jobs": 0}, indent=1, default=str)
    if path.is_file() and path.read_text() != now:
        raise InputError(
            f"{out} holds an ablation by another plan.", "Give another --out, or delete it."
        )
    write_atomically(path, now.encode())


def seconds_in_all(out: Path, seconds: float) -> float:
    """This call's time and that of earlier ones that came to their end."""
    path = out / "seconds.json"
    before = json.loads(path.read_text()) if path.is_file() else 0.0
    write_atomically(path, json.dumps(before + seconds).encode())
    return before + seconds
