"""The models that a node runs: opened, exchanged while running, given up where they hang."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from rclpy.impl.rcutils_logger import RcutilsLogger

from caer_ros.core import CaerError, InputError
from caer_ros.engines.trt.background import BackgroundBuild, State, Status, build_commands
from caer_ros.perception import Pipeline, PipelineConfig
from caer_ros.perception.assemble import missing_engines
from caer_ros.perception.pipeline_config import CHANGEABLE
from caer_ros.ros.worker import Worker, one_line

Commands = Callable[[PipelineConfig], Sequence[Sequence[str]]]


class Done(Protocol):
    """Told once how a change ended: the error, or None."""

    def __call__(self, error: BaseException | None) -> None: ...


def commands_to_build(config: PipelineConfig) -> list[list[str]]:
    """What builds the TensorRT engines that `config` lacks here; empty where none can be built."""
    return build_commands([(str(folder), word) for folder, word in missing_engines(config)])


class Models:
    """Which models run, which are coming, and what went wrong with them.

    Its methods are for the executor's thread.

    Args:
        config: what to open first.
        worker: makes the worker, given what opens the first pipeline.
        later: runs a function soon in the executor's thread; from any thread.
        commands: builds missing engines; see commands_to_build.

    Attributes:
        config: of what runs.
        about, notice: of what runs; empty before anything does.
        changing: what is coming, in words; empty: nothing.
        building: what an engine build in the background says; empty: none runs.
        change_error: why the last change failed; empty where it did not.
        hung: times that an inference was given up.
    """

    def __init__(
        self,
        config: PipelineConfig,
        worker: Callable[[Callable[[], Pipeline]], Worker[Pipeline, Any, Any]],
        later: Callable[[Callable[[], None]], None],
        logger: RcutilsLogger,
        commands: Commands = commands_to_build,
    ) -> None:
        self.config = config
        self.about: dict[str, str] = {}
        self.notice = ""
        self.changing = ""
        self.change_error = ""
        self.hung = 0
        self._later = later
        self._logger = logger
        self._commands = commands
        self._build: BackgroundBuild | None = None
        self._opened: Pipeline | None = None
        self._idle = False  # an inference was given up, and nothing runs since
        self.worker = worker(partial(self._open, config))

    def start(self, given_up: Callable[[], bool]) -> bool:
        """Open the first pipeline; see Worker.start."""
        if not self.worker.start(given_up):
            return False
        self._introduce()
        return True

    def stop(self) -> bool:
        """End everything; False where an engine hangs."""
        if self._build is not None:
            self._build.cancel()
        return self.worker.stop()

    @property
    def building(self) -> str:
        status = self._build.status() if self._build is not None else None
        return status.line if status is not None and status.state is State.BUILDING else ""

    def change(self, wanted: dict[str, Any], done: Done = lambda error: None) -> None:
        """Open other models beside those that run, then change over; no frame is lost.

        Args:
            wanted: fields of PipelineConfig.
            done: called later in the executor's thread.
        """
        try:
            config = replace(self.config, **wanted)
        except InputError as error:
            done(error)
            return
        if self.changing:
            done(InputError("Another model is being loaded.", "Try again when it is there."))
            return
        self.changing = ", ".join(f"{name} {value}" for name, value in wanted.items())
        self._logger.info(f"Loading {self.changing} beside what runs.")
        future = self.worker.replace(partial(self._open, config))
        self._then(future, lambda error: self._changed(config, error, done))

    def update(self, **changes: Any) -> None:
        """Change what Pipeline.update can change."""
        self.config = replace(self.config, **changes)
        self.worker.post(lambda pipeline: pipeline.update(**changes))

    def build_missing(self) -> None:
        """Build TensorRT engines that are missing here, in the background, then change to them."""
        commands = self._commands(self.config)
        if not commands or self._build is not None:
            return
        self._logger.info("Building TensorRT engines in the background; the CPU works meanwhile.")
        self._build = BackgroundBuild(
            commands, lambda status: self._later(lambda: self._built(status))
        )

    def watch(self, limit: float) -> None:
        """Give up an inference that takes longer than `limit` seconds; 0: never.

        Where the models can not be loaded anew, that is tried again with every call.
        """
        if self._idle and not self.changing:
            self._reload(self.worker.replace(partial(self._open, self.config)))
            return
        if limit <= 0 or self.worker.busy_for() < limit:
            return
        future = self.worker.abandon(partial(self._open, self.config), limit)
        if future is None:
            return
        self.hung += 1
        self._idle = True
        self._logger.error(
            f"The inference engine did not answer for {limit:.0f} s; loading the models anew."
        )
        if not self.changing:  # else what is coming takes over, and tells by itself
            self._reload(future)

    # --- in a lane's thread ---

    def _open(self, config: PipelineConfig) -> Pipeline:
        self._opened = pipeline = Pipeline.open(config)
        return pipeline

    # --- in the executor's thread ---

    def _introduce(self) -> None:
        """Tell what runs. One pipeline is opened at a time, so it is the one opened last."""
        assert self._opened is not None
        self.about, self.notice = self._opened.describe(), self._opened.notice
        self._opened = None
        self._logger.info(", ".join(f"{k}: {v}" for k, v in self.about.items()))
        if self.notice:
            self._logger.warning(self.notice)

    def _then(self, future: Future[None], done: Done) -> None:
        future.add_done_callback(lambda f: self._later(lambda: done(_error_of(f))))

    def _reload(self, future: Future[None]) -> None:
        self.changing = "the same models once more"
        self._then(future, lambda error: self._changed(self.config, error, lambda error: None))

    def _changed(self, config: PipelineConfig, error: BaseException | None, done: Done) -> None:
        self.changing = ""
        self.change_error = "" if error is None else one_line(error)
        if error is None:
            self._idle = False
            self._keep_updates(config)
            self._introduce()
        else:
            what = "can not be loaded" if self._idle else "stay as they were"
            self._logger.error(f"The models {what}: {self.change_error}")
        done(error)

    def _keep_updates(self, config: PipelineConfig) -> None:
        """What was updated while `config` was being opened went to the pipeline before it."""
        updated = {name: getattr(self.config, name) for name in CHANGEABLE}
        self.config = replace(config, **updated)
        if self.config != config:
            self.worker.post(lambda pipeline: pipeline.update(**updated))

    def _built(self, status: Status) -> None:
        if status.state is State.READY:
            self.change({"backend": self.config.backend})
        elif status.state is State.FAILED:
            self.change_error = f"TensorRT engines were not built: {status.line}"
            self._logger.warning(f"{self.change_error}. The CPU goes on.")


def _error_of(future: Future[None]) -> BaseException | None:
    try:
        return future.exception()
    except CancelledError:
        return CaerError("The node was stopped meanwhile.")
