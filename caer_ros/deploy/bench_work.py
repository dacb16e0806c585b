"""What one job runs again and again. Imports only what that job needs: its peak memory is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from caer_ros.core import InputError
from caer_ros.deploy.bench_jobs import Job

# What the robot does not ask for in every frame.
_EXTRA_OUTPUTS = ("attention", "heat")
_NOTES = {
    "bf16": "what is not INT8 computes in BF16, which the robot does only where it was measured",
    "fixed": "compiled for these input sizes alone",
}


class Work(NamedTuple):
    """A call to time, and what is known of it: `amount` (operations or bytes) and `note`."""

    call: Callable[[], object]
    about: dict[str, Any]


def open_work(job: Job) -> Work:
    """Load what the job needs.

    Raises:
        CaerError, ImportError and whatever the libraries raise: it can not be run here.
    """
    if job.backend == "ceiling":
        from caer_ros.deploy.ceilings import copy, matmul

        return Work(*(copy(job) if job.row == "ceiling copy" else matmul(job)))
    if job.backend.startswith("torch"):
        from caer_ros.deploy.bench_torch import open_torch

        return Work(*open_torch(job))
    return _engine(job)


def _engine(job: Job) -> Work:
    engine = _open(job)
    arrays = job.arrays()
    outputs = [name for name in engine.outputs if name not in _EXTRA_OUTPUTS]
    notes = [_NOTES[word] for word in _NOTES if word in job.row]
    return Work(lambda: engine.run(arrays, outputs), {"note": "; ".join(notes)})


def _open(job: Job) -> Any:
    """Without the user's cache: what is timed may be gone tomorrow."""
    path = Path(job.onnx)
    if job.backend == "openvino":
        try:
            from caer_ros.engines.open_vino import OpenVinoEngine
        except ImportError as error:
            raise InputError("OpenVINO is not installed.") from error

        hint = "bf16" if "bf16" in job.row else "f32"
        fixed = {name: shape for name, (_, shape) in job.shapes.items()}
        shapes = fixed if job.row.endswith("fixed") else None
        return OpenVinoEngine(path, job.threads, hint=hint, shapes=shapes)
    if job.backend == "onnxruntime":
        from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine

        return OnnxRuntimeEngine(path, job.threads)
    from caer_ros.engines import choose_backend, open_engine

    return open_engine(path, choose_backend(job.backend)[0], job.threads)
