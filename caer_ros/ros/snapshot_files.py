"""Writes the files of a snapshot, whole or not at all."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rclpy.serialization import serialize_message

from caer_ros.core import CaerError
from caer_ros.perception.overlay import draw_overlay, to_bgr
from caer_ros.perception.report import result_to_dict
from caer_ros.ros.messages import people_message
from caer_ros.ros.output import Shown

# What can make a difference to the answers; those that are not installed are left out.
_PACKAGES = ("caer_ros", "numpy", "onnxruntime", "openvino", "tensorrt", "norfair-enough")


def write_snapshot(folder: Path, shown: Shown, camera: str, state: Mapping[str, Any]) -> Path:
    """Write a snapshot into a new folder below `folder`; the new folder.

    Args:
        state: for state.json, JSON-ready; versions are added.

    Raises:
        CaerError: the folder can not be written or the disk is full; nothing is left then.
    """
    scratch: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder, prefix=".snapshot-"))
        for name, data in _files(shown, camera, state):
            with (scratch / name).open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        scratch.chmod(0o755)  # mkdtemp's 0700 would hide it from whoever writes the report
        return _give_name(scratch, folder, camera)
    except OSError as error:
        raise CaerError(
            f"The snapshot can not be written to {folder}: {error.strerror or error}.",
            "Free space, or set snapshot_folder to another folder.",
        ) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def versions() -> dict[str, str]:
    """Versions of Python, ROS and the libraries that answers depend on."""
    found = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "ros": os.environ.get("ROS_DISTRO", ""),
        "opencv": str(cv2.__version__),
    }
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _files(shown: Shown, camera: str, state: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file, one at a time, so that they are not all in memory."""
    result, header = shown.result, shown.header
    yield "image.png", _png(to_bgr(shown.image, shown.encoding))
    yield "overlay.png", _png(draw_overlay(shown.image, shown.encoding, result))
    seconds = header.stamp.sec + header.stamp.nanosec / 1e9
    message = {
        "stamp": {"sec": header.stamp.sec, "nanosec": header.stamp.nanosec},
        "frame_id": header.frame_id,
        "encoding": shown.encoding,
        **result_to_dict(camera, seconds, result),
    }
    yield "message.json", _json(message)
    yield "message.cdr", bytes(serialize_message(people_message(header, result.people)))
    for name, values in (("attention.npy", result.attention), ("heat.npy", result.heat)):
        if values is not None:
            yield name, _npy(values)
    yield "state.json", _json({**state, "versions": versions()})


def _give_name(scratch: Path, folder: Path, camera: str) -> Path:
    """Rename to the time of writing; a second snapshot within one second gets a number."""
    name = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S")
    if camera:
        name += "_" + re.sub(r"[^A-Za-z0-9]+", "_", camera)
    for number in count(1):
        path = folder / (name if number == 1 else f"{name}_{number}")
        try:
            os.rename(scratch, path)  # fails where the folder is there, as no snapshot is empty
            break
        except OSError:
            if not path.exists():
                raise
    return path


def _png(image: np.ndarray) -> bytes:
    # Level 1: a third of the time of the default for a tenth more bytes.
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise CaerError("OpenCV could not encode a PNG picture.")
    return bytes(data.tobytes())


def _npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    return stream.getvalue()


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False, default=str).encode()
