"""The objects that TensorRT calls back: its logger, and the monitor of a build."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from caer_ros.engines.trt.compat import Trt


def watch_progress(
    trt: Trt, config: Any, tell: Callable[[str], None], go_on: Callable[[], bool]
) -> Any:
    """Have the builder tell where it is, and ask whether to go on.

    Args:
        tell: gets a phase and how far it is, many times a second, in the builder's thread.
        go_on: asked after every step; False ends the build.

    Returns:
        The monitor, to be kept until the build is over; None where TensorRT (8.6) has none.
    """
    if not hasattr(trt, "IProgressMonitor"):
        return None

    class Monitor(trt.IProgressMonitor):  # type: ignore[name-defined]
        """Called by TensorRT; an exception here would end the process."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.steps: dict[str, int] = {}

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            self.steps[phase] = steps
            tell(phase)

        def phase_finish(self, phase: str) -> None:
            self.steps.pop(phase, None)

        def step_complete(self, phase: str, step: int) -> bool:
            tell(f"{phase}, {step + 1} of {self.steps.get(phase, 0)}")
            return go_on()

    monitor = Monitor()
    config.progress_monitor = monitor
    return monitor


def make_logger(trt: Trt) -> Any:
    """A TensorRT logger that prints nothing; `errors` are its latest complaints, `lines` all.

    `keep_all` makes it keep every line, for those who read the builder's report.
    """

    class Logger(trt.ILogger):  # type: ignore[name-defined]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []
            self.lines: list[str] = []
            self.keep_all = False

        def log(self, severity: Any, message: str) -> None:
            if self.keep_all:
                self.lines.extend(message.splitlines())
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                self.errors = [*self.errors[-9:], message]

        def last_error(self) -> str:
            """The latest complaint in one line."""
            return " ".join(self.errors[-1].split()) if self.errors else "it gives no reason"

    return Logger()
