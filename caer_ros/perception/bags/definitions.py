"""The messages of caer_msgs as rosbags knows types: read from the package's own .msg files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from caer_ros.core import CaerError
from caer_ros.perception.bags.library import load_rosbags, standard_types

PACKAGE = "caer_msgs"
PEOPLE = f"{PACKAGE}/msg/PersonEmotionArray"
_NAMES = ("BoundingBox", "EmotionEstimate", "PersonEmotion", "PersonEmotionArray")


def emotion_types() -> Any:
    """A type store with ROS 2's own messages and caer_msgs.

    Raises:
        InputError: rosbags is not installed.
        CaerError: the .msg files are not installed.
    """
    folder = message_folder()
    store = standard_types()
    read = load_rosbags().typesys.get_types_from_msg
    found: dict[str, Any] = {}
    for name in _NAMES:
        text = (folder / f"{name}.msg").read_text(encoding="utf-8")
        found.update(read(text, f"{PACKAGE}/msg/{name}"))
    store.register(found)
    return store


def message_folder() -> Path:
    """The folder of caer_msgs' .msg files: this version's own before those that are installed.

    Raises:
        CaerError: it is nowhere.
    """
    checkout = Path(__file__).resolve().parents[3]
    shares = [Path(sys.prefix) / "share"]
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix:
            shares.append(Path(prefix) / "share")
    candidates = [checkout / PACKAGE / "msg"]
    candidates += [share / "caer_ros" / PACKAGE / "msg" for share in shares]
    candidates += [share / PACKAGE / "msg" for share in shares]
    for folder in candidates:
        if all((folder / f"{name}.msg").is_file() for name in _NAMES):
            return folder
    raise CaerError(
        "The message definitions of caer_msgs are not installed.",
        "Run: pip install ./caer_msgs, or source the workspace that colcon built.",
    )
