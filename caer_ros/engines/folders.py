"""Where engines keep what they compile."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$CAER_HOME/cache`, else `$XDG_CACHE_HOME/caer_ros`, else `~/.cache/caer_ros`."""
    home = os.environ.get("CAER_HOME")
    if home:
        return Path(home) / "cache"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "caer_ros"
