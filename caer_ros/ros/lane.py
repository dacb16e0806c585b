"""One thread with the pipeline that it opened; a worker changes lanes to change its pipeline."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What a worker needs of a pipeline."""

    def close(self) -> None: ...


P = TypeVar("P", bound=Closable)


class Lane(Generic[P]):
    """Opens a pipeline in a thread of its own, serves, and closes it there.

    Inference engines belong to one thread, so the thread that opens them is the only one that ever
    touches them.

    Attributes:
        serving: done once the lane serves; has the exception where it never will.
        opened: the pipeline is open.

    Args:
        open_pipeline: called once in the lane's thread.
        serve: called there with the lane and its pipeline; the pipeline is closed when it returns.
    """

    def __init__(self, open_pipeline: Callable[[], P], serve: Callable[[Lane[P], P], None]) -> None:
        self.serving: Future[None] = Future()
        self.opened = False
        self._open_pipeline = open_pipeline
        self._serve = serve
        # A daemon, so that an engine that hangs can not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="caer_worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds; whether the thread has ended, or never started."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            pipeline = self._open_pipeline()
        except BaseException as error:
            self.serving.set_exception(error)
            return
        self.opened = True
        try:
            self._serve(self, pipeline)
        finally:
            self.serving.cancel()  # where it never served
            pipeline.close()
