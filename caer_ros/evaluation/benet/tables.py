"""The paper's tables with our figures, as Markdown that also reads well as text.

Published figures stand in rows of their own, marked with their source, and only where asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caer_ros.evaluation.benet.average_precision import AveragePrecision
from caer_ros.evaluation.benet.matching import IOU_THRESHOLDS
from caer_ros.evaluation.benet.published import (
    HEADS,
    SOURCE,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_3_AVERAGE,
)
from caer_ros.evaluation.benet.report import BenetScores
from caer_ros.evaluation.benet.thresholds import NamedScores
from caer_ros.evaluation.benet.vad import VadScores

NOTHING = "–"


def table_1(scores: Mapping[str, BenetScores], published: bool = False) -> str:
    """mAP of emotions with true boxes, in percent: a column a network.

    Args:
        scores: by the name of the network, which is one of HEADS for those of the paper.
        published: add the paper's row, and those of its columns that `scores` lacks.
    """
    rows = {
        "mAP": {name: row.emotions.mean for name, row in scores.items()},
        "chance": {name: row.emotions.chance for name, row in scores.items()},
    }
    return _across(rows | ({f"mAP, {SOURCE}": TABLE_1} if published else {}))


def table_2(scores: Mapping[str, BenetScores], published: bool = False) -> str:
    """AP of the detection of people, in percent: a column a network that detects.

    Args:
        scores: by the name of the network.
        published: add the paper's row, and ours by misread boxes, which alone may be held to it.
    """
    rows = {
        "AP": {name: row.person.ap for name, row in scores.items() if row.person},
        "AP50": {name: row.person.ap50 for name, row in scores.items() if row.person},
        "AP75": {name: row.person.ap75 for name, row in scores.items() if row.person},
        "AR": {name: row.person.ar for name, row in scores.items() if row.person},
    }
    if published:
        legacy = {n: row.person_legacy.ap for n, row in scores.items() if row.person_legacy}
        rows |= {"AP, legacy IoU": legacy, f"AP, {SOURCE}": TABLE_2}
    return _across(rows)


def table_3(scores: Mapping[str, BenetScores], published: bool = False) -> str:
    """mAP of emotions with found boxes, in percent: a row a network and form of the protocol.

    Args:
        scores: by the name of the network.
        published: add the paper's rows, to which those of the form legacy_iou may be held.
    """
    rows = [
        [f"{name}, {form.form}", *map(percent, form.means), percent(form.average)]
        for name, row in scores.items()
        for form in row.joint
    ]
    if published:
        rows += [
            [f"{name}, {SOURCE}", *map(percent, means), percent(TABLE_3_AVERAGE[name])]
            for name, means in TABLE_3.items()
        ]
    return markdown(["Det. thr.", *(f"{iou:.2f}" for iou in IOU_THRESHOLDS), "Avg."], rows)


def category_table(scores: AveragePrecision) -> str:
    """A row an emotion: AP and chance in percent, people annotated with it."""
    rows = [
        [row.name, percent(row.ap), percent(row.prevalence), str(row.support)]
        for row in scores.categories
    ]
    rows.append(["mean", percent(scores.mean), percent(scores.chance), ""])
    return markdown(["emotion", "AP", "chance", "support"], rows)


def named_table(scores: NamedScores) -> str:
    """A row an emotion: precision, recall and F1 in percent, people annotated and named."""
    rows = [
        [row.name, *_percents(row.precision, row.recall, row.f1), str(row.support), str(row.named)]
        for row in scores.categories
    ]
    macro = _percents(scores.macro_precision, scores.macro_recall, scores.macro_f1)
    micro = _percents(scores.micro_precision, scores.micro_recall, scores.micro_f1)
    rows += [["macro", *macro, "", ""], ["micro", *micro, "", ""]]
    return markdown(["emotion", "precision", "recall", "F1", "support", "named"], rows)


def vad_table(scores: VadScores) -> str:
    """A row a dimension, in units of [-1, 1]."""
    rows = [
        [name, *(NOTHING if v is None else f"{v:.3f}" for v in (d.mae, d.rmse, d.ccc, d.r2))]
        for name, d in vars(scores).items()
    ]
    return markdown(["dimension", "MAE", "RMSE", "CCC", "R²"], rows)


def report_text(name: str, scores: BenetScores, published: bool = False) -> str:
    """All there is to say of one network, as Markdown.

    Args:
        name: of the network.
        scores: its.
        published: see `table_1`.
    """
    one = {name: scores}
    parts = [
        f"{scores.people} people in {scores.images} pictures.",
        "Emotions, true boxes (Table 1), mAP in percent:\n\n" + table_1(one, published),
    ]
    if scores.emotions.left_out:
        parts.append(
            "Annotated nowhere, and not in the mean: " + ", ".join(scores.emotions.left_out) + "."
        )
    if scores.person:
        parts.append("People found (Table 2), in percent:\n\n" + table_2(one, published))
    if scores.joint:
        parts.append(
            "Emotions, found boxes (Table 3), mAP in percent. In the forms literal and legacy_iou "
            "who finds nobody gets the share of chance, in the form strict 0:\n\n"
            + table_3(one, published)
        )
    parts.append(
        "Average precision of each emotion, true boxes:\n\n" + category_table(scores.emotions)
    )
    if scores.named:
        parts.append("Emotions named by thresholds, in percent:\n\n" + named_table(scores.named))
    if scores.calibration:
        before, after = scores.calibration.error_before, scores.calibration.error_after
        parts.append(
            f"Expected calibration error: {before:.4f} before calibration, {after:.4f} after."
        )
    if scores.vad:
        parts.append("Valence, arousal and dominance in [-1, 1]:\n\n" + vad_table(scores.vad))
    return "\n\n".join(parts) + "\n"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with its columns aligned: the first to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        "| "
        + " | ".join([cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])])
        + " |"
        for cells in (head, rule, *rows)
    ]
    return "\n".join(lines)


def percent(value: float | None) -> str:
    """Two decimals, as in the paper; a dash for nothing."""
    return NOTHING if value is None else f"{value:.2f}"


def _percents(*shares: float) -> list[str]:
    return [percent(100 * share) for share in shares]


def _across(rows: Mapping[str, Mapping[str, float]]) -> str:
    """A table with a column for every name in any row: the paper's first, in its order."""
    there = dict.fromkeys(name for row in rows.values() for name in row)
    names = [n for n in HEADS if n in there] + [n for n in there if n not in HEADS]
    cells = [[title, *(percent(row.get(name)) for name in names)] for title, row in rows.items()]
    return markdown(["Heads", *names], cells)
