"""The smaller files of a bundle: their keys, names and the engine that each is judged by."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from caer_ros.core import InputError
from caer_ros.deploy.card import INT8, INT8_ONNXRUNTIME
from caer_ros.engines import Engine
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine

FP16 = "fp16.onnx"
PRECISIONS = ("int8", "fp16")


@dataclass(frozen=True)
class Target:
    """One file: key in model.yaml, name, and the back end that runs it on a CPU."""

    key: str
    name: str
    backend: str


TARGETS = {
    "int8": (
        Target("int8", INT8, "openvino"),
        Target("int8_onnxruntime", INT8_ONNXRUNTIME, "onnxruntime"),
    ),
    "fp16": (Target("fp16", FP16, "onnxruntime"),),
}


def check_precisions(precisions: Sequence[str]) -> None:
    """Raise InputError unless each is one that can be made."""
    for name in precisions or ("",):
        if name not in PRECISIONS:
            raise InputError(f"Unknown precision '{name}'.", f"Use {' or '.join(PRECISIONS)}.")


def fast_hints() -> tuple[str, ...]:
    """OpenVINO's hints for faster arithmetic that this CPU has; none without OpenVINO."""
    if importlib.util.find_spec("openvino") is None:
        return ()
    from caer_ros.engines.open_vino import hints_here

    return tuple(hint for hint in hints_here() if hint != "f32")


def open_hinted(path: Path, hint: str) -> Engine:
    """The file in OpenVINO with this hint, nothing kept.

    Raises:
        EngineBuildError: it can not be loaded.
    """
    from caer_ros.engines.open_vino import OpenVinoEngine

    return OpenVinoEngine(path, hint=hint)


def open_target(path: Path, target: Target) -> Engine:
    """The file in the engine that it is for; without OpenVINO, in ONNX Runtime, which is slower.

    Nothing is kept in OpenVINO's cache: the file may never become a bundle's.

    Raises:
        EngineBuildError: it can not be loaded.
    """
    if target.backend == "openvino" and importlib.util.find_spec("openvino") is not None:
        from caer_ros.engines.open_vino import OpenVinoEngine

        return OpenVinoEngine(path)
    return OnnxRuntimeEngine(path)
