"""Runs of an ablation, one after the other or several at a time."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

from tqdm import tqdm

R = TypeVar("R")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def run_all(runs: Sequence[R], train: Callable[[R], None], jobs: int) -> None:
    """Train every run, with a progress bar.

    Args:
        train: of a module's top level where `jobs` is more than 1 (partials are fine): it is sent
            to other processes.
        jobs: runs at a time, each on its share of the processor's cores.
    """
    with tqdm(total=len(runs), unit="run", file=sys.stderr, disable=None) as bar:
        if jobs == 1:
            for run in runs:
                train(run)
                bar.update()
            return
        # Not forked: a fork of a process that has used torch's threads may hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, context, _begin, (jobs,)) as pool:
            futures = [pool.submit(train, run) for run in runs]
            for future in as_completed(futures):
                future.result()
                bar.update()


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _begin(jobs: int) -> None:
    import torch

    _end_with_parent()
    torch.set_num_threads(max(cores() // jobs, 1))


def _end_with_parent() -> None:
    """Where the command is killed, nobody would wait for its runs' hours of work any more."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
