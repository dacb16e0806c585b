"""Which back end runs a network here, and why."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from caer_ros.core import EngineBuildError, InputError
from caer_ros.engines.base import Engine

BACKENDS = ("auto", "openvino", "onnxruntime")


def choose_backend(requested: str) -> tuple[str, str]:
    """Resolve `auto` to a back end that is installed here.

    Returns:
        The back end's name and one clause that says why it was chosen.

    Raises:
        InputError: the name is unknown, or the back end asked for is not installed.
    """
    if requested not in BACKENDS:
        raise InputError(f"Unknown backend '{requested}'.", f"Use one of {', '.join(BACKENDS)}.")
    if requested == "onnxruntime":
        return "onnxruntime", "asked for"
    if importlib.util.find_spec("openvino") is not None:
        return "openvino", "asked for" if requested == "openvino" else "installed, fastest on CPU"
    if requested == "openvino":
        raise InputError(
            "backend:=openvino, but OpenVINO is not installed.",
            "Run: pip install 'openvino>=2024.0', or set backend:=onnxruntime.",
        )
    return "onnxruntime", "OpenVINO is not installed"


def open_engine(path: Path, backend: str, threads: int = 0) -> Engine:
    """Load an ONNX file into the named back end (as choose_backend returned it).

    Raises:
        EngineBuildError: the file is missing, damaged, or not for this back end.
    """
    if not path.is_file():
        raise EngineBuildError(f"{path} does not exist.", "Reinstall the model bundle.")
    # Imported here: each back end costs 40 to 60 MB and 0.1 s, and only one is wanted.
    if backend == "openvino":
        from caer_ros.engines.open_vino import OpenVinoEngine

        return OpenVinoEngine(path, threads, _writable(cache_folder() / "openvino"))
    from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(path, threads)


def cache_folder() -> Path:
    """Where compiled networks are kept: `$XDG_CACHE_HOME/caer_ros`, else `~/.cache/caer_ros`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "caer_ros"


def _writable(folder: Path) -> Path | None:
    # A read-only home is normal on robots; the cache is a gain, never a condition.
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
