"""The process of one row: loads it, then runs it as often as it is told, and says how long.

Lines of JSON. Out: {"ready": {...}} or {"failed": reason}. In: {"run": times}; out: {"seconds":
[...]}. At the end of the input: {"peak_memory_mb": ...}.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter
from typing import TextIO

from caer_ros.deploy.bench_jobs import Job
from caer_ros.deploy.bench_work import Work, open_work
from caer_ros.deploy.machine import peak_memory_mb


def main(text: str) -> int:
    """Serve one job, given as JSON."""
    # What a library prints must not come between our lines.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        start = perf_counter()
        work = open_work(Job.from_json(text))
        work.call()
        loaded = perf_counter() - start
    except Exception as error:  # any library may fail in any way: the other rows go on
        _say(replies, {"failed": _reason(error)})
        return 0
    _say(replies, {"ready": work.about | {"load_s": loaded}})
    for line in sys.stdin:
        _say(replies, _time(work, int(json.loads(line)["run"])))
    _say(replies, {"peak_memory_mb": peak_memory_mb()})
    return 0


def _time(work: Work, times: int) -> dict[str, object]:
    try:
        work.call()  # the caches are another row's, and idle threads sleep
        seconds = []
        for _ in range(times):
            start = perf_counter()
            work.call()
            seconds.append(perf_counter() - start)
    except Exception as error:
        return {"failed": _reason(error)}
    return {"seconds": seconds}


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:200]


def _say(replies: TextIO, message: dict[str, object]) -> None:
    print(json.dumps(message), file=replies, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
