"""An engine benchmark as lines for a terminal, as Markdown and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from caer_ros.deploy.bench_engines import Report, Row
from caer_ros.evaluation.figures import save_figure

COLUMNS = (
    "back end",
    "median ms",
    "p95",
    "p99",
    "pictures/s",
    "× first row",
    "peak MB",
    "load s",
    "J/run",
    "of limit",
    "bound by",
)
_BAR, _FIRST = "#1f6fb4", "#9aa5b1"


def cells(report: Report) -> list[tuple[str, ...]]:
    """The table's rows, one text a column."""
    return [
        (
            row.row,
            f"{row.median_ms:.2f}",
            f"{row.p95_ms:.2f}",
            f"{row.p99_ms:.2f}",
            f"{row.per_second:.1f}",
            f"{row.times_faster:.2f}",
            f"{row.peak_memory_mb:.0f}",
            f"{row.load_s:.1f}",
            "–" if row.joules is None else f"{row.joules:.2f}",
            "–" if row.limit is None else f"{row.limit:.0%}",
            row.bound or "–",
        )
        for row in report.rows
    ]


def to_lines(report: Report) -> list[str]:
    """For a terminal."""
    table = [COLUMNS, *cells(report)]
    widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
    lines = [f"{key}: {value}" for key, value in report.about.items() if value]
    lines += [work(report), ceilings(report), f"energy: {report.energy}", load(report), ""]
    for row in table:
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join([row[0].ljust(widths[0]), *rest]))
    return lines + notes(report)


def to_markdown(report: Report) -> list[str]:
    """The table and what did not run."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "| --- |" + " ---: |" * (len(COLUMNS) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in cells(report)]
    return [*lines, "", *(f"- {line}" for line in notes(report))]


def work(report: Report) -> str:
    """What one run takes, whatever runs it."""
    return (
        f"work of one run: {report.macs / 1e9:.3f} G multiply-adds,"
        f" {report.weights / 1e6:.2f} M weights, {report.io_bytes / 1e6:.2f} MB in and out"
    )


def ceilings(report: Report) -> str:
    """What this device reached at most."""
    found = [
        f"{name} {value / 1e9:.1f} GB/s" if name.endswith("memory") else f"{name} {_speed(value)}"
        for name, value in report.ceilings.items()
    ]
    return f"ceilings measured here: {', '.join(found) or 'none'}"


def load(report: Report) -> str:
    """How busy the machine was."""
    before, after = report.load
    return f"load of the machine: {before:.1f} before, {after:.1f} after"


def notes(report: Report) -> list[str]:
    """What must be known of single rows, and why others are missing."""
    said = [f"{row.row}: {row.note}" for row in report.rows if row.note]
    return said + [f"{row}: not measured: {why}" for row, why in report.missing.items()]


def plot(reports: Sequence[Report], path: Path) -> None:
    """Write medians as bars, with a line to the 95th percentile, one plot a report, as PNG."""
    from matplotlib.figure import Figure

    height = 0.7 + 0.34 * max(len(report.rows) for report in reports)
    figure = Figure(figsize=(5.2 * len(reports), height), layout="constrained")
    for axes, report in zip(
        figure.subplots(1, len(reports), squeeze=False)[0], reports, strict=True
    ):
        places = range(len(report.rows))
        medians = [row.median_ms for row in report.rows]
        late = [max(row.p95_ms - row.median_ms, 0.0) for row in report.rows]
        colors = [_FIRST if number == 0 else _BAR for number in places]
        axes.barh(places, medians, color=colors, xerr=[[0.0] * len(late), late])
        for place, row in zip(places, report.rows, strict=True):
            axes.text(row.p95_ms, place, f"  {row.times_faster:.1f}×", va="center", fontsize=8)
        axes.set_yticks(places, [row.row for row in report.rows], fontsize=8)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_xlabel("milliseconds a run, median and 95th percentile", fontsize=8)
        axes.set_title(_title(report), fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    save_figure(figure, path)


def row_of(report: Report, name: str) -> Row | None:
    """The row of this name, where it was measured."""
    return next((row for row in report.rows if row.row == name), None)


def _title(report: Report) -> str:
    note = report.about["note"]
    return report.about["model"] + (f"\n{note}" if len(note) < 40 else "")


def _speed(operations: float) -> str:
    tera = operations >= 1e13
    return f"{operations / 1e12:.0f} TOP/s" if tera else f"{operations / 1e9:.0f} GOP/s"
