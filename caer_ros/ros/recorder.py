"""Labelled clips for later training: off unless the robot's operator says that everybody agreed.

A clip is `<folder>/train/<Label>/<time>.avi` with its .json beside it: `caer data check <folder>`,
`caer data boxes` and `caer train` take the folder as it is (CAER's layout). Splits are made later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from caer_ros.core import CAER7, InputError
from caer_ros.perception.overlay import to_bgr
from caer_ros.ros.clip_recording import ClipRecording, Picture
from caer_ros.ros.output import Shown

_SPLIT = "train"
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class RecordSettings:
    """Parameters `record_consent`, `record_folder` and `record_limit_mb` (all clips together)."""

    consent: bool = False
    folder: str = ""
    limit_mb: int = 0


class Recorder:
    """Writes one clip at a time. `offer` runs in the worker's thread, the rest in the executor's.

    Args:
        settings: the parameters as they are now.
        log: told when a clip ends by itself, and why.
    """

    def __init__(self, settings: RecordSettings, log: Callable[[str], None]) -> None:
        self._settings = settings
        self._log = log
        self._lock = threading.Lock()
        self._clip: ClipRecording | None = None
        self._camera = ""

    @property
    def active(self) -> bool:
        """Whether a clip is under way, from `start` to `stop`."""
        return self._clip is not None

    @property
    def report(self) -> str:
        """What goes on, in one line."""
        clip = self._clip
        if clip is None:
            return "nothing is recorded"
        return f"{clip.path.parent.name}, {clip.seconds:.1f} s so far, to {clip.path}"

    def apply(self, settings: RecordSettings) -> None:
        """Take over changed parameters. Without consent the clip under way is thrown away."""
        self._settings = settings
        if settings.consent:
            return
        clip = self._take_clip()
        if clip is not None:
            clip.discard()
            self._log("Recording stopped, and the clip is deleted: record_consent was taken back.")

    def start(self, label: str, camera: str = "") -> Path:
        """Begin a clip of one camera.

        Args:
            label: an emotion of CAER, whatever its case.
            camera: its name; empty takes the camera whose image comes first.

        Returns:
            The path that the clip will have.

        Raises:
            InputError: no consent, no folder, no such label, a clip is under way already, or the
                recordings have reached their limit.
            CaerError: the folder can not be written.
        """
        emotion = _emotion(label)
        folder, limit = self._room()
        with self._lock:
            if self._clip is not None:
                raise InputError(f"Recording already: {self.report}.", "Stop that clip first.")
            path = _free_path(folder / _SPLIT / emotion)
            about = {"label": emotion, "camera": camera}
            self._camera = camera
            self._clip = ClipRecording(path, about, limit, self._ended)
        return path

    def stop(self) -> Path:
        """End the clip; its path.

        Raises:
            InputError: no clip is under way.
            CaerError: the clip could not be written, or no image came; nothing is left of it.
        """
        clip = self._take_clip()
        if clip is None:
            raise InputError("Nothing is recorded.", "Start a clip first.")
        return clip.finish()

    def offer(self, shown: Shown, camera: str = "") -> None:
        """Hand over a processed frame. Costs nothing but a copy, and that only ten times a second.

        Frames of other cameras than the clip's are left out.
        """
        clip = self._clip
        if clip is None or not self._is_of(camera):
            return
        # Some drivers leave the stamp empty.
        stamp = shown.header.stamp.sec + shown.header.stamp.nanosec / 1e9 or time.time()
        if clip.wants(stamp):
            image = to_bgr(shown.image, shown.encoding)
            clip.add(Picture(image, stamp, shown.result.people))

    def close(self) -> None:
        """Keep what was recorded so far; for the end of the node."""
        if self.active:
            try:
                self._log(f"Recording stopped: {self.stop()}.")
            except Exception as error:
                self._log(f"Recording stopped: {error}")

    def _is_of(self, camera: str) -> bool:
        if not self._camera:
            self._camera = camera
        return camera == self._camera

    def _take_clip(self) -> ClipRecording | None:
        with self._lock:
            clip, self._clip = self._clip, None
        return clip

    def _ended(self, why: str) -> None:
        self._log(f"Recording stopped by itself: {why}")

    def _room(self) -> tuple[Path, int]:
        """The folder, and the bytes that are left in it."""
        settings = self._settings
        if not settings.consent:
            raise InputError(
                "Nothing is recorded without consent.",
                "Where everybody in view agreed to be recorded, set record_consent to true.",
            )
        if not settings.folder:
            raise InputError("Recording is off.", "Set record_folder to a folder.")
        folder = Path(settings.folder).expanduser()
        left = settings.limit_mb * _MEGABYTE - _bytes_below(folder)
        if left <= 0:
            raise InputError(
                f"{folder} holds {settings.limit_mb} MB of recordings already.",
                "Move some away, or raise record_limit_mb.",
            )
        return folder, left


def _emotion(label: str) -> str:
    by_name = {name.lower(): name for name in CAER7}
    emotion = by_name.get(label.strip().lower())
    if emotion is None:
        raise InputError(f"'{label}' is no label.", f"Use one of {', '.join(CAER7)}.")
    return emotion


def _free_path(folder: Path) -> Path:
    name = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S")
    number = 1
    while (path := folder / f"{name}_{number}.avi").exists():
        number += 1
    return path


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
