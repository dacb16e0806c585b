"""What every engine promises, and the check of its inputs that all of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import numpy as np

from caer_ros.core import EngineMismatch


@dataclass(frozen=True)
class TensorSpec:
    """Static description of one tensor: a fixed axis is an int, a dynamic one its name."""

    dtype: np.dtype
    shape: tuple[int | str, ...]

    def accepts(self, array: np.ndarray) -> bool:
        """Whether `array` has this dtype and rank, and the size of every fixed axis."""
        return (
            array.dtype == self.dtype
            and array.ndim == len(self.shape)
            and all(
                isinstance(want, str) or want == have
                for want, have in zip(self.shape, array.shape, strict=True)
            )
        )

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


class Engine(Protocol):
    """A loaded network. Thread-confined: the thread that opened it is the only one to call it."""

    backend: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]

    def run(
        self, arrays: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Infer once.

        Args:
            arrays: one C-contiguous array an input.
            outputs: names wanted; None for all.

        Returns:
            The named outputs. They may be views of the engine's memory, good until the next call.

        Raises:
            EngineMismatch: an input is missing or does not fit its TensorSpec.
            EngineError: the back end failed.
        """
        ...

    def close(self) -> None:
        """Release the network; the engine can not be used afterwards. Closing twice is fine."""
        ...

    def __enter__(self) -> Engine: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


_FOREIGN = "The bundle's ONNX file and its model.yaml do not belong together: reinstall it."


class EngineBase:
    """Context manager and input check, the same for every back end."""

    backend = ""
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]

    def check(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Raise EngineMismatch unless `arrays` are exactly what the network reads."""
        if arrays.keys() != self.inputs.keys():
            raise EngineMismatch(
                f"The network reads {sorted(self.inputs)}, but was given {sorted(arrays)}.",
                _FOREIGN,
            )
        for name, spec in self.inputs.items():
            if not spec.accepts(arrays[name]):
                got = arrays[name]
                raise EngineMismatch(
                    f"Input '{name}' is {got.dtype}{list(got.shape)}, the network wants {spec}.",
                    _FOREIGN,
                )

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self):  # type: ignore[no-untyped-def]  # Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
