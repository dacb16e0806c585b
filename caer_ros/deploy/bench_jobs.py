"""What `caer bench engines` times: one job a row, each for a process of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import CaerError, InputError

# Arithmetic and device of every row. The first of those measured is what the others are compared
# to. FP32 on a GPU means FP32, not TF32.
ROWS: dict[str, tuple[str, str]] = {
    "torch eager": ("fp32", "cpu"),
    "torch compile": ("fp32", "cpu"),
    "onnxruntime fp32": ("fp32", "cpu"),
    "onnxruntime int8": ("int8", "cpu"),
    "openvino fp32": ("fp32", "cpu"),
    "openvino bf16": ("bf16", "cpu"),
    "openvino int8": ("int8", "cpu"),
    "openvino int8 fixed": ("int8", "cpu"),
    "openvino int8+bf16 fixed": ("int8", "cpu"),
    "torch-cuda eager": ("fp32", "cuda"),
    "torch-cuda compile": ("fp32", "cuda"),
    "torch-cuda fp16": ("fp16", "cuda"),
    "tensorrt fp32": ("fp32", "cuda"),
    "tensorrt fp16": ("fp16", "cuda"),
    "tensorrt int8": ("int8", "cuda"),
}
# Rows that are tried where no NVIDIA GPU is: TensorRT's, which say what is missing.
NO_GPU = tuple(row for row in ROWS if not row.startswith("torch-cuda"))
BYTES = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 1}
# Axes that are sides of the picture; every other named axis is the batch.
_SIDES = ("height", "width")


@dataclass(frozen=True)
class Job:
    """One row.

    Attributes:
        row: a key of ROWS, or `ceiling matmul` and `ceiling copy`.
        arithmetic: a key of BYTES.
        device: cpu or cuda.
        shapes: of each input, its dtype and shape.
        threads: for one inference, at least 1.
        onnx: file for the back ends.
        task: of the bundle, for torch's rows.
        checkpoint: weights for torch's rows; empty: the published network, untrained.
    """

    row: str
    arithmetic: str
    device: str
    shapes: Mapping[str, tuple[str, tuple[int, ...]]]
    threads: int
    onnx: str = ""
    task: str = ""
    checkpoint: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        raw: dict[str, Any] = json.loads(text)
        shapes = {name: (dtype, tuple(shape)) for name, (dtype, shape) in raw["shapes"].items()}
        return cls(**raw | {"shapes": shapes})

    @property
    def backend(self) -> str:
        """What runs it: the first word of the row."""
        return self.row.split()[0]

    def arrays(self) -> dict[str, np.ndarray]:
        """Inputs: noise, and for whole numbers 0, 1, 2 and so on, which CAER-Net-S takes as every
        person having a scene of his own."""
        rng = np.random.default_rng(0)
        return {
            name: rng.integers(0, 256, shape, dtype=np.uint8)
            if dtype == "uint8"
            else np.arange(int(np.prod(shape)), dtype=dtype).reshape(shape)
            for name, (dtype, shape) in self.shapes.items()
        }


def input_shapes(
    bundle: Bundle, batch: int, height: int, width: int
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Dtype and shape of each input of a bundle; height and width where they are not fixed.

    Raises:
        InputError: a size is below 1, or not a multiple of what the bundle wants.
    """
    if min(batch, height, width) < 1:
        raise InputError("Batch, height and width must be at least 1.")
    sides = {"height": height, "width": width}
    shapes = {}
    for name, entry in bundle.inputs.items():
        axes = [sides.get(a, batch) if isinstance(a, str) else int(a) for a in entry["shape"]]
        multiple = int(entry.get("multiple_of", 1))
        if any(a in _SIDES and sides[a] % multiple for a in entry["shape"]):
            raise InputError(
                f"'{bundle.name}' takes pictures of multiples of {multiple} pixels,"
                f" not {width}x{height}.",
                "Set --height and --width to multiples.",
            )
        shapes[name] = (str(entry["dtype"]), tuple(axes))
    return shapes


def jobs_for(
    bundle: Bundle,
    rows: Sequence[str],
    shapes: Mapping[str, tuple[str, tuple[int, ...]]],
    threads: int,
    checkpoint: str = "",
) -> tuple[list[Job], dict[str, str]]:
    """The jobs of `rows`, and for those that this bundle has no file for, why.

    Raises:
        InputError: a row does not exist.
    """
    jobs, missing = [], {}
    for row in rows:
        if row not in ROWS:
            raise InputError(f"There is no row '{row}'.", f"Use some of: {', '.join(ROWS)}.")
        arithmetic, device = ROWS[row]
        job = Job(row, arithmetic, device, shapes, threads, "", bundle.task, checkpoint)
        try:
            jobs.append(job if job.backend.startswith("torch") else _with_file(job, bundle))
        except CaerError as error:
            missing[row] = str(error)
    return jobs, missing


def _with_file(job: Job, bundle: Bundle) -> Job:
    # BF16 is how a back end computes an FP32 file, and no file of its own.
    precision = "fp32" if job.arithmetic == "bf16" else job.arithmetic
    return replace(job, onnx=str(bundle.model_file(precision, job.backend)))


def ceilings_for(jobs: Sequence[Job]) -> list[Job]:
    """What the device can do at most in each arithmetic that the jobs use, and its memory."""
    kinds = sorted({(job.device, job.arithmetic) for job in jobs})
    threads = jobs[0].threads if jobs else 1
    products = [Job("ceiling matmul", kind, device, {}, threads) for device, kind in kinds]
    devices = sorted({device for device, _ in kinds})
    return products + [Job("ceiling copy", "int8", device, {}, threads) for device in devices]
