"""What an engine file belongs to, and the JSON file beside it that says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from caer_ros.engines.base import TensorSpec
from caer_ros.engines.trt.device import Device

# Goes up when the same ONNX file would be built into another engine than before.
RECIPE = 1


@dataclass(frozen=True)
class Machine:
    """What must be the same where an engine is built and where it runs."""

    tensorrt: str
    cuda: str
    gpu: str
    compute_capability: str
    driver: str

    @classmethod
    def here(cls, device: Device, tensorrt: str) -> Machine:
        """This machine, with the TensorRT that is installed on it."""
        return cls(tensorrt, device.cuda, device.name, device.compute_capability, device.driver)

    def differences(self, here: Machine, portable: bool = False) -> list[str]:
        """How the machine that an engine was built on (`self`) differs from this one, in words.

        portable: the engine may run on any GPU of compute capability 8.0 and newer.
        """
        names = dict(_SPOKEN)
        if portable and int(here.compute_capability.split(".")[0]) >= 8:
            del names["gpu"], names["compute_capability"]
        return [
            f"{spoken} {getattr(self, name)}, here it is {getattr(here, name)}"
            for name, spoken in names.items()
            if getattr(self, name) != getattr(here, name)
        ]


_SPOKEN = {
    "tensorrt": "TensorRT",
    "gpu": "the GPU",
    "compute_capability": "compute capability",
    "cuda": "CUDA",
    "driver": "driver",
}


@dataclass(frozen=True)
class EngineKey:
    """Two builds with the same key make the same engine.

    Attributes:
        name: of the bundle and its file, for people who look into the folder.
        onnx_sha256: of the ONNX file.
        precision: what the ONNX file computes in: fp32, fp16 or int8.
        profile: see profile.join_profiles.
        options: DLA core, workspace limit, portability; empty for none.
    """

    name: str
    onnx_sha256: str
    machine: Machine
    precision: str
    profile: str
    options: str = ""
    recipe: int = RECIPE

    @property
    def stem(self) -> str:
        """File name of the engine without its ending."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    @property
    def portable(self) -> bool:
        """See compat.make_portable."""
        return "portable" in self.options.split()


@dataclass(frozen=True)
class SideFile:
    """What lies beside an engine as JSON.

    Attributes:
        engine_sha256, size: of the engine file, in bytes.
        seconds: that the build took.
        inputs, outputs: as the ONNX file has them.
    """

    key: EngineKey
    engine_sha256: str
    size: int
    seconds: float
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]

    def to_json(self) -> bytes:
        """As it is written."""
        raw = asdict(self) | {
            "inputs": {name: _plain(spec) for name, spec in self.inputs.items()},
            "outputs": {name: _plain(spec) for name, spec in self.outputs.items()},
        }
        return json.dumps(raw, indent=2).encode()

    @classmethod
    def from_json(cls, data: bytes) -> SideFile:
        """Read what to_json wrote.

        Raises:
            ValueError: it is something else, or of another version.
        """
        try:
            raw = json.loads(data)
            key = raw.pop("key")
            machine = Machine(**key.pop("machine"))
            side = cls(
                key=EngineKey(machine=machine, **key),
                inputs={name: _spec(entry) for name, entry in raw.pop("inputs").items()},
                outputs={name: _spec(entry) for name, entry in raw.pop("outputs").items()},
                **raw,
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not an engine's side file: {error}") from error
        if not all(isinstance(getattr(machine, f.name), str) for f in fields(machine)):
            raise ValueError("not an engine's side file: a version is no text")
        return side


def _plain(spec: TensorSpec) -> dict[str, Any]:
    return {"dtype": spec.dtype.name, "shape": list(spec.shape)}


def _spec(entry: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(np.dtype(entry["dtype"]), tuple(entry["shape"]))
