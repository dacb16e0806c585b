"""Builds engines beside a running node: in a process of its own, so that the node loses no time and
survives whatever happens to the builder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

_STOP_WITHIN_S = 5.0


class State(Enum):
    """How far a background build is."""

    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Status:
    """A snapshot: `line` is what the builder said last, after a failure its reason."""

    state: State
    line: str


def build_commands(builds: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Commands that build engines.

    Args:
        builds: bundle folder and precision of each.
    """
    start = [sys.executable, "-m", "caer_ros.cli.main", "build"]
    return [[*start, folder, "--precision", precision] for folder, precision in builds]


class BackgroundBuild:
    """Runs commands one after the other and tells when all are done.

    Args:
        commands: see build_commands; each says its progress on stderr, line by line.
        done: called once, in a thread of its own, with the last status; not after `cancel`.

    The processes get a lower priority, and end when this one does: the kernel sees to it on Linux.
    """

    def __init__(
        self,
        commands: Sequence[Sequence[str]],
        done: Callable[[Status], None] = lambda status: None,
    ) -> None:
        self._commands = commands
        self._done = done
        self._lock = threading.Lock()
        self._status = Status(State.BUILDING, "starting")
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._work, name="engine_build", daemon=True)
        self._thread.start()

    def status(self) -> Status:
        """How far it is; from any thread."""
        with self._lock:
            return self._status

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over; False when that takes longer than `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """End it; what was built stays. Does nothing once it is over."""
        with self._lock:
            if self._status.state is not State.BUILDING:
                return
            self._status = Status(State.CANCELLED, "cancelled")
            process = self._process
        if process is not None:
            _end(process)
        self._thread.join(_STOP_WITHIN_S)

    def _work(self) -> None:
        last = Status(State.READY, "ready")
        for command in self._commands:
            code = self._run(command)
            if code != 0:
                last = Status(State.FAILED, self.status().line or f"exit code {code}")
                break
        with self._lock:
            if self._status.state is not State.BUILDING:
                return
            self._status = last
        self._done(last)

    def _run(self, command: Sequence[str]) -> int:
        with self._lock:
            if self._status.state is not State.BUILDING:
                return 1
            try:
                self._process = _start(command)
            except OSError as error:
                self._status = Status(State.BUILDING, f"{command[0]}: {error.strerror}")
                return 1
            process = self._process
        assert process.stderr is not None
        for line in process.stderr:
            with self._lock:
                if line.strip() and self._status.state is State.BUILDING:
                    self._status = Status(State.BUILDING, line.strip())
        return process.wait()


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    # `nice` and the parent's death are arranged by the child's own first lines of Python: code
    # between fork and exec is not safe in a process with threads, such as a ROS node.
    watched = [sys.executable, "-c", _WATCHED, str(os.getpid()), *command]
    return subprocess.Popen(
        watched,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


# Lower priority; SIGTERM when the parent ends (PR_SET_PDEATHSIG is 1); then become the command.
_WATCHED = """
import ctypes, os, sys
os.nice(10)
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
