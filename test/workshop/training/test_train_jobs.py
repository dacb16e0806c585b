"""Runs of an ablation in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from caer_ros.training.ablation.jobs import run_all

KILLED = """
import os, time
from functools import partial
from pathlib import Path
from caer_ros.training.ablation.jobs import run_all
from test_train_jobs_work import wait

if __name__ == "__main__":
    run_all([1, 2], partial(wait, Path({folder!r})), jobs=2)
"""
WORK = """
import os, time

def wait(folder, run):
    (folder / f"{run}.pid").write_text(str(os.getpid()))
    time.sleep(600)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_run_is_done(tmp_path: Path, jobs: int) -> None:
    runs = [tmp_path / name for name in "abc"]
    run_all(runs, Path.touch, jobs)
    assert sorted(tmp_path.iterdir()) == runs


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_fails_is_told(tmp_path: Path, jobs: int) -> None:
    with pytest.raises(FileNotFoundError):
        run_all([tmp_path / "missing" / "a"], Path.touch, jobs)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_runs_end_when_the_command_is_killed(tmp_path: Path) -> None:
    (tmp_path / "test_train_jobs_work.py").write_text(WORK)
    (tmp_path / "main.py").write_text(KILLED.format(folder=str(tmp_path)))
    command = subprocess.Popen([sys.executable, "main.py"], cwd=tmp_path)
    try:
        pids = [int(text) for text in wait_for(tmp_path, 2)]
    finally:
        command.send_signal(signal.SIGKILL)
        command.wait()
    until = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


def wait_for(folder: Path, count: int) -> list[str]:
    """What the runs wrote, once all have."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        texts = [path.read_text() for path in folder.glob("*.pid")]
        if len([text for text in texts if text]) == count:
            return texts
        time.sleep(0.05)
    raise AssertionError("the runs did not begin")


def alive(pid: int) -> bool:
    """Not ended, and not a zombie that nobody has asked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
