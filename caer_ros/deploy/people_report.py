"""A people benchmark as lines, as a page and as a plot."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

from caer_ros.bundles import write_atomically
from caer_ros.deploy.bench_people import Report
from caer_ros.evaluation.figures import save_figure

_COLUMNS = ("people", "BENet ms", "ratio", "CAER-Net-S ms", "ratio", "rows to people ms")
_BENET, _CAER = "#1f6fb4", "#d9602b"


def to_lines(report: Report) -> list[str]:
    """For a terminal."""
    about = [f"{key}: {value}" for key, value in report.about.items() if value]
    table = ["".join(f"{name:>15}" for name in _COLUMNS[:-1]) + f"{_COLUMNS[-1]:>20}"]
    for row in _cells(report):
        table.append("".join(f"{cell:>15}" for cell in row[:-1]) + f"{row[-1]:>20}")
    return [*about, *table, verdict(report)]


def verdict(report: Report) -> str:
    """Two sentences: who grows, and who is the cheaper one."""
    first, last = report.rows[0], report.rows[-1]
    cheaper = [row.people for row in report.rows if row.benet_ms < row.caer_ms]
    return (
        f"From {first.people} to {last.people} people BENet's frame deviates by"
        f" {report.deviation:.1%} at most; CAER-Net-S takes {last.caer_ratio:.1f} times as long."
        f" Here BENet was the cheaper one {_among(cheaper)}."
    )


def _among(people: list[int]) -> str:
    return f"with {', '.join(map(str, people))} people" if people else "with none of these numbers"


def write_page(report: Report, folder: Path, command: str) -> Path:
    """Write people.md and images/people.png below `folder`."""
    plot(report, folder / "images" / "people.png")
    page = folder / "people.md"
    lines = [_wrapped(line) for line in _page(report, command)]
    write_atomically(page, "\n".join(lines).encode())
    return page


def plot(report: Report, path: Path) -> None:
    """Write milliseconds and ratios over the number of people as PNG."""
    from matplotlib.figure import Figure

    people = [row.people for row in report.rows]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    times, ratios = figure.subplots(1, 2)
    lines = (
        ("BENet", _BENET, "o-", "benet_ms", "benet_ratio"),
        ("CAER-Net-S", _CAER, "s-", "caer_ms", "caer_ratio"),
    )
    for name, color, style, ms, ratio in lines:
        times.plot(people, [getattr(r, ms) for r in report.rows], style, color=color, label=name)
        ratios.plot(people, [getattr(r, ratio) for r in report.rows], style, color=color)
    ratios.axhspan(0.9, 1.1, color=_BENET, alpha=0.15, linewidth=0, label="within 10 %")
    times.set_ylabel("milliseconds a frame, median")
    ratios.set_ylabel(f"times a frame with {people[0]}")
    for axes in (times, ratios):
        axes.set_ylim(bottom=0)
        axes.set_xlabel("people in the frame")
        axes.set_xticks(people)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    note = f" ({report.about['note']})" if report.about["note"] else ""
    figure.suptitle(f"{report.about['BENet']}, {report.about['backend']}{note}", fontsize=9)
    save_figure(figure, path)


def _page(report: Report, command: str) -> list[str]:
    note = report.about["note"].rstrip(".")
    about = [f"{key}: {value}" for key, value in report.about.items() if value and key != "note"]
    return [
        "# Cost against number of people",
        "",
        f"BENet finds everybody in one run. {verdict(report)}",
        "",
        "![Milliseconds and ratios over the number of people](images/people.png)",
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|" + " ---: |" * len(_COLUMNS),
        *("| " + " | ".join(row) + " |" for row in _cells(report)),
        "",
        f"Made by `{command}`. {'. '.join(about)}.",
        *(["", f"**{note[0].upper()}{note[1:]}.**"] if note else []),
        "",
        "What was timed, in turns in one run. Times are medians over the rounds, ratios the medians"
        " of each round's ratio to its frame with the first number of people.",
        "",
        "- **BENet**: the frame is resized, the network runs on it with its own decoding, and then"
        " the same decoding runs on maps in which n people are drawn: the heat map's training"
        " target (a Gaussian round each centre) as logits. Its n rows become n people with boxes in"
        " the frame. So decoding counts twice, and any network can be timed with exactly n people.",
        "- **CAER-Net-S**: n faces are cut from the frame, one context with all of them hidden, one"
        " run for all. Where the faces are is given: the face detector does not count.",
        "- *rows to people*: the part of BENet that depends on n.",
        "",
        "Absolute times change with the machine and its load; read the ratios.",
        "",
    ]


def _wrapped(line: str) -> str:
    """A paragraph in lines of at most 100 characters; tables and pictures as they are."""
    if line.startswith(("|", "!")):
        return line
    indent = "  " if line.startswith("- ") else ""
    return fill(line, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _cells(report: Report) -> list[tuple[str, ...]]:
    return [
        (
            str(row.people),
            f"{row.benet_ms:.1f}",
            f"{row.benet_ratio:.3f}",
            f"{row.caer_ms:.1f}",
            f"{row.caer_ratio:.2f}",
            f"{row.people_ms:.2f}",
        )
        for row in report.rows
    ]
