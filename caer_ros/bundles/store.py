"""Where bundles are looked for, and finding one by name or path."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from caer_ros.bundles.bundle import Bundle, read_bundle
from caer_ros.core import BundleError, CaerError


def user_folder() -> Path:
    """Where `caer models install` puts things: `$CAER_HOME`, else `$XDG_DATA_HOME/caer_ros`."""
    home = os.environ.get("CAER_HOME")
    if home:
        return Path(home)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "caer_ros"


def search_path() -> list[Path]:
    """Folders that hold bundles, first match wins: the user's, the checkout's, ROS's, Python's."""
    folders = [user_folder() / "models", Path(__file__).resolve().parents[2] / "models"]
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix:
            folders.append(Path(prefix) / "share" / "caer_ros" / "models")
    folders.append(Path(sys.prefix) / "share" / "caer_ros" / "models")
    return list(dict.fromkeys(folder for folder in folders if folder.is_dir()))


def find_bundle(name_or_path: str) -> Bundle:
    """Read the bundle of this name, or the one in the folder of this path.

    Raises:
        BundleError: none is found (the message lists those that are, and how to install), or it is
            malformed.
    """
    if not name_or_path:
        raise BundleError("No model was named.", "`caer models list` shows what is installed.")
    if os.sep in name_or_path or name_or_path.startswith("."):
        return read_bundle(Path(name_or_path).expanduser())
    for folder in search_path():
        if (folder / name_or_path / "model.yaml").is_file():
            return read_bundle(folder / name_or_path)
    installed = ", ".join(bundle.name for bundle in list_bundles()) or "none"
    raise BundleError(
        f"No model '{name_or_path}' is installed (installed: {installed}).",
        f"Try `caer models install {name_or_path}`, or give the path of a bundle folder.",
    )


def list_bundles() -> list[Bundle]:
    """Every readable bundle on the search path, shadowed ones left out, sorted by name."""
    found: dict[str, Bundle] = {}
    for folder in search_path():
        for manifest in sorted(folder.glob("*/model.yaml")):
            try:
                found.setdefault(manifest.parent.name, read_bundle(manifest.parent))
            except CaerError:
                continue  # a broken bundle is reported when somebody asks for it by name
    return [found[name] for name in sorted(found)]
