"""Files that come with the package, wherever it was installed."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory


def share_path(name: str) -> Path:
    """Path of `name`, such as `config/emotion.yaml`: in ROS's share, the checkout or the venv.

    Raises:
        FileNotFoundError: it is in none of them; the installation is broken.
    """
    checkout = Path(__file__).resolve().parents[2]
    folders = [checkout, Path(sys.prefix) / "share" / "caer_ros"]
    # OSError: AMENT_PREFIX_PATH is not set, as in a plain virtual environment.
    with suppress(PackageNotFoundError, OSError):
        folders.insert(0, Path(get_package_share_directory("caer_ros")))
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{name} of caer_ros is not installed; install the package again.")
