"""Builds beside a running node: real processes, fake builders."""

import os
import signal
import subprocess
import sys
import threading
import time

from caer_ros.engines.trt.background import BackgroundBuild, State, Status, build_commands


def _python(code, *arguments):
    return [sys.executable, "-c", code, *map(str, arguments)]


def _wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.01)


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stream:
        return stream.read().split(") ")[1][0] != "Z"


SLEEPER = (
    "import os, sys, time; print('timing kernels', file=sys.stderr, flush=True);"
    "open(sys.argv[1] + '.new', 'w').write(str(os.getpid()));"
    "os.rename(sys.argv[1] + '.new', sys.argv[1]); time.sleep(60)"
)


def test_it_runs_all_commands_in_order_and_tells_once(tmp_path):
    log = tmp_path / "log"
    code = "import os, sys; open(sys.argv[1], 'a').write(f'{sys.argv[2]} {os.nice(0)}\\n')"
    told, done = [], threading.Event()

    def tell(status):
        told.append(status)
        done.set()

    build = BackgroundBuild([_python(code, log, 1), _python(code, log, 2)], tell)
    assert done.wait(10)
    assert build.wait(5)
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["1", "2"]
    assert int(log.read_text().split()[1]) >= min(os.nice(0) + 10, 19)
    assert told == [Status(State.READY, "ready")]
    assert build.status() == told[0]


def test_progress_is_seen_and_cancel_ends_the_process(tmp_path):
    told = []
    build = BackgroundBuild([_python(SLEEPER, tmp_path / "pid")], told.append)
    _wait_for((tmp_path / "pid").exists)
    _wait_for(lambda: build.status().line == "timing kernels")
    assert build.status().state is State.BUILDING
    pid = int((tmp_path / "pid").read_text())
    build.cancel()
    build.cancel()
    assert build.wait(5)
    assert not _lives(pid)
    assert build.status().state is State.CANCELLED
    assert told == []


def test_a_failure_hands_on_the_reason_and_stops_there(tmp_path):
    code = "import sys; print('building', file=sys.stderr); sys.exit('caer build: no space left')"
    build = BackgroundBuild([_python(code), _python(SLEEPER, tmp_path / "pid")])
    assert build.wait(10)
    assert build.status() == Status(State.FAILED, "caer build: no space left")
    assert not (tmp_path / "pid").exists()


def test_a_builder_that_crashes_leaves_the_node_alive():
    build = BackgroundBuild([_python("import os; os.kill(os.getpid(), 11)")])
    assert build.wait(10)
    assert build.status().state is State.FAILED
    assert build.status().line


def test_a_command_that_is_not_there_is_a_failure():
    build = BackgroundBuild([["/no/such/program"]])
    assert build.wait(10)
    assert build.status().state is State.FAILED
    assert "No such file" in build.status().line


def test_the_builder_dies_with_the_node(tmp_path):
    """However the node ends, no build goes on without it."""
    code = f"""
import sys, time
from caer_ros.engines.trt.background import BackgroundBuild
build = BackgroundBuild([[sys.executable, "-c", {SLEEPER!r}, {str(tmp_path / "pid")!r}]])
time.sleep(60)
"""
    node = subprocess.Popen([sys.executable, "-c", code])
    try:
        _wait_for((tmp_path / "pid").exists)
        pid = int((tmp_path / "pid").read_text())
        assert _lives(pid)
        os.kill(node.pid, signal.SIGKILL)
        node.wait()
        _wait_for(lambda: not _lives(pid))
    finally:
        node.kill()


def test_commands_build_a_bundle_in_a_precision():
    (command,) = build_commands([("/models/caer_net_s", "int8")])
    assert command[:3] == [sys.executable, "-m", "caer_ros.cli.main"]
    assert command[3:] == ["build", "/models/caer_net_s", "--precision", "int8"]
