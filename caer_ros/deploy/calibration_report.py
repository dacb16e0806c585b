"""What a calibration did, for people: a Markdown report, its pictures and the table of scales."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caer_ros.bundles.files import write_atomically
from caer_ros.deploy.calibrated import Calibrated
from caer_ros.deploy.calibration_figures import draw_costs, draw_histograms
from caer_ros.deploy.files_made import TARGETS
from caer_ros.deploy.judging.comparison import Comparison
from caer_ros.deploy.quantization.plan import seen_limits
from caer_ros.deploy.quantization.scales import write_scales

if TYPE_CHECKING:
    from caer_ros.deploy.calibrate import Options

SCALES = "scales.json"
_LISTED = 20


def write_report(
    result: Calibrated, options: Options, path: Path, command: str, refused: str = ""
) -> None:
    """Write the report, layers.png and histograms.png, and scales.json unless it was refused.

    Args:
        refused: what the guard said, or empty.
    """
    out = path.parent
    draw_costs(result.costs, result.made.kept, out / "layers.png")
    draw_histograms(result, out / "histograms.png")
    if not refused and "int8" in result.made.files:
        about = {
            "bundle": result.bundle.name,
            "fp32_sha256": result.bundle.files["fp32"][1],
            "method": _method(options),
        }
        limits = seen_limits(result.ranges)
        write_scales(out / SCALES, result.table, limits, about, result.made.kept)
    parts = [_head(result, options, command, refused), _files(result), _layers(result)]
    write_atomically(path, "\n".join(line for part in parts for line in part).encode())


def _method(options: Options) -> str:
    if options.method == "percentile":
        return f"percentile {options.percentile:g}"
    return options.method


def _head(result: Calibrated, options: Options, command: str, refused: str) -> list[str]:
    data = result.data
    noun = data.pool.noun
    sources = ", ".join(target.name for target in options.data.targets)
    apart = ", ".join(options.data.held_out) or "the data sets' own test parts, or blocks of ten"
    title = "Refused calibration" if refused else "Calibration"
    lines = [f"# {title} of {result.bundle.name}", ""]
    if refused:
        lines += [f"**{refused}**", ""]
    lines += [
        f"- Method: {_method(options)}; static, explicit QDQ, weights by channel. One table of"
        f" scales ({SCALES}) for all INT8 files.",
        f"- Calibrated on {result.calibrated_on} {noun}, the most different of {len(data.pool)}:"
        f" {sources}.",
        f"- Measured on {len(data.held_out)} other {noun}; held out: {apart}.",
        f"- Left out: {data.bad} pictures that can not be read, {data.doubles} {noun} to measure on"
        " that were also among those to calibrate on.",
        f"- Sets of layers measured until the limits held: {result.made.tries}."
        if result.made.tries
        else "- INT8 was not asked for.",
    ]
    if result.made.tuned is not None:
        lines.append(
            "- No set passed. Weights and scales of the INT8 files were tuned to answer as FP32"
            f" does ({options.epochs} epochs)."
        )
    return [*lines, f"- Command: `{command}`" if command else "", ""]


def _files(result: Calibrated) -> list[str]:
    lines = [
        "| file | run by | people | same top label | mean abs. Δp | largest | same boxes | accuracy"
        " | mAP | AP of people |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for targets in TARGETS.values():
        for target in targets:
            measured = result.made.measured.get(target.key)
            if measured is not None:
                lines.append(f"| {target.name} | {target.backend} | {_row(measured)} |")
    for key, measured in result.made.hints.items():
        precision, _, hint = key.partition("_")
        lines.append(f"| {precision}.onnx, cpu_hint {hint} | openvino | {_row(measured)} |")
    limits = result.limits
    return [
        *lines,
        "",
        f"Limits: top label {limits.top_label_agreement:.0%}, boxes {limits.box_agreement:.0%},"
        f" mean abs. Δp {limits.mean_delta:g}, {limits.accuracy_drop:g} points of accuracy,"
        f" {limits.map_drop:g} of mAP, {limits.ap_drop:g} of AP (`guard` in model.yaml). Scores are"
        " FP32's, then the file's. FP16 is rounded after each layer, as a GPU does. TensorRT reads"
        " int8.onnx and fp16.onnx; it was not run here.",
        "",
    ]


def _row(measured: Comparison) -> str:
    cells = [
        str(measured.compared),
        "" if measured.top_label is None else f"{measured.top_label:.2%}",
        f"{measured.mean_delta:.5f}",
        f"{measured.max_delta:.4f}",
        "" if measured.boxes is None else f"{measured.boxes:.2%}",
    ]
    for pair in (measured.accuracy, measured.mean_ap, measured.person_ap):
        cells.append("" if pair is None else f"{pair[0]:.2f} → {pair[1]:.2f}")
    return " | ".join(cells)


def _layers(result: Calibrated) -> list[str]:
    kept, half = result.made.kept, result.made.kept_half
    finds = result.data.pool.noun == "pictures"
    lost = " (whom only one of the two finds counts as 1)" if finds else ""
    lines = [
        "## Layers",
        "",
        f"{len(result.plan.layers)} convolutions, {len(kept)} of them in higher precision in the"
        f" INT8 files, {len(half)} in FP32 in the FP16 file. Softmax, sigmoid, linear layers and"
        " decoding are never INT8.",
        "",
        f"Each layer rounded alone, on {result.swept_on} {result.data.pool.noun} not calibrated on,"
        f" worst first{lost}:",
        "",
        "| layer | mean abs. Δp | signal to noise, dB | in INT8 files |",
        "| --- | --- | --- | --- |",
    ]
    for cost in result.costs[:_LISTED]:
        state = kept.get(cost.layer, "INT8")
        lines.append(f"| {cost.layer} | {cost.damage:.6f} | {cost.sqnr:.1f} | {state} |")
    if len(result.costs) > _LISTED:
        lines.append(f"| {len(result.costs) - _LISTED} more | less | | |")
    others = {name: why for name, why in kept.items() if name in result.plan.reasons}
    if others or half:
        lines += ["", "Not swept:", ""]
        lines += [f"- {name}: {why}" for name, why in [*others.items(), *half.items()]]
    return [*lines, "", "![](layers.png)", "", "![](histograms.png)", ""]
