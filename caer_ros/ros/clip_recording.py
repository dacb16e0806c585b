"""One clip on its way to the disk: a thread of its own encodes and writes, the others never wait.

The clip is a file that readers of CAER's layout take; beside it are its facts, see clip_facts.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import CaerError, PersonEmotion
from caer_ros.ros.clip_facts import ClipFacts
from caer_ros.ros.clip_ticks import RATE, ClipTicks
from caer_ros.ros.motion_jpeg import MOST_BYTES, MotionJpegFile
from caer_ros.ros.worker import one_line

_QUALITY = 95
_WAITING = 8  # pictures, at most, between the camera and the disk
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Picture:
    """image: uint8 BGR [height, width, 3], the recording's own. stamp: seconds."""

    image: np.ndarray
    stamp: float
    people: tuple[PersonEmotion, ...]


class ClipRecording:
    """One clip under way.

    Args:
        path: of the clip, ends in `.avi`.
        about: what the .json says besides.
        limit: bytes, at most.
        on_end: told in the writer's thread why the clip ended by itself: it is full (then it is
            whole and kept) or can not be written (then nothing is left).

    Raises:
        CaerError: the folder can not be written.
    """

    def __init__(
        self, path: Path, about: dict[str, Any], limit: int, on_end: Callable[[str], None]
    ) -> None:
        self.path = path
        self._facts = ClipFacts(about, RATE)
        self._limit = min(limit, MOST_BYTES)
        self._on_end = on_end
        self._ticks = ClipTicks()
        self._dropped = 0
        self._keep = True
        self._last = b""
        self._why = ""
        self._failure: CaerError | None = None
        try:
            self._file = MotionJpegFile(path, RATE)
        except OSError as error:
            raise _unwritable(path.parent, error) from error
        self._queue: queue.Queue[tuple[Picture, int, bool] | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="caer_recorder", daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Length of what was handed over."""
        return self._ticks.ticks / RATE

    def wants(self, stamp: float) -> bool:
        """Whether a picture of this time (s) is due; others are not copied for nothing."""
        return self._thread.is_alive() and self._ticks.due(stamp) > 0

    def add(self, picture: Picture) -> None:
        """Hand over a picture that `wants` wanted. Never waits: it is dropped where it can not."""
        due, cut = self._ticks.due(picture.stamp), self._ticks.is_cut(picture.stamp)
        if self._put((picture, due, cut)):
            self._ticks.take(picture.stamp)
        else:
            self._dropped += 1

    def finish(self) -> Path:
        """End the clip; its path.

        Raises:
            CaerError: it could not be written, or holds no picture; nothing is left then.
        """
        self._end()
        if self._failure is not None:
            raise self._failure
        return self.path

    def discard(self) -> None:
        """End the clip and leave nothing of it."""
        self._keep = False
        self._end()
        for path in (self.path, self.path.with_suffix(".json")):
            path.unlink(missing_ok=True)

    def _put(self, item: tuple[Picture, int, bool] | None) -> bool:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            return False
        return True

    def _end(self) -> None:
        give_up = time.monotonic() + _PATIENCE_S
        asked = False
        while self._thread.is_alive() and time.monotonic() < give_up:
            if not asked:
                asked = self._put(None)
            self._thread.join(0.05)
        if self._thread.is_alive():
            self._failure = CaerError(
                f"The disk of {self.path.parent} does not take the clip.", "Check it."
            )

    def _run(self) -> None:
        try:
            while not self._why and (item := self._queue.get()) is not None:
                if self._keep:
                    self._write(*item)
            self._close()
        except OSError as error:
            self._fail(_unwritable(self.path.parent, error))
        except CaerError as error:
            self._fail(error)
        except Exception as error:
            self._fail(CaerError(one_line(error), "This is a bug of caer_ros; please report it."))
        finally:
            self._file.discard()
        if self._why:
            self._on_end(self._why)

    def _fail(self, error: CaerError) -> None:
        self._failure, self._why = error, str(error)

    def _write(self, picture: Picture, due: int, cut: bool) -> None:
        height, width = picture.image.shape[:2]
        if self._facts.size not in ((0, 0), (width, height)):
            self._why = "The images' size changed."
            return
        done, data = cv2.imencode(".jpg", picture.image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not done:
            raise CaerError("OpenCV could not encode a JPEG picture.")
        jpeg = data.tobytes()
        repeats = due - 1 if self._facts.frames else 0  # no newer picture came: the last one stays
        if self._file.bytes + len(jpeg) + repeats * len(self._last) > self._limit:
            self._why = "The recordings reached record_limit_mb."
            return
        if cut:
            self._facts.cut()
        for _ in range(repeats):
            self._file.append(self._last)
        self._file.append(jpeg)
        self._facts.size = (width, height)
        self._facts.repeat(repeats)
        self._facts.add(picture.stamp, picture.people)
        self._last = jpeg

    def _close(self) -> None:
        if not self._keep:
            return
        if not self._facts.frames:
            raise CaerError(
                self._why or "No image arrived, so nothing was recorded.", "Check the camera."
            )
        facts = self.path.with_suffix(".json")
        # The clip comes last: where it is, its facts are.
        try:
            write_atomically(facts, self._facts.to_json(self._dropped))
            self._file.finish(*self._facts.size)
        except OSError:
            facts.unlink(missing_ok=True)
            raise


def _unwritable(folder: Path, error: OSError) -> CaerError:
    return CaerError(
        f"{folder} can not be written: {error.strerror or error}.",
        "Free space, or name another folder.",
    )
