"""Writing a bundle's fp32.onnx: traced, checked against the network it came from, put in place."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from caer_ros.bundles.files import write_atomically
from caer_ros.core import CaerError
from caer_ros.deploy.card import FP32, INT8, INT8_ONNXRUNTIME

OPSET = 17
TOLERANCE = 1e-4
# What `caer calibrate` makes of fp32.onnx; once that is another, they are of no use.
_MADE_OF_IT = (INT8, INT8_ONNXRUNTIME, "fp16.onnx")


@dataclass(frozen=True)
class Parity:
    """Largest difference between a network and its ONNX file, and on what they were compared."""

    difference: float
    compared: str


class ParityError(CaerError):
    """The ONNX file does not compute what the network computes."""


def trace(
    graph: nn.Module,
    example: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
) -> bytes:
    """A module in evaluation mode as a checked ONNX file; batch norm is folded.

    axes: of each input and output, the names of its dynamic axes.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The tracing exporter is deprecated; its successor writes opset 18 and up, which TensorRT 8
        # and older ONNX Runtimes do not read.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            example,
            buffer,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(named) for name, named in axes.items()},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def write_fp32(bundle: Path, model: bytes, check: Callable[[Path], Parity]) -> Parity:
    """Write fp32.onnx into `bundle` once `check` has passed it; what was calibrated earlier goes.

    Raises:
        ParityError: `check` did; the bundle is left as it was.
    """
    bundle.mkdir(parents=True, exist_ok=True)
    candidate = bundle / f".{FP32}"
    try:
        candidate.write_bytes(model)
        parity = check(candidate)
        write_atomically(bundle / FP32, model)
    finally:
        candidate.unlink(missing_ok=True)
    for stale in _MADE_OF_IT:
        (bundle / stale).unlink(missing_ok=True)
    return parity


def judge(difference: float, compared: str, tolerance: float = TOLERANCE) -> Parity:
    """What was measured, if it is good enough.

    Raises:
        ParityError: more than `tolerance`, or NaN.
    """
    if not difference <= tolerance:
        raise ParityError(
            f"ONNX differs from the network by {difference:.2e}, more than {tolerance:.0e}.",
            "Nothing was written. Report it with the versions of torch, onnx and onnxruntime.",
        )
    return Parity(difference, compared)
