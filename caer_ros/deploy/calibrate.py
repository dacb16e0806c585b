"""From a bundle and pictures to INT8 and FP16 files that answer as its FP32 file does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from caer_ros.bundles import Bundle, read_bundle
from caer_ros.core import InputError
from caer_ros.deploy.calibrated import Calibrated, Made
from caer_ros.deploy.calibration_report import write_report
from caer_ros.deploy.files_made import check_precisions
from caer_ros.deploy.guard import GuardFailed, check, limits_of, passed
from caer_ros.deploy.judging.judge import judge_of
from caer_ros.deploy.make_files import Maker
from caer_ros.deploy.pictures.diversity import descriptors, digest, pick
from caer_ros.deploy.pictures.open_data import DataOptions, open_data
from caer_ros.deploy.pictures.samples import Samples, batches
from caer_ros.deploy.publish import Drafts
from caer_ros.deploy.quantization import ranges as ranges_file
from caer_ros.deploy.quantization import sweep as sweep_file
from caer_ros.deploy.quantization.collect import collect
from caer_ros.deploy.quantization.half import too_large
from caer_ros.deploy.quantization.plan import Plan
from caer_ros.deploy.quantization.runner import Arrays
from caer_ros.deploy.quantization.scales import Scales
from caer_ros.deploy.quantization.sweep import Cost, sweep
from caer_ros.deploy.quantization.thresholds import PERCENTILE

# Below this, one person more or less decides.
LEAST_COMPARED = 20
# Samples for the sweep, which runs the network once a layer on each.
_SWEPT = {"caer_static": 48}
_SWEPT_PICTURES = 8
# Of the samples that may be calibrated on, at least so many are: the rest is for the sweep.
_CALIBRATED = 0.8
_WORST = 5


@dataclass(frozen=True)
class Options:
    """How to calibrate.

    Attributes:
        data: on what.
        method: `minmax`, `percentile` or `entropy`; percentile: of the method of that name.
        precisions: of `int8` and `fp16`, those to make.
        keep: names or patterns of layers to leave in higher precision.
        checkpoint: to tune where no INT8 file passes the guard otherwise; None does without.
        epochs: of that.
    """

    data: DataOptions
    method: str = "percentile"
    percentile: float = PERCENTILE
    precisions: tuple[str, ...] = ("int8", "fp16")
    keep: tuple[str, ...] = ()
    checkpoint: Path | None = None
    epochs: int = 3

    def __post_init__(self) -> None:
        check_precisions(self.precisions)


def calibrate_bundle(folder: Path, options: Options, out: Path, command: str = "") -> Calibrated:
    """Make smaller files and enter those in model.yaml, if the guard lets them pass.

    Writes report, pictures and table of scales into `out`. A killed run goes on where it was when
    it is started again with the same options.

    Args:
        folder: of the bundle.
        out: for what is to be looked at; its state.npz and sweep.jsonl are removed at the end.
        command: for the report.

    Raises:
        InputError: the bundle, the pictures or an option is unusable.
        GuardFailed: a file differs from FP32 by more than model.yaml allows. The bundle is left as
            it was; OUT/refused.md says what was measured.
        CaerError: no room, or a network that fails.
    """
    bundle = read_bundle(folder)
    with Drafts(folder) as drafts:
        result = _Calibration(bundle, options, out, drafts).run()
        _judge(result, options, out, command)
        drafts.publish(result.change_card, result.made.files)
        write_report(result, options, out / "report.md", command)
    for name in ("refused.md", ranges_file.NAME, sweep_file.NAME):
        (out / name).unlink(missing_ok=True)
    return result


class _Calibration:
    """The steps of one calibration, in order; what they share."""

    def __init__(self, bundle: Bundle, options: Options, out: Path, drafts: Drafts) -> None:
        self.bundle, self.options, self.out, self.drafts = bundle, options, out, drafts
        self.judge, self.limits = judge_of(bundle), limits_of(bundle)
        self.source = bundle.model_file("fp32", "openvino")
        self.plan = Plan.of(self.source, options.keep)
        self.data = open_data(bundle, options.data)
        self.chosen, self.swept = _choose(self.data.pool, bundle, options.data)

    def run(self) -> Calibrated:
        """See, table, sweep, make, measure."""
        options, plan = self.options, self.plan
        work = {
            "fp32": self.bundle.files["fp32"][1],
            "samples": _fingerprint(self.data.pool, self.chosen),
            "tensors": hashlib.sha256("\n".join(plan.tensors).encode()).hexdigest(),
        }
        maker = self._maker()
        feeds = _feeds(self.data.pool, self.chosen)
        ranges = collect(plan.graph.model, plan.tensors, feeds, self.out, work)
        scales = plan.scales(ranges, options.method, options.percentile)
        costs = self._sweep(scales, work) if "int8" in options.precisions else []
        made = Made({}, {}, {}, {}, 0)
        if "int8" in options.precisions:
            made = self._int8(maker, scales, costs)
        if "fp16" in options.precisions:
            largest = dict(zip(ranges.tensors, ranges.largest.tolist(), strict=True))
            made = maker.fp16(made, plan.graph, too_large(plan.layers, largest))
        if passed(self.limits, made.measured):
            made = maker.hints(made, self.limits)
        counts = len(self.chosen), len(self.swept)
        return Calibrated(
            self.bundle, plan, scales, ranges, costs, made, *counts, self.data, self.limits
        )

    def _maker(self) -> Maker:
        maker = Maker(self.judge, self.data.held_out, self.source, self.drafts)
        if maker.compared < LEAST_COMPARED:
            raise InputError(
                f"FP32 answers for {maker.compared} people in what is measured on; the guard needs"
                f" {LEAST_COMPARED}.",
                "Give more pictures to measure on, see --hold-out.",
            )
        return maker

    def _sweep(self, scales: Scales, work: dict[str, Any]) -> list[Cost]:
        free = self.plan.free
        rounding = work | {
            "method": self.options.method,
            "percentile": self.options.percentile,
            "swept": _fingerprint(self.data.pool, self.swept),
            "layers": [layer.name for layer in free],
        }
        feeds = _feeds(self.data.pool, self.swept)
        return sweep(self.plan.graph, free, scales, self.judge, feeds, self.out, rounding)

    def _int8(self, maker: Maker, scales: Scales, costs: list[Cost]) -> Made:
        """The first set of kept layers whose files pass; else tuned ones, if asked for."""
        made = Made({}, {}, {}, {}, 0)
        for kept in self.plan.ladder([cost.layer for cost in costs]):
            made = maker.int8(self.plan, scales, kept, made.tries + 1)
            if passed(self.limits, made.measured):
                return made
        if self.options.checkpoint is None:
            return made
        # Here: it brings torch, and everything before does without.
        from caer_ros.deploy.quantization.tune import Tuning, tune
        from caer_ros.deploy.tunable import load_tunable

        network, answer = load_tunable(self.bundle, self.options.checkpoint)
        feeds = _feeds(self.data.pool, self.chosen)
        kept = self.plan.reasons
        tuning = Tuning(self.options.epochs)
        plan, scales = tune(network, answer, self.plan, scales, kept, feeds, tuning)
        return replace(maker.int8(plan, scales, kept, made.tries + 1), tuned=scales)


def _choose(pool: Samples, bundle: Bundle, options: DataOptions) -> tuple[list[int], list[int]]:
    """Rows to calibrate on, and others to sweep with; each as different as can be."""
    limit, _ = options.most(bundle.task)
    wanted = min(limit, max(1, int(len(pool) * _CALIBRATED)))
    swept = _SWEPT.get(bundle.task, _SWEPT_PICTURES)
    order = pick(descriptors(pool), wanted + swept)
    return order[:wanted], order[wanted:]


def _feeds(samples: Samples, index: list[int]) -> list[Callable[[], Arrays]]:
    # rows is bound now: a closure would see the last batch only.
    return [lambda rows=rows: samples.feed(rows) for rows in batches(samples, index)]


def _fingerprint(samples: Samples, index: list[int]) -> str:
    text = "\n".join(digest(samples, row) for row in index)
    return hashlib.sha256(text.encode()).hexdigest()


def _judge(result: Calibrated, options: Options, out: Path, command: str) -> None:
    worst = [str(cost) for cost in result.costs[:_WORST]]
    remedy = (
        f"See {out}/refused.md. Calibrate on more pictures, or on such as you will see; try"
        " another --method; or change `guard` in model.yaml, if you can accept that."
    )
    try:
        check(result.limits, result.made.measured, worst, remedy)
    except GuardFailed as error:
        write_report(result, options, out / "refused.md", command, str(error))
        raise
