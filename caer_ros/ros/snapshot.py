"""Snapshots for bug reports: one processed frame with all that is known of it, in one folder.

A folder `<time>[_<camera>]` appears below the parameter `snapshot_folder`, whole or not at all:

    image.png       the frame as it came, lossless
    overlay.png     what was found, drawn over it; faces are not blurred here either
    message.json    the people, warnings and timings, and the image's header
    message.cdr     the message on /emotions, serialised
    attention.npy   float32 [h, w], where the model has such a map and it was asked for
    heat.npy        float32 [h, w], likewise
    state.json      parameters, what runs, versions
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from std_msgs.msg import Header

from caer_ros.core import CaerError, InputError
from caer_ros.ros.output import Shown
from caer_ros.ros.snapshot_files import write_snapshot

_PATIENCE_S = 5.0
_LAST_WAIT_S = 1.0


@dataclass(frozen=True)
class _Request:
    camera: str
    future: Future[Path]
    timer: threading.Timer


class Snapshots:
    """Waits for the frame of each request and has it written in a thread of its own.

    Args:
        folder: parameter `snapshot_folder`; empty: snapshots are off. May be changed at any time.
        state: parameters, description and versions for state.json, JSON-ready; called in the
            writing thread.
        patience: seconds until a request without a frame fails.
    """

    def __init__(
        self, folder: str, state: Callable[[], Mapping[str, Any]], patience: float = _PATIENCE_S
    ) -> None:
        self.folder = folder
        self._state = state
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting: list[_Request] = []
        self._writer: threading.Thread | None = None

    def request(self, camera: str = "") -> Future[Path]:
        """Keep the next frame of `camera` (empty: of any).

        Returns:
            Gives the snapshot's folder, or raises InputError where snapshots are off and CaerError
            where no frame came or the disk does not take it. Its callbacks run in other threads.
        """
        future: Future[Path] = Future()
        if not self.folder:
            future.set_exception(
                InputError("Snapshots are off.", "Set snapshot_folder to a folder.")
            )
            return future
        timer = threading.Timer(self._patience, self._give_up, (future,))
        timer.daemon = True
        with self._lock:
            self._waiting.append(_Request(camera, future, timer))
        timer.start()
        return future

    def wanted(self, camera: str = "") -> bool:
        """Whether the next frame of `camera` is wanted; ask before processing it, for the maps."""
        return any(_fits(request, camera) for request in self._waiting)

    def offer(self, shown: Shown, camera: str = "") -> None:
        """Hand over a processed frame; without a request this costs nothing."""
        if not self._waiting:
            return
        with self._lock:
            served = [request for request in self._waiting if _fits(request, camera)]
            self._waiting = [request for request in self._waiting if request not in served]
        if not served:
            return
        for request in served:
            request.timer.cancel()
        kept = _own(shown)
        futures = [request.future for request in served]
        self._writer = threading.Thread(
            target=self._write, args=(kept, camera, futures), name="caer_snapshot", daemon=True
        )
        self._writer.start()

    def close(self) -> None:
        """The node ends: fail what still waits, let what is being written come to its end."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for request in waiting:
            request.timer.cancel()
            request.future.set_exception(CaerError("The node ended before a frame came."))
        if self._writer is not None:
            self._writer.join(_LAST_WAIT_S)

    def _write(self, shown: Shown, camera: str, futures: list[Future[Path]]) -> None:
        try:
            path = write_snapshot(Path(self.folder).expanduser(), shown, camera, self._state())
        except Exception as error:
            for future in futures:
                future.set_exception(error)
        else:
            for future in futures:
                future.set_result(path)

    def _give_up(self, future: Future[Path]) -> None:
        with self._lock:
            mine = [request for request in self._waiting if request.future is future]
            self._waiting = [request for request in self._waiting if request.future is not future]
        if mine:
            what = f" of camera '{mine[0].camera}'" if mine[0].camera else ""
            future.set_exception(
                CaerError(
                    f"No frame{what} was processed within {self._patience:g} s.",
                    "Is the node active, and does its camera run? See /diagnostics.",
                )
            )


def _fits(request: _Request, camera: str) -> bool:
    return not request.camera or request.camera == camera


def _own(shown: Shown) -> Shown:
    """A copy that stays when the message is gone."""
    header = Header(stamp=shown.header.stamp, frame_id=shown.header.frame_id)
    return replace(shown, header=header, image=shown.image.copy())
