"""The comparison as a table, as a sentence, and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from caer_ros.evaluation.figures import save_figure
from caer_ros.evaluation.motion.corrupt import KINDS, STRENGTHS
from caer_ros.evaluation.motion.measure import CLEAN, Row
from caer_ros.evaluation.motion.rivals import CLIP, RIVALS, SMOOTHED

_COLOURS = ("tab:gray", "tab:blue", "tab:red", "tab:orange")


def table(rows: Sequence[Row]) -> str:
    """Of each rival accuracy, share of frames with another label than the last, and |Δp|."""
    wide = 20
    lines = [
        f"{'':<11}" + "".join(f"{name:^{wide}}" for name in RIVALS) + f"{'gain of 3D':^24}",
        f"{'':<11}" + f"{'right   new   |Δp|':^{wide}}" * len(RIVALS) + "over smoothed static",
    ]
    for row in rows:
        cells = "".join(
            f"{f'{s.accuracy:.3f} {s.changes:.3f} {s.movement:.3f}':^{wide}}"
            for s in row.rivals.values()
        )
        gain = row.gain
        lines.append(
            f"{_name(row):<11}{cells}{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}) "
            f"{gain.verdict}"
        )
    return "\n".join(lines)


def summary(rows: Sequence[Row], clips: int) -> str:
    """What the gains come to, and what the answers' ages and silences were."""
    named = {
        verdict: [_name(row) for row in rows if row.gain.verdict == verdict]
        for verdict in ("better", "worse", "none")
    }
    clean = rows[0].rivals
    ages = ", ".join(f"{name} {found.lag:.2f} s" for name, found in clean.items())
    silent = min(row.rivals[CLIP].answered for row in rows)
    return "\n".join(
        [
            f"3D against {SMOOTHED}, {clips} clips, frames in which both answer:",
            f"  better: {', '.join(named['better']) or 'nowhere'}",
            f"  worse: {', '.join(named['worse']) or 'nowhere'}",
            f"  no difference that so many clips can show: {', '.join(named['none']) or 'nowhere'}",
            "  each at 95 %: of twenty conditions without a difference, one will seem to have one",
            f"age of what answers rest on: {ages}",
            f"frames that 3D answers after its first clip, where fewest: {silent:.0%}",
        ]
    )


def draw(rows: Sequence[Row], path: Path) -> None:
    """Accuracy above and flicker below over the strength, a column a kind, as PNG."""
    from matplotlib.figure import Figure

    kinds = [kind for kind in KINDS if any(row.kind == kind for row in rows)]
    figure = Figure(figsize=(2.3 * max(len(kinds), 2), 5), layout="constrained")
    axes = figure.subplots(2, max(len(kinds), 1), sharex=True, sharey="row", squeeze=False)
    for column, kind in enumerate(kinds or [CLEAN]):
        shown = [row for row in rows if row.kind in (CLEAN, kind)]
        strengths = [row.strength for row in shown]
        for rival, colour in zip(RIVALS, _COLOURS, strict=True):
            found = [row.rivals[rival] for row in shown]
            for line, values in zip(
                axes[:, column],
                ([f.accuracy for f in found], [f.changes for f in found]),
                strict=True,
            ):
                line.plot(strengths, values, "o-", color=colour, markersize=3, label=rival)
        axes[0, column].set_title(kind)
        axes[1, column].set_xlabel("strength")
        axes[1, column].set_xticks([0, *STRENGTHS])
    axes[0, 0].set_ylabel("accuracy")
    axes[1, 0].set_ylabel("frames with a new label")
    axes[1, 0].set_ylim(bottom=0)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    save_figure(figure, path)


def _name(row: Row) -> str:
    return row.kind if row.kind == CLEAN else f"{row.kind} {row.strength}"
