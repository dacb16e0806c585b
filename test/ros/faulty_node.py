"""The emotion node with networks that fail on demand; run as a process by test_node_faults.

The file that CAER_FAULT names holds `<fault> <bundle>` for the next run of that bundle's network:

    nan         it puts out NaN
    raise       it fails
    hang        it never returns
    full-disk   it works, but from now on no file may grow beyond 20 kB, as on a full disk
    free-disk   it works, and files may grow again
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros import engines
from caer_ros.core import EngineError
from caer_ros.ros import emotion_node

_ORDER = Path(os.environ["CAER_FAULT"])
_FULL = 20_000
_open_engine = engines.open_engine


class Faulty:
    """An engine, but for the fault that was ordered."""

    def __init__(self, engine: Any, bundle: str) -> None:
        self._engine = engine
        self._bundle = bundle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def run(self, *arguments: Any, **named: Any) -> dict[str, np.ndarray]:
        fault = self._take()
        if fault == "raise":
            raise EngineError("ordered to fail")
        if fault == "hang":
            time.sleep(3600)
        if fault.endswith("-disk"):
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            soft = _FULL if fault == "full-disk" else hard
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        outputs = self._engine.run(*arguments, **named)
        if fault == "nan":
            return {name: np.full_like(values, np.nan) for name, values in outputs.items()}
        return outputs

    def _take(self) -> str:
        if not _ORDER.is_file():
            return ""
        fault, _, bundle = _ORDER.read_text().partition(" ")
        if bundle != self._bundle:
            return ""
        _ORDER.unlink()
        return fault


def open_faulty(path: Path, *arguments: Any, **named: Any) -> Faulty:
    return Faulty(_open_engine(path, *arguments, **named), path.parent.name)


if __name__ == "__main__":
    engines.open_engine = open_faulty  # before what uses it is imported
    sys.exit(emotion_node.main())
