"""The process of one row, seen from the one that times."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from typing import Any

from caer_ros.core import CaerError
from caer_ros.deploy.bench_jobs import Job

# torch.compile and a TensorRT engine take minutes.
_PATIENCE_S = 900.0


class RowFailed(CaerError):
    """A row can not be measured here; the message is why."""


class RowProcess:
    """The process of one job, loaded and run once.

    Raises:
        RowFailed: it can not be loaded, took too long, or died.
    """

    def __init__(self, job: Job, patience: float = _PATIENCE_S) -> None:
        self.job = job
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed by kill()
        threads = {f"{name}_NUM_THREADS": str(job.threads) for name in ("OMP", "MKL", "OPENBLAS")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "caer_ros.deploy.bench_worker", job.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **threads},
            start_new_session=True,
        )
        self._patience, self._late, self._ended = patience, False, False
        late = threading.Timer(patience, self._give_up)
        late.start()
        try:
            self.about: dict[str, Any] = self._hear("ready")
        except BaseException:
            self.kill()
            raise
        finally:
            late.cancel()

    def run(self, times: int) -> list[float]:
        """Seconds of so many runs; one before them is not timed."""
        assert self._process.stdin is not None
        # If it died, what it said before that is heard below.
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"run": times}), file=self._process.stdin, flush=True)
        seconds: list[float] = self._hear("seconds")
        return seconds

    def end(self) -> float:
        """Let it finish; its largest resident set in MB."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            return float(self._hear("peak_memory_mb"))
        finally:
            self.kill()

    def kill(self) -> None:
        """End it and what it started (torch.compile has helpers). Twice is fine."""
        if self._ended:
            return  # its number may be another process's by now
        self._ended = True
        self._kill_all()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]  # both were asked for

    def _give_up(self) -> None:
        self._late = True
        self._kill_all()

    def _kill_all(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _hear(self, key: str) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RowFailed(self._last_words())
        message = json.loads(line)
        if "failed" in message:
            raise RowFailed(message["failed"])
        return message[key]

    def _last_words(self) -> str:
        code = self._process.wait()
        if self._late:
            return f"it took longer than {self._patience:g} s to load and run once"
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()]
        return f"its process ended with {code}" + (f": {lines[-1][:200]}" if lines else "")
