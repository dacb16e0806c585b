"""TensorRT on a GPU: profiles, pinned memory, one stream, CUDA graphs."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from caer_ros.core import EngineError, EngineMismatch
from caer_ros.engines.base import EngineBase, TensorSpec
from caer_ros.engines.trt.callbacks import make_logger
from caer_ros.engines.trt.compat import Trt
from caer_ros.engines.trt.cuda import Cuda
from caer_ros.engines.trt.key import SideFile
from caer_ros.engines.trt.lane import Lane, Shapes


class TensorRtEngine(EngineBase):
    """A serialised engine, deserialised, with one lane for each of its profiles.

    Rows that a profile has and a call has not are filled with the first row, and cut off again: an
    engine for 1, 4, 8, 16 and 32 people runs five of them as eight. Lanes are opened when they are
    first needed.

    Args:
        trt: the tensorrt package.
        plan: the engine, checked by CachedEngine.read: TensorRT runs what is in it.
        side: what its side file says.
        cuda: closed with the engine, also where this fails.
        command: what builds the engine again, for errors.

    Raises:
        EngineMismatch: TensorRT refuses the plan, or it is not the side file's.
        OutOfMemory: the GPU has too little.
    """

    backend = "tensorrt"

    def __init__(
        self, trt: Trt, plan: bytes, side: SideFile, cuda: Cuda, command: str = "caer build"
    ) -> None:
        self._trt = trt
        self._cuda = cuda
        self._owner = threading.get_ident()
        self._command = command
        self.inputs: Mapping[str, TensorSpec] = side.inputs
        self.outputs: Mapping[str, TensorSpec] = side.outputs
        # Axes along which a profile's spare rows can be filled: first axes wherever they appear.
        self._row_axes = _row_axes(side.inputs)
        self._lanes: dict[int, Lane] = {}
        self._closed = False
        self._log = make_logger(trt)
        self._engine: Any = None
        self._runtime: Any = None
        try:
            with cuda.active():
                self._load(plan, side)
                self._profiles = [self._limits(i) for i in range(self._count())]
        except BaseException:
            self.close()
            raise

    def run(
        self, arrays: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """See Engine.run. Outputs are views of pinned memory, gone after the next run or close."""
        self._mine()
        if self._closed:
            raise EngineError("The engine was closed.")
        self.check(arrays)
        sizes = self._sizes(arrays)
        index, shapes = self._choose(arrays)
        with self._cuda.active():
            lane = self._lane(index)
            lane.prepare(shapes)
            for name, array in arrays.items():
                _fill(lane.view(name), array)
            lane.run()
        names = self.outputs if outputs is None else outputs
        return {name: self._cut(name, lane.view(name), sizes) for name in names}

    @property
    def replays(self) -> int:
        """How many runs were replays of a CUDA graph so far."""
        return sum(lane.replays for lane in self._lanes.values())

    def close(self) -> None:
        """See Engine.close. Frees graphs and contexts first, then the engine, then the memory."""
        self._mine()
        if self._closed:
            return
        self._closed = True
        with self._cuda.active():
            for lane in self._lanes.values():
                lane.close()
            self._lanes.clear()
            self._engine = None
            self._runtime = None
        self._cuda.close()

    def _mine(self) -> None:
        if threading.get_ident() != self._owner:
            raise EngineError(
                "A TensorRT engine was used by another thread than the one that opened it.",
                "Open, run and close an engine in one thread.",
            )

    def _load(self, plan: bytes, side: SideFile) -> None:
        self._runtime = self._trt.Runtime(self._log)
        dla = [word for word in side.key.options.split() if word.startswith("dla=")]
        if dla:
            self._runtime.DLA_core = int(dla[0].removeprefix("dla="))
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineMismatch(
                f"TensorRT {self._trt.__version__} refuses its engine {side.key.name}:"
                f" {self._log.last_error()}",
                f"Run: {self._command} --force",
            )
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        if set(names) != {*side.inputs, *side.outputs}:
            raise EngineMismatch(
                f"Engine {side.key.name} has the tensors {sorted(names)}, its side file others.",
                f"Run: {self._command} --force",
            )

    def _count(self) -> int:
        return int(self._engine.num_optimization_profiles)

    def _limits(self, index: int) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
        """Least and largest shape of each input in a profile."""
        limits = {}
        for name in self.inputs:
            least, _, most = self._engine.get_tensor_profile_shape(name, index)
            limits[name] = (tuple(least), tuple(most))
        return limits

    def _sizes(self, arrays: Mapping[str, np.ndarray]) -> dict[str, int]:
        """How long every named axis is in this call."""
        sizes: dict[str, int] = {}
        for name, array in arrays.items():
            for axis, length in zip(self.inputs[name].shape, array.shape, strict=True):
                if isinstance(axis, str) and sizes.setdefault(axis, length) != length:
                    raise EngineMismatch(
                        f"Axis '{axis}' is {sizes[axis]} in one input and {length} in '{name}'."
                    )
        return sizes

    def _choose(self, arrays: Mapping[str, np.ndarray]) -> tuple[int, Shapes]:
        """The smallest profile that these inputs fit into, and the shapes they get there."""
        fitting: list[tuple[int, int, Shapes]] = []
        for index, limits in enumerate(self._profiles):
            shapes = {
                name: self._fit(name, array.shape, *limits[name]) for name, array in arrays.items()
            }
            if all(shapes.values()):
                volume = sum(int(np.prod(shape)) for shape in shapes.values())
                fitting.append((volume, index, shapes))
        if fitting:
            best = min(fitting, key=lambda entry: entry[:2])
            return best[1], best[2]
        given = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
        raise EngineMismatch(
            f"The engine was built for other sizes than {given}.",
            f"Run: {self._command} --profile ..., with sizes that hold these; several --profile"
            " make one engine for all of them.",
        )

    def _fit(
        self, name: str, shape: tuple[int, ...], least: tuple[int, ...], most: tuple[int, ...]
    ) -> tuple[int, ...]:
        """`shape` with its rows filled up to `least`; empty where it does not fit."""
        first = self.inputs[name].shape[0] if shape else 0
        wanted = list(shape)
        if first in self._row_axes and 0 < wanted[0] < least[0]:
            wanted[0] = least[0]
        fits = all(a <= b <= c for a, b, c in zip(least, wanted, most, strict=True))
        return tuple(wanted) if fits else ()

    def _lane(self, index: int) -> Lane:
        if index not in self._lanes:
            largest = {name: most for name, (_, most) in self._profiles[index].items()}
            self._lanes[index] = Lane(
                self._trt, self._engine, index, self._cuda, largest, self._log
            )
        return self._lanes[index]

    def _cut(self, name: str, view: np.ndarray, sizes: Mapping[str, int]) -> np.ndarray:
        """An output without the rows that were filled up, in the ONNX file's type."""
        spec = self.outputs[name]
        first = spec.shape[0] if spec.shape else 0
        if first in self._row_axes:
            view = view[: sizes[str(first)]]
        # TensorRT 8 has no int64 and hands over int32 instead.
        return view.astype(spec.dtype, copy=False)


def _row_axes(inputs: Mapping[str, TensorSpec]) -> set[int | str]:
    first = {spec.shape[0] for spec in inputs.values() if spec.shape}
    later = {axis for spec in inputs.values() for axis in spec.shape[1:]}
    return {axis for axis in first - later if isinstance(axis, str)}


def _fill(view: np.ndarray, array: np.ndarray) -> None:
    """Copy `array` into `view`, and its first row into the rows that are left."""
    np.copyto(view[: len(array)], array, casting="same_kind")
    if len(array) < len(view):
        view[len(array) :] = view[:1]
