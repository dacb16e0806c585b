"""Runs the FP32 network over the calibration pictures and keeps what its tensors were."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto
from tqdm import tqdm

from caer_ros.core import EngineError, InputError
from caer_ros.deploy.quantization.ranges import Ranges, load_ranges, save_ranges
from caer_ros.deploy.quantization.runner import Arrays, Runner


def collect(
    model: ModelProto,
    tensors: Sequence[str],
    batches: Sequence[Callable[[], Arrays]],
    folder: Path,
    work: dict[str, Any],
) -> Ranges:
    """Ranges and histograms of `tensors` over all batches, with progress on stderr.

    What was seen is saved after each batch, so that a killed run goes on where it was; the result
    is the same to the last bit.

    Args:
        model: FP32.
        tensors: names of float tensors in it.
        batches: each makes the network's inputs.
        folder: where state.npz lies.
        work: what all this is of; a state of other work is left aside.

    Raises:
        InputError: there is no batch.
        EngineError: a value is not finite, or the network failed.
        CaerError: the folder can not be written.
    """
    if not batches:
        raise InputError("There is nothing to calibrate on.", "Give pictures with --data.")
    ranges = load_ranges(folder, work) or Ranges.empty(tuple(tensors))
    runner = Runner(model, tensors)
    bar = tqdm(
        total=2 * len(batches),
        initial=ranges.ranged + ranges.counted,
        desc="calibrating",
        unit="batch",
        file=sys.stderr,
        disable=None,
    )
    with bar:
        for make in batches[ranges.ranged :]:
            for index, values in enumerate(_values(runner, ranges.tensors, make())):
                ranges.widen(index, values)
            ranges.ranged += 1
            save_ranges(folder, ranges, work)
            bar.update()
        for make in batches[ranges.counted :]:
            for index, values in enumerate(_values(runner, ranges.tensors, make())):
                ranges.count(index, values)
            ranges.counted += 1
            save_ranges(folder, ranges, work)
            bar.update()
    return ranges


def _values(runner: Runner, tensors: Sequence[str], arrays: Arrays) -> list[np.ndarray]:
    made = runner.run(arrays, tensors)
    for name, values in made.items():
        if not np.isfinite(values).all():
            raise EngineError(
                f"The FP32 network puts out NaN or infinity at '{name}'.",
                "It is broken before any quantisation: train or export it again.",
            )
    return list(made.values())
