"""Child processes that never outlive their parent's block."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

_POLITE_S = 3.0  # a node ends within two


class Processes:
    """Starts ROS nodes of this package as processes; leaving the `with` block ends them all."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, module: str, ros_args: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Run `module` in a process of its own, with this one's environment and output."""
        command = [sys.executable, "-m", module, "--ros-args", *ros_args]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._running.append(process)
        return process

    def end(self) -> None:
        """Ask every process to end, the latest first (cameras before nodes); then make it."""
        for process in reversed(self._running):
            process.terminate()
        for process in self._running:
            try:
                process.wait(_POLITE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()
