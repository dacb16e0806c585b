"""One network on every back end that is here, side by side, against this device's limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import InputError
from caer_ros.deploy.bench_jobs import BYTES, Job, ceilings_for, input_shapes, jobs_for
from caer_ros.deploy.bench_turns import Progress, Samples, run_turns
from caer_ros.deploy.graph_cost import Cost, count
from caer_ros.deploy.machine import about_machine, load


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        rows: keys of bench_jobs.ROWS; the first that works is what the others are compared to.
        batch: pictures in one run.
        height, width: of pictures, where the network takes any.
        threads: for one inference, at least 1.
        rounds: turns of each row.
        turn_s: about the seconds of a turn.
        checkpoint: weights for torch's rows; empty: untrained.
    """

    rows: tuple[str, ...]
    batch: int = 1
    height: int = 512
    width: int = 512
    threads: int = 1
    rounds: int = 15
    turn_s: float = 0.3
    checkpoint: str = ""

    def __post_init__(self) -> None:
        if not self.rows or self.rounds < 1 or self.threads < 1 or not self.turn_s > 0:
            raise InputError("Rows, rounds and threads must be at least 1, a turn above 0 s.")


@dataclass(frozen=True)
class Row:
    """One back end. Milliseconds are of one run; `per_second` are pictures at the median.

    Attributes:
        times_faster: than the first row; median over the rounds of the two medians' ratio.
        peak_memory_mb: of its process, with Python and the libraries.
        load_s: to import, load and run once, nothing cached.
        joules: of one run, of the whole chip; None where nothing measures it.
        limit: share of what the device reaches at most, see `limit_s`; None without ceilings.
        bound: "compute" or "memory", whichever would take longer at the limit.
    """

    row: str
    median_ms: float
    p95_ms: float
    p99_ms: float
    per_second: float
    times_faster: float
    peak_memory_mb: float
    load_s: float
    joules: float | None
    limit: float | None
    bound: str
    note: str


@dataclass(frozen=True)
class Report:
    """What `bench_engines` measured.

    Attributes:
        ceilings: operations a second by "device arithmetic", bytes a second by "device memory".
        missing: rows that could not be measured, and why.
        load: of the machine before and after, in processes.
    """

    about: dict[str, str]
    macs: int
    weights: int
    io_bytes: int
    ceilings: dict[str, float]
    rows: tuple[Row, ...]
    missing: dict[str, str]
    energy: str
    load: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def bench_engines(
    bundle: Bundle,
    settings: Settings,
    progress: Progress = iter,
    say: Callable[[str], None] = lambda line: None,
) -> Report:
    """Time a bundle's network on all rows of `settings`, in turns.

    Raises:
        InputError: a row or size that is not possible.
    """
    busy = load()
    shapes = input_shapes(bundle, settings.batch, settings.height, settings.width)
    jobs, missing = jobs_for(bundle, settings.rows, shapes, settings.threads, settings.checkpoint)
    cost = count(
        bundle.folder / bundle.files["fp32"][0],
        {name: shape for name, (_, shape) in shapes.items()},
    )
    samples, failed, energy = run_turns(
        jobs, settings.rounds, settings.turn_s, progress, say, beside=ceilings_for
    )
    ceilings = _ceilings(samples)
    measured = [one for one in samples if one.job.backend != "ceiling"]
    rows = tuple(_row(one, measured[0], settings.batch, cost, ceilings) for one in measured)
    about = {
        "model": f"{bundle.name} {bundle.version}",
        "note": bundle.notice,
        "inputs": ", ".join(f"{n} {list(shape)}" for n, (_, shape) in shapes.items()),
        "threads": str(settings.threads),
        "rounds": f"{settings.rounds} of about {settings.turn_s:g} s",
    } | about_machine()
    return Report(
        about,
        cost.macs,
        cost.weights,
        cost.io_bytes,
        ceilings,
        rows,
        missing | failed,
        energy,
        (busy, load()),
    )


def limit_s(job: Job, cost: Cost, ceilings: Mapping[str, float]) -> tuple[float, str]:
    """Least seconds of one run on a device with these ceilings, and what bounds it.

    As if every operation ran in the row's arithmetic as fast as a large matrix product, and only
    weights, inputs and outputs moved to and from memory. NaN where a ceiling is missing. A row may
    come above it: Winograd's convolutions multiply less often than is counted.
    """
    peak = ceilings.get(f"{job.device} {job.arithmetic}", math.nan)
    memory = ceilings.get(f"{job.device} memory", math.nan)
    compute = 2 * cost.macs / peak
    move = cost.least_bytes(BYTES[job.arithmetic]) / memory
    if math.isnan(compute + move):
        return math.nan, ""
    return max(compute, move), "compute" if compute >= move else "memory"


def _ceilings(samples: Sequence[Samples]) -> dict[str, float]:
    """The best run of each: a ceiling is what was reached once, not what is usual."""
    found = {}
    for one in samples:
        if one.job.backend == "ceiling":
            what = "memory" if one.job.row == "ceiling copy" else one.job.arithmetic
            found[f"{one.job.device} {what}"] = one.about["amount"] / float(one.seconds.min())
    return found


def _row(
    one: Samples, first: Samples, batch: int, cost: Cost, ceilings: Mapping[str, float]
) -> Row:
    ms = 1000 * one.seconds
    median = float(np.median(ms))
    pairs = zip(first.rounds, one.rounds, strict=True)
    joules = float(np.median(one.joules))
    limit, bound = limit_s(one.job, cost, ceilings)
    return Row(
        one.job.row,
        median,
        float(np.percentile(ms, 95)),
        float(np.percentile(ms, 99)),
        1000 * batch / median,
        float(np.median([np.median(a) / np.median(b) for a, b in pairs])),
        one.peak_memory_mb,
        float(one.about["load_s"]),
        None if math.isnan(joules) else joules,
        None if math.isnan(limit) else 1000 * limit / median,
        bound,
        str(one.about.get("note", "")),
    )
