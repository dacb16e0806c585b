"""config.pbtxt: what Triton Inference Server wants to know of a model, as protobuf text.

The fields are those of Triton's published model_config.proto; a test parses what is written here
with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_TYPES = {
    "uint8": "TYPE_UINT8",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "float16": "TYPE_FP16",
    "float32": "TYPE_FP32",
}
# How long a request waits for others, in microseconds: far below what a run takes.
_QUEUE_US = 2000
_PREFERRED = (4, 8)
_SCALAR = " reshape { shape: [ ] }"


@dataclass(frozen=True)
class Tensor:
    """An input or output; `dims` are without the batch axis, -1 for any size."""

    name: str
    dtype: str
    dims: tuple[int, ...]


@dataclass(frozen=True)
class OnnxModel:
    """A model that ONNX Runtime runs, on a GPU where the server has one.

    Attributes:
        batch: most requests in one run.
        accelerator: "tensorrt" for ONNX Runtime's TensorRT provider on the GPU, or "".
        parameters: for those who read the configuration; Triton does not look at them.
    """

    name: str
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    batch: int
    accelerator: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def to_text(self) -> str:
        """The file."""
        preferred = [size for size in _PREFERRED if size <= self.batch]
        lines = [
            f"name: {_text(self.name)}",
            'backend: "onnxruntime"',
            f"max_batch_size: {self.batch}",
            *(_tensor("input", tensor, _SCALAR) for tensor in self.inputs),
            *(_tensor("output", tensor, _SCALAR) for tensor in self.outputs),
            "instance_group [ { count: 1 kind: KIND_AUTO } ]",
            "dynamic_batching {",
            *([f"  preferred_batch_size: {_list(preferred)}"] if preferred else []),
            f"  max_queue_delay_microseconds: {_QUEUE_US}",
            "}",
        ]
        if self.accelerator:
            lines += [
                "optimization { execution_accelerators {",
                f"  gpu_execution_accelerator [ {{ name: {_text(self.accelerator)} }} ]",
                "} }",
            ]
        lines += [
            f"parameters {{ key: {_text(key)} value {{ string_value: {_text(value)} }} }}"
            for key, value in self.parameters.items()
        ]
        return "\n".join([*lines, ""])


@dataclass(frozen=True)
class Step:
    """One model of an ensemble; each map is from its tensor's name to the ensemble's."""

    model: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Ensemble:
    """Models run one after the other on the server; their own batching holds."""

    name: str
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    batch: int
    steps: Sequence[Step]

    def to_text(self) -> str:
        """The file."""
        lines = [
            f"name: {_text(self.name)}",
            'platform: "ensemble"',
            f"max_batch_size: {self.batch}",
            *(_tensor("input", tensor) for tensor in self.inputs),
            *(_tensor("output", tensor) for tensor in self.outputs),
            "ensemble_scheduling {",
        ]
        for step in self.steps:
            lines += [
                "  step {",
                f"    model_name: {_text(step.model)}",
                "    model_version: -1",
                *(_pair("input_map", *names) for names in step.inputs.items()),
                *(_pair("output_map", *names) for names in step.outputs.items()),
                "  }",
            ]
        return "\n".join([*lines, "}", ""])


def _tensor(kind: str, tensor: Tensor, scalar: str = "") -> str:
    """`scalar`: what to add where the model gives one number a request, and clients see [1]."""
    dims = tensor.dims or (1,)
    return (
        f"{kind} {{ name: {_text(tensor.name)} data_type: {_TYPES[tensor.dtype]}"
        f" dims: {_list(dims)}{'' if tensor.dims else scalar} }}"
    )


def _pair(field_name: str, key: str, value: str) -> str:
    return f"    {field_name} {{ key: {_text(key)} value: {_text(value)} }}"


def _list(numbers: Sequence[int]) -> str:
    return f"[ {', '.join(map(str, numbers))} ]"


def _text(value: str) -> str:
    # Protobuf's text strings are quoted as JSON's are.
    return json.dumps(value, ensure_ascii=False)
