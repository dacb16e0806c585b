"""Quantise a bundle, measure what that costs on people not calibrated on, and write it down."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from caer_ros.bundles.files import write_atomically
from caer_ros.core import CaerError
from caer_ros.datasets.people import People, load_all
from caer_ros.deploy.agreement import Agreement, compare
from caer_ros.deploy.card import FP32, INT8, INT8_ONNXRUNTIME, file_entry, read_card, write_card
from caer_ros.deploy.quantize import METHOD, SIGNED, UNSIGNED, quantize
from caer_ros.evaluation.predict import onnx_probabilities

LEAST_AGREEMENT = 0.98
_BATCH = 8
# Key in model.yaml, file, form, and the back end that runs this file.
_TARGETS = (
    ("int8", INT8, SIGNED, "openvino"),
    ("int8_onnxruntime", INT8_ONNXRUNTIME, UNSIGNED, "onnxruntime"),
)


class AccuracyLost(CaerError):
    """The INT8 file differs from FP32 by more than is allowed."""


@dataclass(frozen=True)
class Result:
    """What one calibration did: people calibrated on, and agreement by key of model.yaml."""

    calibrated_on: int
    kept_fp32: list[str]
    agreement: dict[str, Agreement]


def calibrate_bundle(
    bundle: Path, folders: Sequence[Path], held_out: Sequence[str], limit: int
) -> Result:
    """Write int8.onnx and int8_onnxruntime.onnx and enter them in model.yaml.

    Calibrates on at most `limit` people and measures on as many others: other sources (`held_out`)
    of photographs, the test split of CAER-S-like folders.

    Raises:
        AccuracyLost: a file's top label agrees with FP32's on fewer than 98 in 100 people; the
            bundle is left as it was.
    """
    card = read_card(bundle)
    seen = load_all(folders, held_out, False, limit)
    unseen = load_all(folders, held_out, True, limit)
    wanted = onnx_probabilities(bundle / FP32, "onnxruntime", unseen)
    batches = _batches(seen)
    agreement: dict[str, Agreement] = {}
    kept: list[str] = []
    drafts = {key: bundle / f".draft-{name}" for key, name, _, _ in _TARGETS}
    try:
        for key, _, form, backend in _TARGETS:
            kept = quantize(bundle / FP32, drafts[key], form, batches)
            agreement[key] = compare(wanted, onnx_probabilities(drafts[key], backend, unseen))
            _guard(key, agreement[key])
        for key, name, _, _ in _TARGETS:
            os.replace(drafts[key], bundle / name)
            card["files"][key] = file_entry(bundle / name)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    card["metrics"]["int8"] = {
        key: {"people": a.people, "top_label_agreement": round(a.top_label, 4)}
        | {"mean_delta_p": round(a.mean_delta, 5)}
        for key, a in agreement.items()
    }
    write_card(bundle, card)
    return Result(len(seen), kept, agreement)


def _guard(key: str, agreement: Agreement) -> None:
    if agreement.top_label < LEAST_AGREEMENT:
        raise AccuracyLost(
            f"{key}: the top label agrees with FP32 on {agreement.top_label:.1%} of"
            f" {agreement.people} people, less than {LEAST_AGREEMENT:.0%}.",
            "Calibrate on more people, or on people more like those you will see.",
        )


def _batches(people: People) -> list[dict[str, np.ndarray]]:
    """Batches of one size, a scene for each person: the calibrator needs equal shapes."""
    size = min(_BATCH, len(people))
    return [
        {
            "face": people.faces[start : start + size],
            "context": people.contexts[people.scene[start : start + size]],
            "scene": np.arange(size, dtype=np.int64),
        }
        for start in range(0, len(people) - size + 1, size)
    ]


def write_report(path: Path, bundle: str, result: Result, sources: str, command: str) -> None:
    """Write the calibration's report as Markdown."""
    lines = [
        f"# Calibration of {bundle}",
        "",
        f"- Method: {METHOD}; static, explicit QDQ.",
        f"- Calibrated on {result.calibrated_on} people: {sources}.",
        "- Measured on people of other sources than those calibrated on.",
        f"- Kept in FP32: attention score ({', '.join(result.kept_fp32)}), softmax, fusion.",
        f"- Command: `{command}`",
        "",
        "| file | runs on | people | same top label as FP32 | mean abs. Δp | largest abs. Δp |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for key, name, _, backend in _TARGETS:
        a = asdict(result.agreement[key])
        lines.append(
            f"| {name} | {backend} | {a['people']} | {a['top_label']:.2%}"
            f" | {a['mean_delta']:.5f} | {a['max_delta']:.4f} |"
        )
    lines += [
        "",
        f"The command fails, and changes nothing, below {LEAST_AGREEMENT:.0%} agreement.",
        "TensorRT reads int8.onnx too; it was not run there.",
        "",
    ]
    write_atomically(path, "\n".join(lines).encode())
