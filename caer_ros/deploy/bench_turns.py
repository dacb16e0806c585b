"""Rows in processes of their own that run in turns, so that a busy moment falls on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from caer_ros.deploy.bench_jobs import Job
from caer_ros.deploy.energy import EnergyMeter, open_meter
from caer_ros.deploy.row_process import RowFailed, RowProcess

_MOST_RUNS = 50
Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass
class Samples:
    """What one row gave: seconds of each run, round by round, and what its process said.

    `joules` are of one run, NaN where nothing measures them; `about` is what Work.about says, with
    `load_s`, seconds to load and run once.
    """

    job: Job
    about: dict[str, Any]
    rounds: list[list[float]] = field(default_factory=list)
    joules: list[float] = field(default_factory=list)
    peak_memory_mb: float = 0.0

    @property
    def seconds(self) -> np.ndarray:
        """Of all runs, float64 [runs]."""
        return np.array([each for one in self.rounds for each in one])


def run_turns(
    wanted: Sequence[Job],
    rounds: int,
    turn_s: float = 0.3,
    progress: Progress = iter,
    say: Callable[[str], None] = lambda line: None,
    beside: Callable[[list[Job]], list[Job]] = lambda running: [],
) -> tuple[list[Samples], dict[str, str], str]:
    """Time all jobs in turns.

    A turn is one run that is not timed and as many as fill `turn_s`, at least one. The first round
    warms up and counts for nothing; then every round starts with another job.

    Args:
        wanted: jobs.
        progress: wraps the loop over the rounds, as tqdm does.
        say: gets a line before each job is loaded.
        beside: further jobs, for those of `wanted` that could be loaded.

    Returns:
        what the jobs gave that could be run; why the others could not, by row; why there is no
        energy, or what measured it.
    """
    jobs: list[Job] = []
    processes: dict[int, RowProcess] = {}
    samples: dict[int, Samples] = {}
    failed: dict[str, str] = {}
    meters: dict[bool, tuple[EnergyMeter | None, str]] = {}

    def load(more: Sequence[Job]) -> None:
        for job in more:
            number = len(jobs)
            jobs.append(job)
            say(f"loading {_named(job)}")
            try:
                processes[number] = RowProcess(job)
                samples[number] = Samples(job, processes[number].about)
            except RowFailed as error:
                drop(number, error)

    def drop(number: int, error: RowFailed) -> None:
        failed[_named(jobs[number])] = str(error)
        samples.pop(number, None)
        if number in processes:
            processes.pop(number).kill()

    try:
        load(wanted)
        load(beside([jobs[number] for number in processes]))
        for gpu in {jobs[number].device == "cuda" for number in processes}:
            meters[gpu] = open_meter(gpu)
        for turn in progress(range(rounds + 1)):
            for number in np.roll(list(processes), turn).tolist():
                meter = meters[jobs[number].device == "cuda"][0]
                try:
                    _turn(processes[number], samples[number], turn_s, meter, warm_up=turn == 0)
                except RowFailed as error:
                    drop(number, error)
        for number in list(processes):
            try:
                samples[number].peak_memory_mb = processes[number].end()
            except RowFailed as error:
                drop(number, error)
    finally:
        for process in processes.values():
            process.kill()
        for meter, _ in meters.values():
            if meter is not None:
                meter.close()
    energy = ", ".join(meter.name if meter else why for meter, why in meters.values())
    return list(samples.values()), failed, energy


def _named(job: Job) -> str:
    return f"{job.row} {job.device} {job.arithmetic}" if job.backend == "ceiling" else job.row


def _turn(
    process: RowProcess, samples: Samples, turn_s: float, meter: EnergyMeter | None, warm_up: bool
) -> None:
    if warm_up:
        samples.about["run_s"] = float(np.median(process.run(1)))
        return
    times = int(np.clip(round(turn_s / samples.about["run_s"]), 1, _MOST_RUNS))
    before = meter.joules() if meter else 0.0
    samples.rounds.append(process.run(times))
    spent = meter.joules() - before if meter else float("nan")
    samples.joules.append(spent / (times + 1))
