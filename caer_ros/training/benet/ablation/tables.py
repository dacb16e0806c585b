"""An ablation's tables in the paper's layout: means over the seeds, and their spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from caer_ros.evaluation.benet.joint import FORMS
from caer_ros.evaluation.benet.matching import IOU_THRESHOLDS
from caer_ros.evaluation.benet.tables import NOTHING, markdown, percent
from caer_ros.training.benet.ablation.measure import HALF, RowResult

Pick = Callable[[dict[str, Any]], float]


def table_1(results: Sequence[RowResult]) -> str:
    """mAP of emotions with true boxes, in percent: a column a network."""
    rows = {
        "mAP": [_spread(r.values(lambda run: run["emotions"]["mean"])) for r in results],
        "chance": [percent(results[0].runs[0]["emotions"]["chance"])] * len(results),
    }
    return _across(results, rows)


def table_2(results: Sequence[RowResult]) -> str:
    """AP of the detection of people, in percent: a column a network; a dash where it has none."""
    picks = {"AP": "ap", "AP50": "ap50", "AP75": "ap75", "AR": "ar"}
    rows = {
        title: [
            _spread(r.values(lambda run, key=key: run["person"][key])) if r.detects else NOTHING
            for r in results
        ]
        for title, key in picks.items()
    }
    return _across(results, rows)


def table_3(results: Sequence[RowResult]) -> str:
    """mAP of emotions with found boxes, in percent: a row a network and form of the protocol."""
    rows = []
    for result in results:
        for form in FORMS if result.detects else ():
            means = result.values(lambda run, form=form: run["joint"][form]["means"])
            cells = [percent(value) for value in means.mean(axis=0)]
            rows.append([f"{result.name}, {form}", *cells, _spread(means.mean(axis=1))])
    return markdown(["Det. thr.", *(f"{iou:.2f}" for iou in IOU_THRESHOLDS), "Avg."], rows)


def joined_table(result: RowResult) -> str:
    """mAP with true boxes when other heads' answers are joined in (Table 4), in percent."""
    rows = [["BU (the maps alone)", _spread(result.values(lambda run: run["emotions"]["mean"]))]]
    rows += [
        [name, _spread(result.values(lambda run, name=name: run["refined"][name]))]
        for name in result.runs[0]["refined"]
    ]
    return markdown(["emotions by", "mAP"], rows)


def naming_table(results: Sequence[RowResult]) -> str:
    """Names by one threshold and by one a category, in percent; calibration errors, in percent."""
    picks: dict[str, Pick] = {
        "macro F1, threshold 0.5": lambda run: 100 * run[HALF]["macro_f1"],
        "macro F1, one a category": lambda run: 100 * run["named"]["macro_f1"],
        "micro F1, threshold 0.5": lambda run: 100 * run[HALF]["micro_f1"],
        "micro F1, one a category": lambda run: 100 * run["named"]["micro_f1"],
        "calibration error, raw": lambda run: 100 * run["calibration"]["error_before"],
        "calibration error, calibrated": lambda run: 100 * run["calibration"]["error_after"],
    }
    rows = {title: [_spread(r.values(pick)) for r in results] for title, pick in picks.items()}
    return _across(results, rows)


def vad_table(result: RowResult) -> str:
    """Mean absolute error and concordance of each dimension, in units of [-1, 1]."""
    rows = []
    for name in ("valence", "arousal", "dominance"):
        cells = [name]
        for key in ("mae", "ccc"):
            values = result.values(lambda run, name=name, key=key: run["vad"][name][key])
            cells.append(_spread(values, 3))
        rows.append(cells)
    return markdown(["dimension", "MAE", "CCC"], rows)


def _across(results: Sequence[RowResult], rows: dict[str, list[str]]) -> str:
    cells = [[title, *values] for title, values in rows.items()]
    return markdown(["Heads", *(r.name for r in results)], cells)


def _spread(values: np.ndarray, digits: int = 2) -> str:
    mean = f"{values.mean():.{digits}f}"
    return f"{mean} ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else mean
