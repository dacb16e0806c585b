"""Writing matplotlib's figures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from caer_ros.bundles import write_atomically


def save_figure(figure: Any, path: Path) -> None:
    """Write a matplotlib figure as PNG, wholly or not at all."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    write_atomically(path, stream.getvalue())
